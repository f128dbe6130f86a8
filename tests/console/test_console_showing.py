"""What a browser keeps for the console comes back as it was, or not at all."""

import json
import shlex
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from fake_catalogue import NOW_MS
from hypothesis import given
from hypothesis import strategies as st

from playbill.console.showing import (
    MAX_SEALED_CHARS,
    Act,
    Deed,
    Shown,
    remembered,
    seal,
    unseal,
)
from playbill.console.snippets import event_snippet, feed_snippet
from playbill.contracts import Event, FeedItem, FeedReply, FeedRequest, Tier

TOKEN = "t" * 43
names = st.text(min_size=1, max_size=128)
items = st.builds(
    FeedItem,
    video_id=names,
    position=st.integers(0, 49),
    score=st.floats(allow_nan=False, allow_infinity=False, width=32),
    source=st.sampled_from(["ann", "fresh"]),
    propensity=st.floats(0, 1),
    because=st.text(max_size=80),
)
feeds = st.builds(
    Shown,
    request=st.builds(FeedRequest, user_id=names, region=st.none() | names),
    reply=st.builds(
        FeedReply,
        request_id=st.just("0123456789abcdef"),
        served_at=st.just(NOW_MS),
        tier=st.sampled_from(Tier),
        reasons=st.lists(st.text(max_size=20), max_size=3),
        bundle=st.none() | names,
        items=st.lists(items, max_size=12),
        cursor=st.none() | st.text(max_size=40),
    ),
    took_ms=st.floats(0, 1e6),
    deeds=st.lists(st.builds(Deed, st.integers(0, 49), st.sampled_from(Act)), max_size=9),
)


@given(shown=feeds)
def test_what_was_sealed_comes_back_as_it_was(shown: Shown) -> None:
    assert unseal(seal(shown, TOKEN), TOKEN) == shown


@given(shown=feeds, other=st.text(min_size=1, max_size=43))
def test_another_browsers_feed_does_not_open(shown: Shown, other: str) -> None:
    if other != TOKEN:
        assert unseal(seal(shown, TOKEN), other) is None


@given(shown=feeds, place=st.integers(0, 10_000), letter=st.sampled_from("AZaz09-_"))
def test_a_changed_letter_opens_nothing_else(shown: Shown, place: int, letter: str) -> None:
    sealed = seal(shown, TOKEN)
    place %= len(sealed)

    assert unseal(sealed[:place] + letter + sealed[place + 1 :], TOKEN) in (None, shown)


@given(text=st.text(max_size=200))
def test_text_of_no_browser_opens_nothing(text: str) -> None:
    assert unseal(text, TOKEN) is None


def test_too_long_a_text_is_not_even_read() -> None:
    assert unseal("A" * (MAX_SEALED_CHARS + 1), TOKEN) is None


@given(shown=feeds)
def test_what_the_next_feed_remembers_is_videos_and_deeds(shown: Shown) -> None:
    kept = remembered(shown)

    assert kept.deeds == shown.deeds
    assert [item.video_id for item in kept.reply.items] == [
        item.video_id for item in shown.reply.items
    ]
    assert not any(item.because for item in kept.reply.items)


def test_a_full_feed_fits_an_address() -> None:
    shown = Shown(
        request=FeedRequest(user_id="u" * 128, size=50),
        reply=FeedReply(
            request_id="0123456789abcdef",
            served_at=NOW_MS,
            tier=Tier.FULL,
            reasons=[],
            bundle="sha256:" + "0" * 64,
            items=[
                FeedItem(
                    video_id=f"{place:x}" * 16,
                    position=place,
                    score=1 / (place + 1),
                    source="ann",
                    propensity=1.0,
                    because="You watched astronomy to the end.",
                )
                for place in range(50)
            ],
            cursor=None,
        ),
        took_ms=1.0,
    )

    assert len(seal(shown, TOKEN)) < 4_000


@given(shown=feeds)
def test_commands_say_what_the_page_did(shown: Shown) -> None:
    name, url = shlex.split(feed_snippet("http://127.0.0.1:8700", shown.request).text)
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)

    assert name == "curl"
    assert url.startswith("http://127.0.0.1:8700/v1/feed?")
    assert query["user_id"] == [shown.request.user_id]

    snippet = event_snippet("http://127.0.0.1:8700", shown)
    if not shown.reply.items:
        assert snippet is None
        return
    assert snippet is not None
    words = shlex.split(snippet.text)
    (event,) = json.loads(words[words.index("-d") + 1])["events"]
    assert msgspec.convert(event, Event).video_id == shown.reply.items[0].video_id


@pytest.mark.parametrize("region", ["north", None])
def test_command_leaves_out_what_was_not_asked(region: str | None) -> None:
    text = feed_snippet("http://h", FeedRequest(user_id="u", region=region)).text

    assert ("region" in text) is (region is not None)
    assert "personalised" not in text
