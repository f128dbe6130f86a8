"""From the log to a draft bundle and its honest figures. Needs the extra ``train``."""

from playbill.training.available import require_extra
from playbill.training.build import build_dataset
from playbill.training.cold_start import evaluate_cold_start
from playbill.training.comparing import compare_bundles
from playbill.training.dataset import Dataset, Histories, Rows
from playbill.training.drafting import draft_bundle
from playbill.training.evaluating import evaluate_bundle, evaluate_rolling
from playbill.training.leave_one_out import evaluate_leave_one_out
from playbill.training.off_policy_report import Contender, evaluate_off_policy
from playbill.training.progress import OnProgress
from playbill.training.provenance import Circumstances
from playbill.training.report import DatasetReport, LabelCounts
from playbill.training.row_scorer import RowScorer
from playbill.training.staleness import evaluate_staleness

__all__ = [
    "Circumstances",
    "Contender",
    "Dataset",
    "DatasetReport",
    "Histories",
    "LabelCounts",
    "OnProgress",
    "RowScorer",
    "Rows",
    "build_dataset",
    "compare_bundles",
    "draft_bundle",
    "evaluate_bundle",
    "evaluate_cold_start",
    "evaluate_leave_one_out",
    "evaluate_off_policy",
    "evaluate_rolling",
    "evaluate_staleness",
    "require_extra",
]
