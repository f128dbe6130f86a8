import msgspec
from console_browsing import Browser, Page
from fake_backend import NOW_MS, FakeBackend

from playbill.contracts import EventType, Tier, VideoView
from playbill.core import DependencyUnavailable, FixedClock

FEED = "/console/?user_id=u-ada&size=8"


def texts(page: Page, name: str) -> list[str]:
    return [" ".join(element.text.split()) for element in page.with_class(name)]


def test_first_page_invites_to_pick_a_viewer(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get("/console/").page

    assert [option.attributes["value"] for option in page.all("option")] == backend.users
    assert backend.requests == []
    assert "Three steps" in page.by_id("try-heading").text


def test_without_examples_no_random_viewer_is_offered(
    browser: Browser, backend: FakeBackend
) -> None:
    backend.users = []

    page = browser.get("/console/").page

    assert page.all("button", value="any") == []
    assert page.all("button", value="new")


def test_random_viewer_is_an_example_other_than_the_present_one(
    browser: Browser, backend: FakeBackend, clock: FixedClock
) -> None:
    places = set()
    for _ in range(20):
        clock.advance(1)
        reply = browser.get("/console/?pick=any&user_id=u-ada&size=5")
        places.add(reply.headers["location"])

    assert places == {
        "/console/?user_id=u-grace&size=5",
        "/console/?user_id=u-linus&size=5",
    }


def test_new_viewer_is_one_never_seen(browser: Browser, clock: FixedClock) -> None:
    first = browser.get("/console/?pick=new").headers["location"]
    clock.advance(1)
    second = browser.get("/console/?pick=new").headers["location"]

    assert first.startswith("/console/?user_id=visitor-")
    assert first != second


def test_feed_is_asked_as_the_address_says(browser: Browser, backend: FakeBackend) -> None:
    browser.get("/console/?user_id=u-ada&size=3&surface=home&region=north&personalised=false")

    (request,) = backend.requests
    assert (request.user_id, request.size, request.surface) == ("u-ada", 3, "home")
    assert (request.region, request.personalised) == ("north", False)


def test_card_says_what_the_reply_and_the_catalogue_say(
    browser: Browser, backend: FakeBackend
) -> None:
    page = browser.get(FEED).page
    cards = page.with_class("card")
    item = backend._reply(backend.requests[0]).items[5]
    video = backend.videos_by_id[item.video_id]
    words = " ".join(cards[5].text.split())

    assert len(cards) == 8
    for text in (video.title, video.author_id, *video.topics, f"{item.score:.3f}", item.source):
        assert text in words
    assert item.because in words
    assert "propensity 0.043" in words
    assert "propensity" not in cards[0].text


def test_status_line_names_tier_latency_and_reasons_in_words(
    browser: Browser, backend: FakeBackend
) -> None:
    backend.tier = Tier.LIGHT
    backend.reasons = ["heavy_scorer_deadline"]

    page = browser.get(FEED).page

    facts = texts(page, "reply-facts")[0]
    assert "Tier light" in facts
    assert "4.0 ms" in facts
    assert "ordered by the light scorer only" in texts(page, "reply-more")[0]
    assert "heavy scorer deadline" in texts(page, "reasons")[0]


def test_strip_says_how_the_deployment_does(browser: Browser) -> None:
    page = browser.get(FEED).page
    words = " ".join(page.by_id("deployment").text.split())

    for text in ("9f3ac41b7e", "made 5 h ago", "lag 84.0 ms", "120", "1 restart", "full 98.4 %"):
        assert text in words


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
    assert texts(after_hide, "is-done")[0].startswith("Liked")
    assert texts(after_hide, "is-done")[1].startswith("Hidden")
    assert "liked 1, hidden 1" in texts(after_hide, "sent")[0]
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
    assert "After you watched 3," in texts(after, "story")[0]
    cooking = next(row for row in texts(after, "topic-row") if row.startswith("cooking"))
    assert "before 20 %" in cooking
    assert "now 40 %" in cooking
    assert len(after.with_class("new")) == int(texts(after, "reply-facts")[0].split()[-2])
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


def test_names_and_titles_are_text_and_never_markup(browser: Browser, backend: FakeBackend) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    video = backend.videos_by_id["v000"]
    backend.videos_by_id = {
        "v000": msgspec.structs.replace(video, title=evil, author_id=evil, topics=[evil])
    }
    backend.reasons = [evil]

    html = (
        browser.get("/console/", {}).body
        + browser.get("/console/?user_id=%3Cscript%3Ealert(1)%3C%2Fscript%3E").body
    )

    assert b"<script>alert" not in html
    assert b"<img" not in html
    assert html.count(b"&lt;script&gt;alert(1)") >= 4


def test_video_that_the_catalogue_lost_can_be_hidden_but_not_watched(
    browser: Browser, backend: FakeBackend
) -> None:
    page = browser.get(FEED).page
    first = backend._reply(backend.requests[0]).items[0].video_id
    kept = dict(backend.videos_by_id)
    backend.videos = lambda ids: [  # type: ignore[method-assign]
        None if video_id == first else kept[video_id] for video_id in ids
    ]

    page = browser.get(FEED).page

    assert "not in the catalogue" in page.with_class("card")[0].text
    assert page.all("button", value="watch.0") == []
    assert browser.press(page, "act", "hide.0").status == 200


def test_empty_feed_is_said_so(browser: Browser, backend: FakeBackend) -> None:
    backend.videos_by_id = {}
    backend.tier = Tier.STATIC

    page = browser.get(FEED).page

    assert "no video" in texts(page, "empty")[0]
    assert page.with_class("tier-static")[0].text.strip().endswith("static")


def test_viewer_panel_shows_what_was_learned(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get("/console/?user_id=u-ada&size=20").page
    assert "Nothing yet" in page.by_id("viewer").text
    browser.press(page, "topic", "cooking")

    panel = browser.get("/console/viewer?user_id=u-ada").page.by_id("viewer")

    assert "3.0 long views" in " ".join(panel.text.split())
    assert "cooking" in panel.text
    assert "region north" in " ".join(panel.text.split())


def test_unreadable_profile_and_status_leave_the_feed_standing(
    browser: Browser, backend: FakeBackend
) -> None:
    backend.profile_raises = DependencyUnavailable("the user store is closed")
    backend.status_raises = DependencyUnavailable("no heart beats")

    reply = browser.get(FEED)

    assert reply.status == 200
    assert len(reply.page.with_class("card")) == 8
    assert "the user store is closed" in reply.page.by_id("viewer").text
    assert "no heart beats" in reply.page.by_id("deployment").text


def test_trace_is_a_table_of_whatever_the_stages_report(
    browser: Browser, backend: FakeBackend
) -> None:
    page = browser.get("/console/trace?user_id=u-ada&size=8").page

    assert [cell.text for cell in page.all("th", scope="col")] == [
        "name", "kind", "in", "out", "ms", "note",
    ]  # fmt: skip
    assert [cell.text for cell in page.all("th", scope="row")][3] == "seen"
    assert "12 seen" in page.by_id("trace-result").text
    assert '{"item": 7, "user": 6}' in page.by_id("trace-result").text
    assert len(backend.traced) == 1
    assert backend.requests == []


def test_bundle_that_is_missing_is_said_so(browser: Browser, backend: FakeBackend) -> None:
    backend.bundle = None

    page = browser.get(FEED).page

    assert "no model ranks yet" in page.by_id("deployment").text
    assert "Serving without a model." in page.by_id("deployment").text
    assert "no bundle" in texts(page, "reply-more")[0]


def test_age_counts_from_the_instant_of_the_reply(browser: Browser, backend: FakeBackend) -> None:
    video: VideoView = backend.videos_by_id["v000"]
    backend.videos_by_id = {
        "v000": msgspec.structs.replace(video, created_at_ms=NOW_MS - 3 * 3_600_000)
    }

    assert "3 h" in texts(browser.get(FEED).page, "byline")[0]
