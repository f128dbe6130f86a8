"""Pages: what a reader sees from the first to the last, while videos arrive and are seen."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.reading import Reading, numbers, reading_settings
from playbill.contracts import Tier
from playbill.core import InvalidInput
from playbill.privacy import MemoryKeyStore, Pseudonyms

HOURS = 3_600_000


@law(15)
@given(
    count=st.integers(30, 90),
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=6),
    arrivals=st.lists(st.integers(0, 30), min_size=6, max_size=6),
    folded=st.booleans(),
)
def test_no_video_comes_twice_and_none_that_was_posted_since_comes_while_others_are_left(
    count, sizes, arrivals, folded
):
    home = Reading(count, reading_settings())
    cursor, shown = None, []
    for size, more in zip(sizes, arrivals, strict=False):
        page = home.ask(size=size, cursor=cursor)
        cursor = page.cursor
        shown += numbers(page)
        assert len(page.items) == size
        if folded:
            home.post(more)
    assert len(shown) == len(set(shown))
    assert max(shown) < count


def test_at_the_end_of_the_feed_comes_what_was_posted_since():
    home = Reading(6, reading_settings())
    first = home.ask(size=6)
    home.post(3)
    second = home.ask(size=6, cursor=first.cursor)
    assert sorted(numbers(second)) == [6, 7, 8]
    assert "catalogue_exhausted" not in second.reasons
    third = home.ask(size=6, cursor=second.cursor)
    assert third.items == []


def test_many_pages_do_not_repeat_a_video():
    """Thirty pages of twenty: what the cursor remembers; the filter remembers far less."""
    home = Reading(700, reading_settings(explore_quota=400, fresh_quota=400))
    cursor, shown = None, []
    for _ in range(30):
        page = home.ask(size=20, cursor=cursor)
        cursor = page.cursor
        shown += numbers(page)
        home.post(0)
    assert len(shown) == len(set(shown)) == 600
    assert len(cursor) < 4_000


def test_a_new_first_page_takes_in_what_was_posted():
    home = Reading(10, reading_settings())
    home.ask(size=5)
    home.post(20)
    assert max(numbers(home.ask(size=20))) >= 10


def test_a_static_page_hands_the_cursor_back_so_the_feed_goes_on_from_there():
    home = Reading(30, reading_settings())
    first = home.ask(size=5)
    state, home.service.state.shared = home.service.state.shared, None
    between = home.ask(size=5, cursor=first.cursor)
    assert between.tier is Tier.STATIC
    home.service.state.shared = state
    after = home.ask(size=5, cursor=between.cursor)
    assert not set(numbers(first)) & set(numbers(after))


def test_what_the_request_excludes_stays_away_on_every_page():
    home = Reading(30, reading_settings())
    away = [f"v{number}" for number in range(0, 30, 2)]
    first = home.ask(size=5, exclude=away)
    second = home.ask(size=5, exclude=away, cursor=first.cursor)
    assert all(number % 2 for number in numbers(first) + numbers(second))


def test_a_floor_is_kept_over_many_short_pages():
    """No page of two has half a place for one in four, but every second page has one."""
    settings = reading_settings(creator_floor=0.25, creator_impressions=1, explore_share=0.0)
    home = Reading(40, settings)
    home.known_authors(first=1)
    cursor, shown = None, []
    for _ in range(6):
        page = home.ask(size=2, cursor=cursor)
        cursor = page.cursor
        shown += numbers(page)
        assert "creator_floor_short" not in page.reasons
    little = [number % 5 == 0 for number in shown]
    assert all(sum(little[:end]) >= end // 4 for end in range(0, 13, 2))


def test_a_floor_that_nobody_can_fill_is_said():
    home = Reading(10, reading_settings(creator_floor=0.5, creator_impressions=1))
    home.known_authors(first=0)
    assert "creator_floor_short" in home.ask(size=4).reasons


def test_what_was_shown_is_held_back_until_the_viewer_has_rested():
    home = Reading(8, reading_settings(repeat_rest_h=24))
    first = numbers(home.ask(size=4))
    home.post(0)
    second = home.ask(size=4)
    assert not set(numbers(second)) & set(first)
    home.post(0)
    home.world.clock.advance(23 * HOURS)
    assert "catalogue_exhausted" in home.ask(size=4).reasons
    home.world.clock.advance(25 * HOURS)
    rested = home.ask(size=4)
    assert "catalogue_exhausted" not in rested.reasons
    assert len(rested.items) == 4


def test_who_had_rested_at_the_first_page_has_on_the_next_ones_too():
    home = Reading(8, reading_settings(repeat_rest_h=24))
    home.ask(size=8)
    home.post(0)
    home.world.clock.advance(25 * HOURS)
    first = home.ask(size=4)
    home.post(0)
    second = home.ask(size=4, cursor=first.cursor)
    assert "catalogue_exhausted" not in second.reasons
    assert sorted(numbers(first) + numbers(second)) == list(range(8))


def test_what_was_acted_upon_is_held_back_after_a_rest_too():
    home = Reading(8, reading_settings(repeat_rest_h=24))
    home.ask(size=8)
    home.world.act(home.world.event("click", "ann", "v3"))
    home.post(0)
    home.world.clock.advance(25 * HOURS)
    assert 3 not in numbers(home.ask(size=7))


@dataclass(frozen=True)
class Reader:
    """Who asks, where, in which visit."""

    viewer: str = "ann"
    surface: str | None = "home"
    session_id: str | None = "visit-1"


def _home() -> Reading:
    return Reading(30, reading_settings(("home", "shorts"), cursor_age_s=3_600))


def _page(home: Reading, reader: Reader, cursor: str | None):
    return home.ask(
        reader.viewer,
        surface=reader.surface,
        session_id=reader.session_id,
        size=5,
        cursor=cursor,
    )


@pytest.mark.parametrize(
    "other",
    [
        Reader(viewer="bob"),
        Reader(surface="shorts"),
        Reader(session_id="visit-2"),
        Reader(session_id=None),
    ],
)
def test_a_cursor_of_another_viewer_surface_or_session_is_refused_without_saying_whose(other):
    home = _home()
    cursor = _page(home, Reader(), None).cursor
    with pytest.raises(InvalidInput, match="for this viewer, surface and session") as caught:
        _page(home, other, cursor)
    assert (caught.value.code, caught.value.field) == ("cursor_invalid", "cursor")
    assert "none for the first page" in caught.value.hint
    assert "ann" not in caught.value.message + caught.value.hint
    assert _page(home, Reader(), cursor).items


@law(60)
@given(place=st.integers(0, 10_000), letter=st.sampled_from("Aa0-_=~ä"), cut=st.integers(0, 10_000))
def test_an_altered_or_truncated_cursor_is_refused(place, letter, cut):
    home = _home()
    cursor = _page(home, Reader(), None).cursor
    place %= len(cursor)
    altered = cursor[:place] + letter + cursor[place + 1 :]
    for wrong in {altered, cursor[: cut % len(cursor)], cursor + letter} - {cursor}:
        if wrong.rstrip("=") == cursor:
            continue
        with pytest.raises(InvalidInput, match="cursor") as caught:
            _page(home, Reader(), wrong)
        assert caught.value.code in ("cursor_invalid", "cursor_expired")
        assert caught.value.field == "cursor"


@law(60)
@given(text=st.text(max_size=60))
def test_a_text_that_is_no_cursor_is_refused(text):
    with pytest.raises(InvalidInput, match="cursor") as caught:
        _page(_HOME, Reader(), text)
    assert caught.value.code in ("cursor_invalid", "cursor_expired")


_HOME = _home()


def test_a_cursor_of_an_earlier_version_says_to_start_again():
    earlier = "MU-ySQ0cigc1QP4L2g"
    with pytest.raises(InvalidInput, match="an earlier version") as caught:
        _page(_home(), Reader(), earlier)
    assert caught.value.code == "cursor_expired"
    assert "first page" in caught.value.hint


def test_a_cursor_is_good_for_a_while_after_the_first_page():
    home = _home()
    first = _page(home, Reader(), None)
    home.world.clock.advance(1_800_000)
    second = _page(home, Reader(), first.cursor)
    home.world.clock.advance(1_800_000)
    assert _page(home, Reader(), second.cursor).items
    home.world.clock.advance(1)
    with pytest.raises(InvalidInput, match="3,600 s ago") as caught:
        _page(home, Reader(), second.cursor)
    assert caught.value.code == "cursor_expired"
    assert "ask without a cursor" in caught.value.hint


def test_a_clock_that_was_set_back_does_not_spoil_a_cursor():
    home = _home()
    first = _page(home, Reader(), None)
    home.world.clock.advance(-60_000)
    assert _page(home, Reader(), first.cursor).items


def test_any_process_of_the_home_reads_a_cursor_and_another_home_does_not():
    home = _home()
    cursor = _page(home, Reader(), None).cursor
    home.service = home.server(home.world.settings)
    assert _page(home, Reader(), cursor).items
    stranger = Pseudonyms(MemoryKeyStore(b"another home").secret("pseudonym"))
    home.service = home.server(home.world.settings, stranger)
    with pytest.raises(InvalidInput, match="not issued by this server"):
        _page(home, Reader(), cursor)


def test_a_cursor_shows_nobody_what_it_holds():
    """Two that differ in one video have nothing in common but their version."""
    home = _home()
    one = _page(home, Reader(), None).cursor
    home.world.clock.advance(1)
    two = _page(home, Reader(), None).cursor
    assert one[:1] == two[:1]
    assert sum(a == b for a, b in zip(one[2:], two[2:], strict=True)) < len(one) // 4
