"""Training by several workers: batches split, tables spread, checkpoints for any other crew."""

from playbill.training.parallel.crew import Crew
from playbill.training.parallel.launching import run_crew
from playbill.training.parallel.placing import Plan, Table, place
from playbill.training.parallel.worker import Job, work, write_inputs

__all__ = ["Crew", "Job", "Plan", "Table", "place", "run_crew", "work", "write_inputs"]
