import msgspec
from console_browsing import Browser, words_of
from fake_backend import FakeBackend
from fake_catalogue import NOW_MS

from playbill.contracts import Tier, VideoView
from playbill.core import DependencyUnavailable, FixedClock

FEED = "/console/?user_id=u-ada&size=8"


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

    facts = words_of(page, "reply-facts")[0]
    assert "Tier light" in facts
    assert "4.0 ms" in facts
    assert "ordered by the light scorer only" in words_of(page, "reply-more")[0]
    assert "heavy scorer deadline" in words_of(page, "reasons")[0]


def test_strip_says_how_the_deployment_does(browser: Browser) -> None:
    page = browser.get(FEED).page
    words = " ".join(page.by_id("deployment").text.split())

    for text in ("9f3ac41b7e", "made 5 h ago", "lag 84.0 ms", "120", "1 restart", "full 98.4 %"):
        assert text in words


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

    assert "no video" in words_of(page, "empty")[0]
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
    assert "no bundle" in words_of(page, "reply-more")[0]


def test_age_counts_from_the_instant_of_the_reply(browser: Browser, backend: FakeBackend) -> None:
    video: VideoView = backend.videos_by_id["v000"]
    backend.videos_by_id = {
        "v000": msgspec.structs.replace(video, created_at_ms=NOW_MS - 3 * 3_600_000)
    }

    assert "3 h" in words_of(browser.get(FEED).page, "byline")[0]
