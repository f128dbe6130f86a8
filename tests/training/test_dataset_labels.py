import msgspec
import pytest
from deltalake import DeltaTable
from training_worlds import SETTINGS, STARTED_AT_MS, LivingLog, foreign, video

from playbill.contracts import EventType
from playbill.core import MINUTE_MS, SECOND_MS
from playbill.events import encode_videos
from playbill.training import Dataset, build_dataset

SHOWN_AT_MS = STARTED_AT_MS + MINUTE_MS
WINDOW_MS = SETTINGS.labels.attribution_window_s * 1000


@pytest.fixture
def world():
    living = LivingLog()
    living.close([encode_videos([video(0), video(1, duration_ms=8_000)])], STARTED_AT_MS)
    return living


def shown(world, *requests, number=0, user=1, at_ms=SHOWN_AT_MS):
    """Show a video once a request, a second apart."""
    records = [
        world.event(
            EventType.IMPRESSION, user, number, at_ms + k * SECOND_MS,
            request=foreign(request) if request else 0,
        )
        for k, request in enumerate(requests)
    ]  # fmt: skip
    world.events(records, at_ms + 30 * SECOND_MS)


def built(world, folder, *columns):
    report = build_dataset(world.log, SETTINGS, folder)
    table = DeltaTable(str(folder / "training_rows")).to_pyarrow_dataset().to_table()
    table = table.sort_by("row_id")
    return report, *(table.column(name).to_pylist() for name in columns)


def test_an_outcome_within_the_window_is_joined_and_one_after_it_is_counted(world, tmp_path):
    shown(world, 1, 2)
    last_ms = SHOWN_AT_MS + WINDOW_MS
    in_time = world.event(EventType.CLICK, 1, 0, last_ms, request=foreign(1))
    too_late = world.event(EventType.CLICK, 1, 0, last_ms + SECOND_MS + 1, request=foreign(2))
    world.events([in_time, too_late], last_ms + MINUTE_MS)
    report, click, delay = built(world, tmp_path, "click", "label_delay_ms")
    assert click == [True, False]
    assert delay == [WINDOW_MS, None]
    assert (report.outcomes, report.joined, report.late, report.unmatched) == (2, 1, 1, 0)


def test_an_outcome_that_arrives_late_but_happened_in_time_is_joined(world, tmp_path):
    shown(world, 1)
    late = world.event(EventType.LIKE, 1, 0, SHOWN_AT_MS + MINUTE_MS, request=foreign(1))
    world.events([late], SHOWN_AT_MS + 10 * WINDOW_MS)
    report, like = built(world, tmp_path, "like")
    assert like == [True]
    assert (report.joined, report.late) == (1, 0)


def test_an_outcome_sent_twice_changes_nothing(world, tmp_path):
    shown(world, 1)
    at_ms = SHOWN_AT_MS + MINUTE_MS
    one = world.event(EventType.CLICK, 1, 0, at_ms, request=foreign(1), event=500)
    same_id = world.event(EventType.CLICK, 1, 0, at_ms, request=foreign(1), event=500)
    same_deed = world.event(EventType.CLICK, 1, 0, at_ms + 1, request=foreign(1))
    world.events([one, same_id, same_deed], at_ms + MINUTE_MS)
    report, click = built(world, tmp_path, "click")
    assert click == [True]
    assert report.labels.click == 1
    assert (report.outcomes, report.joined) == (2, 2)


def test_without_a_request_the_latest_showing_before_it_is_meant(world, tmp_path):
    shown(world, 0, 0, 0)
    at_ms = SHOWN_AT_MS + SECOND_MS + 500
    world.events([world.event(EventType.CLICK, 1, 0, at_ms)], SHOWN_AT_MS + MINUTE_MS)
    _, click, delay = built(world, tmp_path, "click", "label_delay_ms")
    assert click == [False, True, False]
    assert delay == [None, 500, None]


def test_what_belongs_to_no_showing_is_counted(world, tmp_path):
    shown(world, 1)
    at_ms = SHOWN_AT_MS + MINUTE_MS
    records = [
        world.event(EventType.CLICK, 1, 0, at_ms, request=foreign(9)),
        world.event(EventType.CLICK, 2, 0, at_ms, request=foreign(1)),
        world.event(EventType.CLICK, 1, 1, at_ms),
        world.event(EventType.CLICK, 1, 0, SHOWN_AT_MS - SECOND_MS),
        world.event(EventType.CLICK, 1, 7_777, at_ms),
    ]
    world.events(records, at_ms + MINUTE_MS)
    report, click = built(world, tmp_path, "click")
    assert click == [False]
    assert (report.outcomes, report.joined, report.unmatched) == (5, 0, 5)


def test_a_named_request_holds_against_a_clock_that_is_behind(world, tmp_path):
    shown(world, 1)
    early = world.event(EventType.CLICK, 1, 0, SHOWN_AT_MS - SECOND_MS, request=foreign(1))
    world.events([early], SHOWN_AT_MS + MINUTE_MS)
    _, click, delay = built(world, tmp_path, "click", "label_delay_ms")
    assert (click, delay) == ([True], [0])


