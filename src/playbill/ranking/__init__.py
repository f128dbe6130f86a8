"""One request: sources, filters, features, scorers, selector, as stages over columns."""

from playbill.ranking.deadline import Breaker, CostMeter, Deadline
from playbill.ranking.filters import PERSONAL, VISIBILITY
from playbill.ranking.hydrate import Hydrated, Hydrator
from playbill.ranking.pipeline import Pipeline, Ranked
from playbill.ranking.scorers import TASKS, HeavyScorer, RankingModel, expected_utility
from playbill.ranking.selector import Slate, SlateSelector
from playbill.ranking.stages import Candidates, Filter, RankingRequest, StageRecord, Trace

__all__ = [
    "PERSONAL",
    "TASKS",
    "VISIBILITY",
    "Breaker",
    "Candidates",
    "CostMeter",
    "Deadline",
    "Filter",
    "HeavyScorer",
    "Hydrated",
    "Hydrator",
    "Pipeline",
    "Ranked",
    "RankingModel",
    "RankingRequest",
    "Slate",
    "SlateSelector",
    "StageRecord",
    "Trace",
    "expected_utility",
]
