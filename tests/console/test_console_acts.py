from console_browsing import Browser, words_of
from fake_backend import FakeBackend

from playbill.contracts import EventType
from playbill.core import FixedClock

FEED = "/console/?user_id=u-ada&size=8"


def test_watch_sends_a_click_and_a_long_watch_of_the_whole_video(
    browser: Browser, backend: FakeBackend, clock: FixedClock
) -> None:
    page = browser.get(FEED).page
    item = backend._reply(backend.requests[0]).items[2]

    browser.press(page, "act", "watch.2")

    click, watch = backend.events
    assert (click.type, watch.type) == (EventType.CLICK, EventType.WATCH)
    for event in (click, watch):
        assert (event.user_id, event.video_id) == ("u-ada", item.video_id)
        assert event.position == 2
        assert event.request_id is not None
        assert event.at == clock.now_ms()
    assert watch.watch_ms == backend.videos_by_id[item.video_id].duration_ms
    assert watch.long_view is True
    assert click.event_id != watch.event_id


def test_pressing_twice_sends_the_same_event_id(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get(FEED).page

    browser.press(page, "act", "like.0")
    browser.press(page, "act", "like.0")

    first, second = backend.events
    assert first.event_id == second.event_id


def test_acting_shows_the_same_feed_with_what_was_sent(
    browser: Browser, backend: FakeBackend
) -> None:
    page = browser.get(FEED).page
    after_like = browser.press(page, "act", "like.0").page
    after_hide = browser.press(after_like, "act", "hide.3").page

    assert len(backend.requests) == 1
    assert words_of(after_hide, "is-done")[0].startswith("Liked")
    assert words_of(after_hide, "is-done")[1].startswith("Hidden")
    assert "liked 1, hidden 1" in words_of(after_hide, "sent")[0]
    assert after_hide.by_id("announce").text.startswith("Sent: hidden ")
    titles = [heading.text for heading in page.all("h3")]
    assert [heading.text for heading in after_hide.all("h3")][:8] == titles[:8]


def test_redirect_after_an_act_leads_to_its_card(browser: Browser) -> None:
    page = browser.get(FEED).page

    reply = browser.post(browser.action(page), {**page.fields("acts"), "act": "skip.4"})

    assert reply.status == 303
    assert reply.headers["location"].endswith("#card-4")


def test_watching_a_topic_watches_three_of_it(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get("/console/?user_id=u-ada&size=20").page
    topic = page.all("button", name="topic")[0].attributes["value"]

    browser.press(page, "topic", topic)

    watched = [event for event in backend.events if event.type is EventType.WATCH]
    assert len(watched) == 3
    assert all(backend.videos_by_id[event.video_id or ""].topics[0] == topic for event in watched)


def test_next_feed_shows_topic_shares_before_and_after(
    browser: Browser, backend: FakeBackend
) -> None:
    page = browser.get("/console/?user_id=u-ada&size=20").page
    assert "Topics in this feed" in page.by_id("topics-heading").text
    acted = browser.press(page, "topic", "cooking").page

    after = browser.next_feed(acted).page

    assert "What changed" in after.by_id("topics-heading").text
    assert "After you watched 3," in words_of(after, "story")[0]
    cooking = next(row for row in words_of(after, "topic-row") if row.startswith("cooking"))
    assert "before 20 %" in cooking
    assert "now 40 %" in cooking
    assert len(after.with_class("new")) == int(words_of(after, "reply-facts")[0].split()[-2])
    assert after.with_class("new")


def test_comparison_is_with_the_same_viewer_only(browser: Browser) -> None:
    page = browser.get(FEED).page
    fields = {**page.fields("next"), "user_id": "u-grace"}

    other = browser.get("/console/?user_id=u-grace&before=" + fields["before"]).page

    assert "Topics in this feed" in other.by_id("topics-heading").text


def test_feed_of_another_browser_is_asked_for_anew(browser: Browser, backend: FakeBackend) -> None:
    sealed = browser.get(FEED).page.fields("acts")["now"]
    browser.cookies.clear()

    reply = browser.get(f"/console/shown?user_id=u-ada&size=8&now={sealed}")

    assert reply.status == 303
    assert reply.headers["location"] == "/console/?user_id=u-ada&size=8"
