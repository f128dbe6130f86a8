"""Scores of a reply are finite, and what has no utility stands below what has."""

import numpy as np
import pytest

from playbill.ranking.order_kernel import fill_scores

NONE = np.nan


@pytest.mark.parametrize(
    ("utility", "light", "told"),
    [
        ([3.0, -1.0], [9.0, 9.0], [3.0, -1.0]),
        ([3.0, 1.0, -np.inf, NONE], [0.0, 0.0, 5.0, -2.0], [3.0, 1.0, 1.0, -2.0]),
        ([2.0, NONE, NONE], [0.0, -4.0, -np.inf], [2.0, -4.0, -4.0]),
        ([2.0, NONE], [0.0, NONE], [2.0, 0.0]),
        ([NONE, NONE], [0.5, -np.inf], [0.5, 0.0]),
        ([], [], []),
    ],
)
def test_what_has_no_utility_is_told_by_its_light_score_or_the_lowest(utility, light, told):
    scores = np.empty(len(utility), np.float32)
    fill_scores(np.array(utility, np.float32), np.array(light, np.float32), scores)
    assert scores.tolist() == told
