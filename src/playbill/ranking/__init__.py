"""One request: sources, filters, features, scorers, selector, as stages over columns."""

from playbill.ranking.deadline import Breaker, CostMeter, Deadline
from playbill.ranking.hydrate import Hydrated, Hydrator
from playbill.ranking.pipeline import Pipeline, Ranked
from playbill.ranking.policy import Policies, Policy
from playbill.ranking.rules import MUST_NOT, RULES, VISIBILITY, broken_rules, permitted
from playbill.ranking.scorers import TASKS, HeavyScorer, RankingModel, expected_utility
from playbill.ranking.selector import Slate, SlateRules, SlateSelector
from playbill.ranking.stages import Candidates, RankingRequest, StageRecord, Trace

__all__ = [
    "MUST_NOT",
    "RULES",
    "TASKS",
    "VISIBILITY",
    "Breaker",
    "Candidates",
    "CostMeter",
    "Deadline",
    "HeavyScorer",
    "Hydrated",
    "Hydrator",
    "Pipeline",
    "Policies",
    "Policy",
    "Ranked",
    "RankingModel",
    "RankingRequest",
    "Slate",
    "SlateRules",
    "SlateSelector",
    "StageRecord",
    "Trace",
    "broken_rules",
    "expected_utility",
    "permitted",
]