@pytest.mark.parametrize(
    ("number", "watch_ms", "said", "long"),
    [
        (0, 17_999, 0, False),
        (0, 18_000, 0, True),
        (1, 7_999, 0, False),
        (1, 8_000, 0, True),
        (0, 1_000, 2, True),
        (0, 29_000, 1, False),
    ],
)
def test_a_view_is_long_as_the_platform_says_else_by_its_length(
    world, tmp_path, number, watch_ms, said, long
):
    shown(world, 1, number=number)
    at_ms = SHOWN_AT_MS + MINUTE_MS
    watch = world.event(
        EventType.WATCH, 1, number, at_ms, request=foreign(1), watch_ms=watch_ms, long_view=said
    )
    world.events([watch], at_ms + MINUTE_MS)
    report, found, lengths = built(world, tmp_path, "long_view", "watch_ms")
    assert (found, lengths) == ([long], [watch_ms])
    assert (report.labels.watched, report.labels.long_view) == (1, int(long))


def test_the_longest_of_several_watches_counts_and_no_watch_is_none(world, tmp_path):
    shown(world, 1, 2)
    at_ms = SHOWN_AT_MS + MINUTE_MS
    watches = [
        world.event(EventType.WATCH, 1, 0, at_ms + k, request=foreign(1), watch_ms=length)
        for k, length in enumerate([500, 9_000, 300])
    ]
    world.events(watches, at_ms + MINUTE_MS)
    _, lengths = built(world, tmp_path, "watch_ms")
    assert lengths == [9_000, None]


@pytest.mark.parametrize("kind", [EventType.HIDE, EventType.REPORT])
def test_hidden_and_reported_are_negative(world, tmp_path, kind):
    shown(world, 1)
    at_ms = SHOWN_AT_MS + MINUTE_MS
    world.events([world.event(kind, 1, 0, at_ms, request=foreign(1))], at_ms + MINUTE_MS)
    _, negative, click = built(world, tmp_path, "negative", "click")
    assert (negative, click) == ([True], [False])


def test_rows_whose_window_is_open_are_counted(world, tmp_path):
    shown(world, 1)
    shown(world, 2, at_ms=SHOWN_AT_MS + WINDOW_MS)
    report, _ = built(world, tmp_path, "click")
    assert (report.rows, report.requests, report.immature_rows) == (2, 2, 1)


def test_each_action_has_a_window_of_its_own(world, tmp_path):
    labels = msgspec.structs.replace(SETTINGS.labels, like_window_s=10 * WINDOW_MS // 1000)
    settings = msgspec.structs.replace(SETTINGS, labels=labels)
    shown(world, 1)
    at_ms = SHOWN_AT_MS + 5 * WINDOW_MS
    late = [
        world.event(kind, 1, 0, at_ms, request=foreign(1), watch_ms=20_000)
        for kind in (EventType.CLICK, EventType.LIKE, EventType.WATCH, EventType.HIDE)
    ]
    world.events(late, at_ms + MINUTE_MS)
    shown(world, 2, at_ms=at_ms)
    report = build_dataset(world.log, settings, tmp_path)
    assert (report.joined, report.late, report.labels.like) == (1, 3, 1)
    assert (report.labels.click, report.labels.negative, report.labels.watched) == (0, 0, 0)
    assert report.windows_s == {
        "click": WINDOW_MS // 1000,
        "long_view": WINDOW_MS // 1000,
        "like": 10 * WINDOW_MS // 1000,
        "negative": WINDOW_MS // 1000,
    }
    assert report.immature_rows == 2


def test_a_label_is_known_once_its_window_has_passed(world, tmp_path):
    labels = msgspec.structs.replace(SETTINGS.labels, like_window_s=3 * WINDOW_MS // 1000)
    settings = msgspec.structs.replace(SETTINGS, labels=labels)
    for at_ms in (SHOWN_AT_MS, SHOWN_AT_MS + 100 * WINDOW_MS):
        shown(world, 1, at_ms=at_ms)
    shown(world, 2, at_ms=SHOWN_AT_MS + 102 * WINDOW_MS)
    build_dataset(world.log, settings, tmp_path)
    rows = Dataset.open(tmp_path).rows()
    assert rows.known.tolist() == [[True] * 4, [True, True, False, True], [False] * 4]


def test_of_a_young_log_no_more_than_a_twentieth_is_waited_for(world, tmp_path):
    for minute in range(40):
        shown(world, minute + 1, at_ms=SHOWN_AT_MS + minute * MINUTE_MS)
    build_dataset(world.log, SETTINGS, tmp_path)
    known = Dataset.open(tmp_path).rows().known.all(axis=1)
    assert known.tolist() == [True] * 38 + [False] * 2


def test_rows_know_where_they_stood(world, tmp_path):
    at_ms = SHOWN_AT_MS
    records = [
        world.event(
            EventType.IMPRESSION, 1, 0, at_ms + k, request=foreign(k + 1), position=position
        )
        for k, position in enumerate((-1, 7))
    ]
    world.events(records, at_ms + MINUTE_MS)
    _, positions = built(world, tmp_path, "position")
    assert positions == [None, 7]
    assert Dataset.open(tmp_path).rows().positions.tolist() == [-1, 7]
