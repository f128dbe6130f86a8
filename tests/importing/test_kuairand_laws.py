from collections import Counter

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from importing_worlds import DAY, exposure, video, watched, write_kuairand

from playbill.contracts import Event
from playbill.importing import KuaiRand
from playbill.importing.kuairand_history import last_matches
from playbill.importing.showings import request_keys


@given(
    keys=st.lists(st.integers(0, 4), max_size=12), wanted=st.lists(st.integers(0, 4), max_size=12)
)
def test_the_last_places_of_a_key_match_as_often_as_it_is_wanted(keys, wanted):
    left = Counter(wanted)
    naive = [False] * len(keys)
    for place in reversed(range(len(keys))):
        naive[place] = left[keys[place]] > 0
        left[keys[place]] -= 1
    found = last_matches(np.array(keys, dtype=np.int64), np.array(wanted, dtype=np.int64))
    assert found.tolist() == naive


_FLAG = st.integers(0, 1)
_EXPOSURES = st.builds(
    exposure,
    user_id=st.integers(0, 4),
    video_id=st.integers(0, 3),
    time_ms=st.integers(DAY, DAY + 200_000),
    tab=st.integers(0, 14),
    is_click=_FLAG,
    is_like=_FLAG,
    is_follow=_FLAG,
    is_hate=_FLAG,
    long_view=_FLAG,
    play_time_ms=st.integers(0, 150_000),
)
_PAST = st.builds(
    watched,
    st.integers(0, 4),
    st.integers(DAY - 1_000_000, DAY + 10_000),
    st.lists(st.integers(0, 3), max_size=6),
    like=st.lists(st.integers(0, 3), max_size=3),
    long=st.lists(st.integers(0, 3), max_size=3),
)


@settings(max_examples=40, deadline=None)
@given(exposures=st.lists(_EXPOSURES, min_size=1, max_size=30), past=st.lists(_PAST, max_size=5))
def test_events_come_in_order_and_every_outcome_a_minute_after_its_impression(
    tmp_path_factory, exposures, past
):
    folder = tmp_path_factory.mktemp("kuairand")
    write_kuairand(folder, exposures, [video(video_id=n) for n in range(4)], past)
    source = KuaiRand(folder)
    events = list(source.events())
    assert [at_ms for at_ms, _ in events] == sorted(at_ms for at_ms, _ in events)
    assert all(at_ms == body["at"] for at_ms, body in events)
    assert len({body["event_id"] for _, body in events}) == len(events)
    assert len(events) == source.tally.count("events").expected
    shown = {
        body["request_id"]: (at_ms, body["user_id"], body["video_id"])
        for at_ms, body in events
        if body["type"] == "impression"
    }
    for at_ms, body in events:
        msgspec.convert(body, Event, strict=True)
        shown_at_ms, *who = shown[body["request_id"]]
        assert who == [body["user_id"], body["video_id"]]
        if body["type"] != "impression":
            assert at_ms >= shown_at_ms + 60_000
        if "watch_ms" in body and not body["event_id"].startswith("kr-h"):
            assert at_ms >= shown_at_ms + body["watch_ms"]
    assert events == list(KuaiRand(folder).events())


def test_request_keys_are_split_mix_chained_over_the_columns():
    def mix(value):
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
        return value ^ (value >> 31)

    expected = 0x9E3779B97F4A7C15
    for number in (3, 14, DAY):
        expected = mix(((expected ^ number) + 0x9E3779B97F4A7C15) % 2**64)
    columns = [np.array([number], dtype=np.int64) for number in (3, 14, DAY)]
    assert request_keys(*columns).tolist() == [expected]
