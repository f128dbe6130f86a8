"""From the log to a draft bundle: data set, networks, evaluation. Needs the extra ``train``."""

from playbill.training.extras import require_extra

require_extra()

from playbill.training.build import build_dataset  # noqa: E402
from playbill.training.dataset import Dataset, Histories, Rows  # noqa: E402
from playbill.training.evaluate import evaluate_quick, evaluate_rolling  # noqa: E402
from playbill.training.progress import OnProgress  # noqa: E402
from playbill.training.report import DatasetReport, LabelCounts  # noqa: E402
from playbill.training.train import Draft, TrainingPlan, train  # noqa: E402

__all__ = [
    "Dataset",
    "DatasetReport",
    "Draft",
    "Histories",
    "LabelCounts",
    "OnProgress",
    "Rows",
    "TrainingPlan",
    "build_dataset",
    "evaluate_quick",
    "evaluate_rolling",
    "train",
]
