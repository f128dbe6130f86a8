"""The outermost border: whatever breaks behind it, a feed comes."""

import pytest

from playbill.app.border import Border
from playbill.contracts import FeedReply, FeedRequest, Priority, Tier
from playbill.core import (
    BrokenContract,
    DependencyUnavailable,
    FixedClock,
    InvalidInput,
    Overloaded,
)
from playbill.serving import Board
from playbill.serving.pressure import Pressure

SECRET = "what-the-client-sent"
BUGS = [ValueError(SECRET), BrokenContract(SECRET), DependencyUnavailable(SECRET), OSError(SECRET)]


class Breaking:
    """A service whose parts raise what they are given."""

    def __init__(self, feed, last_resort=None):
        self._feed = feed
        self._last_resort = last_resort

    def feed(self, message, *, recorded):
        assert recorded
        raise self._feed

    def last_resort(self, message, reason, *, recorded):
        assert recorded
        if self._last_resort is not None:
            raise self._last_resort
        return reply(Tier.POPULAR, reason)

    def static(self, message, reasons):
        return reply(Tier.STATIC, *reasons)


def reply(tier, reason):
    return FeedReply(
        request_id="0" * 16,
        served_at=1,
        tier=tier,
        reasons=[reason],
        bundle=None,
        items=[],
        cursor=None,
    )


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path / "board", create=True)


def answered(service, board, priority=Priority.INTERACTIVE):
    clock = FixedClock(0)
    border = Border(service, board.row(0), Pressure(clock, 20.0, 2.0), clock, lambda: None)
    return border.answer(FeedRequest(user_id=SECRET, priority=priority))


@pytest.mark.parametrize("error", BUGS)
def test_a_feed_that_breaks_comes_back_from_a_lower_tier(board, caplog, error):
    found = answered(Breaking(error), board)
    assert (found.tier, found.reasons) == (Tier.POPULAR, ["internal_error"])
    assert (board.total("errors"), board.total("feeds")) == (1, 1)
    (line,) = caplog.messages
    assert line.startswith("a feed broke: ")
    assert SECRET not in line


@pytest.mark.parametrize("error", [*BUGS, TypeError(SECRET), InvalidInput(SECRET)])
def test_a_last_resort_that_breaks_too_leaves_the_safe_list(board, caplog, error):
    found = answered(Breaking(ValueError(SECRET), error), board)
    assert (found.tier, found.reasons) == (Tier.STATIC, ["internal_error"])
    assert board.total("errors") == 2
    assert [line.partition(" broke")[0] for line in caplog.messages] == [
        "a feed",
        "the last resort of a feed",
    ]
    assert SECRET not in caplog.text


def test_bad_input_is_the_callers_to_hear_of(board, caplog):
    with pytest.raises(InvalidInput, match="no such region"):
        answered(Breaking(InvalidInput("no such region")), board)
    assert (board.total("errors"), board.total("feeds")) == (0, 0)
    assert caplog.messages == []


def test_a_prefetch_that_gives_way_is_counted_and_is_no_bug(board, caplog):
    refusal = Overloaded("people wait", code="gave_way", retry_after_s=2)
    with pytest.raises(Overloaded, match="people wait"):
        answered(Breaking(refusal), board, Priority.PREFETCH)
    counted = [board.total(name) for name in ("gave_way", "errors", "feeds")]
    assert counted == [1, 0, 0]
    assert caplog.messages == []


class Slow:
    """A service whose every feed takes its time."""

    def __init__(self, clock, ms):
        self._clock, self._ms = clock, ms

    def feed(self, message, *, recorded):
        self._clock.seconds += self._ms / 1000.0
        return reply(Tier.FULL, "made")


def test_pressure_is_felt_in_the_middle_of_a_turn(board):
    clock = FixedClock(0)
    pressure, told = Pressure(clock, 20.0, 2.0), []
    border = Border(Slow(clock, 5.0), board.row(0), pressure, clock, lambda: told.append(1))
    pressure.turn(0.01)
    for _ in range(3):
        border.answer(FeedRequest(user_id="u"))
    assert (pressure.tier, told) == (Tier.FULL, [])
    for _ in range(30):
        border.answer(FeedRequest(user_id="u"))
    assert pressure.tier is Tier.STATIC
    assert 3 <= len(told) <= 33 * 5.0 / 20.0
