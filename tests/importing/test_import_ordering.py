import pytest
from hypothesis import given
from hypothesis import strategies as st
from importing_worlds import mapped, play

from playbill.core import InvalidInput
from playbill.importing.ordering import RowEvents, merge_events, sort_events


def test_a_table_that_claims_to_be_sorted_is_held_to_it(tmp_path):
    rows = [play(1), play(1), play(2), play(1)]
    source = mapped(tmp_path, rows, is_sorted=True)
    with pytest.raises(InvalidInput, match=r"events.jsonl, line 4: an event at 1000 comes after"):
        list(source.events())
    sorted_source = mapped(tmp_path, rows[:3], is_sorted=True)
    assert [at_ms for at_ms, _ in sorted_source.events()] == [1_000, 1_000, 2_000]


def test_too_many_events_to_sort_are_refused_with_a_way_out():
    rows = [RowEvents(row, 0, [(0, {}), (0, {})]) for row in (1, 2)]
    with pytest.raises(InvalidInput, match="more than 3 events by line 2") as caught:
        sort_events(rows, "events.jsonl", limit=3)
    assert "sorted = true" in caught.value.hint


@given(
    gaps=st.lists(
        st.tuples(st.integers(0, 5), st.lists(st.integers(0, 9), max_size=3)), max_size=20
    )
)
def test_merging_a_sorted_table_gives_what_sorting_it_gives(gaps):
    rows, at_ms = [], 0
    for row, (gap, delays) in enumerate(gaps, start=1):
        at_ms += gap
        events = [(at_ms + delay, {"id": f"{row}-{n}"}) for n, delay in enumerate(delays)]
        rows.append(RowEvents(row, at_ms, events))
    merged, ordered = list(merge_events(rows, "t")), sort_events(rows, "t")
    assert [received for received, _ in merged] == [received for received, _ in ordered]
    assert sorted(str(pair) for pair in merged) == sorted(str(pair) for pair in ordered)
