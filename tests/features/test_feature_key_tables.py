"""Key tables against dictionaries and sets, and how long an event id is remembered."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.core import DAY_MS, HOUR_MS
from playbill.features.key_table import KeyTable, RecentIds, number_ids

T0 = 1_700_000_000_000

# Few distinct values, so that keys meet; both ends of 64 bits, so that signs matter.
keys = st.integers(1, 12) | st.integers((1 << 64) - 12, (1 << 64) - 1)
calls = st.lists(st.lists(keys, max_size=20, unique=True), max_size=6)


def _array(values) -> np.ndarray:
    return np.array(values, np.uint64)


def _ids(names) -> np.ndarray:
    """Return (N, 2) ids of which neither half says enough."""
    return np.array([(name % 7, name // 7 + 1) for name in names], np.uint64).reshape(-1, 2)


@law(100)
@given(calls=calls)
def test_a_key_table_is_a_dictionary(calls):
    table, known = KeyTable(), {}
    for call in calls:
        new = [key for key in call if key not in known]
        rows = np.arange(len(known), len(known) + len(new))
        table.put(_array(new), rows)
        known.update(zip(new, rows.tolist(), strict=True))
        wanted = [*call, *known, 99, 0]
        assert table.find(_array(wanted)).tolist() == [known.get(key, -1) for key in wanted]


def test_a_key_table_grows_and_forgets_nothing():
    table = KeyTable()
    random = np.random.default_rng(3)
    many = np.unique(random.integers(1, 1 << 63, 20_000).astype(np.uint64))
    for first in range(0, len(many), 777):
        part = many[first : first + 777]
        table.put(part, np.arange(first, first + len(part)))
    assert (table.find(many) == np.arange(len(many))).all()
    assert (table.find(many + np.uint64(1))[~np.isin(many + np.uint64(1), many)] == -1).all()


def test_one_large_put_into_a_small_table_finds_room():
    table = KeyTable()
    table.put(_array(range(1, 100_001)), np.arange(100_000))
    assert (table.find(_array(range(1, 100_001))) == np.arange(100_000)).all()


@law(100)
@given(names=st.lists(st.integers(0, 30), max_size=40))
def test_equal_ids_get_equal_numbers_in_order_of_appearance(names):
    numbers, firsts = number_ids(_ids(names))
    distinct = list(dict.fromkeys(names))
    assert numbers.tolist() == [distinct.index(name) for name in names]
    assert firsts.tolist() == [names.index(name) for name in distinct]


def test_numbering_more_ids_than_the_smallest_table_holds():
    names = [n % 5_000 for n in range(20_000)]
    numbers, firsts = number_ids(_ids(names))
    assert numbers.tolist() == names
    assert firsts.tolist() == list(range(5_000))


def test_of_two_equal_ids_in_one_call_the_first_is_fresh():
    fresh = RecentIds().add(_ids([1, 2, 1, 3, 2, 1]), T0)
    assert fresh.tolist() == [True, True, False, True, False, False]


adds = st.lists(
    st.tuples(
        st.sampled_from(
            [0, 1, HOUR_MS, 11 * HOUR_MS, DAY_MS - 1, DAY_MS, 30 * HOUR_MS, 9 * DAY_MS]
        ),
        st.lists(st.integers(0, 5), max_size=4),
    ),
    max_size=25,
)


@law(300)
@given(adds=adds)
def test_an_id_is_remembered_for_a_day_at_least_and_two_at_most(adds):
    recent, taken_at_ms, now_ms = RecentIds(), {}, T0
    for after_ms, names in adds:
        now_ms += after_ms
        for name, fresh in zip(names, recent.add(_ids(names), now_ms), strict=True):
            age_ms = now_ms - taken_at_ms[name] if name in taken_at_ms else None
            if age_ms is None or age_ms > 2 * DAY_MS:
                assert fresh
            elif age_ms < DAY_MS:
                assert not fresh
            if fresh:
                taken_at_ms[name] = now_ms


@law(100)
@given(adds=adds, more=adds)
def test_restored_ids_go_on_as_the_others_would(adds, more):
    recent, now_ms = RecentIds(), T0
    for after_ms, names in adds:
        now_ms += after_ms
        recent.add(_ids(names), now_ms)
    other = RecentIds()
    other.restore(recent.began_at_ms, [table.copy() for table in recent.tables])
    for after_ms, names in more:
        now_ms += after_ms
        ids = _ids(names)
        assert recent.add(ids, now_ms).tolist() == other.add(ids, now_ms).tolist()


def test_a_full_day_of_ids_grows_the_table_and_survives_the_turn():
    recent = RecentIds()
    names = list(range(5_000))
    for first in range(0, 5_000, 500):
        assert recent.add(_ids(names[first : first + 500]), T0 + first).all()
    assert not recent.add(_ids(names), T0 + DAY_MS - 1).any()
    assert not recent.add(_ids(names), T0 + DAY_MS + HOUR_MS).any()
    assert recent.add(_ids(names), T0 + 3 * DAY_MS).all()


def test_ids_may_be_kept_for_longer_than_a_day():
    recent = RecentIds(3 * DAY_MS)
    recent.add(_ids([1]), T0)
    assert recent.add(_ids([1, 2]), T0 + 3 * DAY_MS - 1).tolist() == [False, True]
