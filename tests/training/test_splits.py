import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbill.core import DAY_MS, HOUR_MS, InvalidInput
from playbill.training.split import day_bounds, local_days, quick_split, rolling_splits

FIRST_DAY = 19_000


def days(*counts, hour=12):
    """Return instants: so many rows around noon of each day."""
    return np.concatenate(
        [
            (FIRST_DAY + day) * DAY_MS + hour * HOUR_MS + np.arange(count)
            for day, count in enumerate(counts)
        ]
    )


def test_over_four_days_the_last_reports_and_the_one_before_validates():
    at_ms = days(100, 100, 100, 100)
    split = quick_split(at_ms, holdout=0.1)
    assert split.by == "days"
    assert split.train(at_ms).tolist() == [True] * 200 + [False] * 200
    assert split.validate(at_ms).tolist() == [False] * 200 + [True] * 100 + [False] * 100
    assert split.report(at_ms).tolist() == [False] * 300 + [True] * 100


def test_no_row_is_in_two_parts_and_each_part_lies_after_the_one_before():
    at_ms = days(90, 80, 70, 60, 50)
    split = quick_split(at_ms, holdout=0.1)
    parts = [split.train(at_ms), split.validate(at_ms), split.report(at_ms)]
    assert (np.sum(parts, axis=0) == 1).all()
    assert at_ms[parts[0]].max() < at_ms[parts[1]].min()
    assert at_ms[parts[1]].max() < at_ms[parts[2]].min()


def test_over_fewer_days_shares_of_the_rows_decide():
    at_ms = FIRST_DAY * DAY_MS + np.arange(1_000) * 1_000
    split = quick_split(at_ms, holdout=0.1)
    assert split.by == "shares"
    sizes = [int(part(at_ms).sum()) for part in (split.train, split.validate, split.report)]
    assert sizes == [800, 100, 100]


@pytest.mark.parametrize("pause_ms", [0, 60_000, DAY_MS])
@pytest.mark.parametrize("after", [1, 500, 9_500])
def test_a_pause_empties_no_part(pause_ms, after):
    """As when a platform shows nothing while its first bundle is trained, or at night."""
    at_ms = FIRST_DAY * DAY_MS + np.arange(10_000)
    at_ms[-after:] += pause_ms
    split = quick_split(at_ms, holdout=0.1)
    assert split.by == "shares"
    for part, count in ((split.train, 8_000), (split.validate, 1_000), (split.report, 1_000)):
        assert part(at_ms).sum() == count


@given(
    gaps=st.lists(st.integers(1, DAY_MS // 400), min_size=200, max_size=400),
    holdout=st.floats(0.01, 0.3),
)
def test_every_row_is_in_one_part_and_the_last_ones_are_the_share_that_was_asked_for(gaps, holdout):
    at_ms = FIRST_DAY * DAY_MS + np.cumsum(gaps)
    split = quick_split(at_ms, holdout)
    parts = np.stack([split.train(at_ms), split.validate(at_ms), split.report(at_ms)])
    assert (parts.sum(axis=0) == 1).all()
    assert parts[1].sum() == parts[2].sum() == round(len(gaps) * holdout)


@pytest.mark.parametrize("holdout", [0.01, 0.1, 0.25, 0.45])
def test_the_holdout_decides_over_fewer_than_four_days_and_has_no_effect_from_four_on(holdout):
    four = days(300, 300, 300, 300)
    assert quick_split(four, holdout) == quick_split(four, holdout=0.1)
    three = FIRST_DAY * DAY_MS + np.arange(3_000) * (3 * DAY_MS // 3_000)
    hardly_begun = three[-1] + np.arange(1, 6) * 1_000
    for at_ms in (three, np.concatenate([three, hardly_begun])):
        split = quick_split(at_ms, holdout)
        assert split.by == "shares"
        for part in (split.validate, split.report):
            assert part(at_ms).mean() == pytest.approx(holdout, abs=0.003)


def test_days_begin_where_the_offset_says():
    at_ms = np.array([FIRST_DAY * DAY_MS - 1, FIRST_DAY * DAY_MS])
    assert local_days(at_ms, 0).tolist() == [FIRST_DAY - 1, FIRST_DAY]
    beijing = FIRST_DAY * DAY_MS - 8 * HOUR_MS
    assert local_days(np.array([beijing - 1, beijing]), 8).tolist() == [FIRST_DAY - 1, FIRST_DAY]
    split = quick_split(days(100, 100, 100, 100, 100), 0.1, day_offset_h=8)
    assert split.validate_until_ms == (FIRST_DAY + 4) * DAY_MS - 8 * HOUR_MS


def test_a_day_that_has_hardly_begun_is_taken_together_with_the_one_before():
    at_ms = days(100, 100, 100, 100, 5)
    split = quick_split(at_ms, holdout=0.1)
    assert split.report(at_ms).sum() == 105
    assert len(day_bounds(at_ms, 0)) == 5


def test_rolling_scores_each_of_the_last_days_once():
    at_ms = days(*[80] * 7)
    splits = rolling_splits(at_ms, days=5)
    scored = np.sum([split.report(at_ms) for split in splits], axis=0)
    assert scored.tolist() == [0] * 160 + [1] * 400
    for split in splits:
        assert split.validate(at_ms).sum() == 80
        assert at_ms[split.validate(at_ms)].max() < at_ms[split.report(at_ms)].min()


def test_rolling_over_too_few_days_is_refused():
    with pytest.raises(InvalidInput, match="the rows cover 6 days; rolling over 5 needs 7"):
        rolling_splits(days(*[80] * 6), days=5)


@pytest.mark.parametrize("at_ms", [days(20, 20, 20, 20), days(3)])
def test_too_few_rows_are_refused_with_their_numbers(at_ms):
    with pytest.raises(InvalidInput, match="rows would train"):
        quick_split(at_ms, holdout=0.1)


def test_no_rows_are_refused():
    with pytest.raises(InvalidInput, match="no rows"):
        quick_split(np.empty(0, np.int64), holdout=0.1)
