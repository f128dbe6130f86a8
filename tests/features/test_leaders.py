"""The best of many scores, against sorting all of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.features.leaders_kernel import leaders

scores = st.sampled_from([0.0, -1.0, 1.0, 1.0, 2.0, 5e-324, np.inf, np.nan]) | st.floats(0.0, 9.0)


@law(200)
@given(st.lists(scores, max_size=80), st.integers(1, 12))
def test_leaders_are_the_first_of_all_sorted_the_older_of_equals_first(given_scores, room):
    found = np.empty(room, np.int64)
    count = leaders(np.array(given_scores, np.float64), found)
    ranked = sorted(
        (row for row, score in enumerate(given_scores) if score > 0.0),
        key=lambda row: (-given_scores[row], row),
    )
    assert sorted(found[:count].tolist()) == sorted(ranked[:room])


def test_many_equal_scores_cost_no_more_than_any_others():
    """Equal scores are what made a partition quadratic; here each costs one comparison."""
    found = np.empty(401, np.int64)
    assert leaders(np.ones(1_000_000), found) == 401
    assert sorted(found.tolist()) == list(range(401))
