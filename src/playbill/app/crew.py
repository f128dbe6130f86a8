"""The program of a training's workers.

``python -m torch.distributed.run --nproc-per-node 2 -m playbill.app.crew work FOLDER``
"""

import os
import sys
from pathlib import Path

import msgspec
import torch
import torch.distributed as dist

from playbill.app.clock import SystemClock
from playbill.app.process import EXIT_DEPENDENCY, explained
from playbill.core.durable import replace_file
from playbill.core.lifeline import end_with
from playbill.training.parallel.calibrating import CALIBRATION, PATIENCE_S, measure
from playbill.training.parallel.crew import Crew, leave
from playbill.training.parallel.worker import JOB, Job, work


def main(what: str, folder: Path) -> None:
    """Join the crew; train what a folder says (work), or measure what that takes (measure)."""
    end_with(os.getppid(), EXIT_DEPENDENCY)
    torch.set_num_threads(1)
    job = msgspec.json.decode((folder / JOB).read_bytes(), type=Job)
    timeout_s = job.timeout_s if what == "work" else PATIENCE_S
    crew = Crew.joined(timeout_s) if dist.is_torchelastic_launched() else Crew()
    with crew:
        if what == "work":
            work(folder, crew, SystemClock())
            return
        found = measure(folder, crew, SystemClock())
        if crew.number == 0:
            replace_file(folder / CALIBRATION, msgspec.json.encode(found))
        crew.wait()


if __name__ == "__main__":
    with explained():
        main(sys.argv[1], Path(sys.argv[2]))
    leave()
