"""Point-in-time data sets, the networks' training, and honest figures."""

from playbill.training.build import build_dataset
from playbill.training.dataset import Dataset, Rows
from playbill.training.drafting import Circumstances, draft_bundle, evaluate_bundle
from playbill.training.report import DatasetReport
from playbill.training.rolling import evaluate_rolling

__all__ = [
    "Circumstances",
    "Dataset",
    "DatasetReport",
    "Rows",
    "build_dataset",
    "draft_bundle",
    "evaluate_bundle",
    "evaluate_rolling",
]
