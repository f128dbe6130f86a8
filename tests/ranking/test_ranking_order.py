import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.ranking_worlds import candidates
from playbill.ranking.order import best_first

ODD = st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf, 1e-45])
SCORES = st.one_of(st.floats(width=32).map(lambda score: score + 0.0), ODD)


@law(200)
@given(st.lists(SCORES, max_size=80), st.integers(0, 2**32 - 1))
def test_candidates_stand_by_their_score_and_equal_ones_as_they_came(scores, seed):
    random = np.random.default_rng(seed)
    came = candidates(len(scores), light=scores, sources=random.integers(0, 6, len(scores)))
    came.rows = random.integers(0, 1 << 40, len(scores))
    came.places = random.permutation(len(scores))
    finite = np.where(np.isfinite(scores), np.array(scores, np.float32), np.float32(-np.inf))
    order = sorted(range(len(scores)), key=lambda place: -finite[place])
    ordered = best_first(came)
    assert ordered.light.tolist() == finite[order].tolist()
    assert ordered.features is came.features
    assert ordered.utility is None
    for name in ("rows", "sources", "places"):
        column, before = getattr(ordered, name), getattr(came, name)
        assert column.dtype == before.dtype
        assert column.tolist() == before[order].tolist()
