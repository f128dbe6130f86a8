"""Windows: every video is foretold once, from what stood before it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.training.sequences import Sequences
from playbill.training.windows import batches, cut


def sequences(sizes: list[int]) -> Sequences:
    """Return sequences in which item and kind tell viewer and place."""
    viewers = np.repeat(np.arange(len(sizes)), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    return Sequences(1000 * (viewers + 1) + places, viewers, places % 8)


@law(80)
@given(
    sizes=st.lists(st.integers(1, 70), min_size=1, max_size=8),
    most=st.integers(1, 32),
    videos=st.integers(1, 200),
    seed=st.integers(0, 5),
)
def test_every_video_is_foretold_once_from_those_before_it(sizes, most, videos, seed):
    told, random = sequences(sizes), np.random.default_rng(seed)
    asked_for: list[int] = []
    for batch in batches(told, cut(told, most, random), videos, random):
        width = batch.items.shape[1]
        assert width <= most + 1
        assert len(batch.items) == 1 or batch.items.size <= videos
        for items, kinds, asked in zip(batch.items, batch.kinds, batch.asked, strict=True):
            places = np.flatnonzero(asked)
            asked_for += items[places].tolist()
            length = int((items > 0).sum())
            assert items[:length].tolist() == list(range(items[0], items[0] + length))
            assert kinds[:length].tolist() == [(item % 1000) % 8 for item in items[:length]]
            assert asked[0] == (items[0] % 1000 == 0)
            assert asked[1:length].all()
            assert not asked[length:].any()
    assert sorted(asked_for) == sorted(told.items.tolist())


def test_where_the_cuts_fall_is_drawn():
    told = sequences([100])
    cuts = {tuple(cut(told, 32, np.random.default_rng(seed)).begins) for seed in range(8)}
    assert len(cuts) > 1
