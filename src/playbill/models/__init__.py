"""Networks as serving runs them: NumPy and ONNX Runtime. ``networks`` holds the trained side."""

from playbill.models.content_tower import ContentTower
from playbill.models.eight_bits import EightBits
from playbill.models.interests import (
    INTERESTS,
    RANKER_INPUTS,
    VIEWER_INPUTS,
    Interests,
    warm_interests,
)
from playbill.models.light_scorer import LightScorer
from playbill.models.runtimes import Ranker, UserTower
from playbill.models.served_ranker import ServedRanker, warm_layers
from playbill.models.served_user_tower import ServedUserTower, warm_user_tower
from playbill.models.tasks import CATEGORIES, TASKS, WIDTH, value_vector, value_weights
from playbill.models.user_history import history_inputs, in_order, kinds_of

__all__ = [
    "CATEGORIES",
    "INTERESTS",
    "RANKER_INPUTS",
    "TASKS",
    "VIEWER_INPUTS",
    "WIDTH",
    "ContentTower",
    "EightBits",
    "Interests",
    "LightScorer",
    "Ranker",
    "ServedRanker",
    "ServedUserTower",
    "UserTower",
    "history_inputs",
    "in_order",
    "kinds_of",
    "value_vector",
    "value_weights",
    "warm_interests",
    "warm_layers",
    "warm_user_tower",
]
