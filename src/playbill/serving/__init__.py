"""The feed server: deadlines, tiers, impression records, bundle swap."""

from playbill.serving.board import DRAINING, SERVING, WARM, Board, BoardRow, quantile_ms
from playbill.serving.drills import Drill, DrilledModel, DrillPlan, Drills, read_plans
from playbill.serving.feed_service import FeedService, ServingState
from playbill.serving.impressions import Recorder
from playbill.serving.mishaps import log_mishap
from playbill.serving.status import StatusReader
from playbill.serving.user_rows import UserRows

__all__ = [
    "DRAINING",
    "SERVING",
    "WARM",
    "Board",
    "BoardRow",
    "Drill",
    "DrillPlan",
    "DrilledModel",
    "Drills",
    "FeedService",
    "Recorder",
    "ServingState",
    "StatusReader",
    "UserRows",
    "log_mishap",
    "quantile_ms",
    "read_plans",
]
