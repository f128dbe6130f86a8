"""The console in a real browser, over a real port."""

import pytest
from console_screens import screen
from fake_backend import FakeBackend
from playwright.sync_api import Browser, expect

from playbill.contracts import EventType
from playbill.core import DependencyUnavailable

pytestmark = pytest.mark.service
FEED = "/console/?user_id=u-ada&size=20"


def test_watching_a_topic_changes_the_next_feed_without_loading_the_page(
    chromium: Browser, server: str, backend: FakeBackend
) -> None:
    with screen(chromium, server) as tab:
        page = tab.page
        tab.open("/console/")
        page.evaluate("window.stillHere = true")
        page.get_by_label("Viewer", exact=True).fill("u-ada")
        page.get_by_role("button", name="Show feed").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Feed of u-ada")
        expect(page.get_by_role("article")).to_have_count(20)

        page.get_by_role("button", name="Watch 3 about cooking").click()
        expect(page.locator(".is-done")).to_have_count(3)
        expect(page.locator("#announce")).to_contain_text("Sent: watched")
        page.locator("#like-0").click()
        expect(page.locator("#like-0")).to_contain_text("Liked")
        expect(page.locator(".sent")).to_have_text("Sent: watched 3, liked 1")
        expect(page.locator("#viewer")).to_contain_text("cooking")

        page.get_by_role("button", name="Next feed").click()
        expect(page.locator("#topics-heading")).to_have_text("What changed")
        expect(page.locator(".story")).to_contain_text("After you watched 3, liked 1")
        cooking = page.locator(".topic-row", has_text="cooking").locator(".topic-numbers")
        expect(cooking).to_have_text("before 20 % → now 40 %", use_inner_text=False)
        expect(page.locator("#announce")).to_contain_text("of them new")
        assert page.locator(".new").count() > 0
        assert page.evaluate("window.stillHere") is True

    assert [event.type for event in backend.events].count(EventType.WATCH) == 3
    assert len(backend.requests) == 2


def test_every_card_button_sends_its_act(
    chromium: Browser, server: str, backend: FakeBackend
) -> None:
    with screen(chromium, server) as tab:
        tab.open(FEED)
        for act, done in (("watch", "Watched"), ("skip", "Skipped"), ("hide", "Hidden")):
            tab.page.locator(f"#{act}-1").click()
            expect(tab.page.locator(f"#{act}-1")).to_contain_text(done)

    kinds = [event.type.value for event in backend.events]
    assert kinds == ["click", "watch", "skip", "hide"]
    assert {event.position for event in backend.events} == {1}


def test_keyboard_alone_is_enough(chromium: Browser, server: str, backend: FakeBackend) -> None:
    with screen(chromium, server) as tab:
        keyboard = tab.page.keyboard
        tab.open("/console/")
        keyboard.press("Tab")
        expect(tab.page.locator(".skip")).to_be_focused()
        keyboard.press("Enter")
        tab.tab_to("user_id")
        keyboard.type("u-ada")
        keyboard.press("Enter")
        expect(tab.page.get_by_role("article")).to_have_count(20)

        tab.tab_to("watch-0")
        outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        keyboard.press("Enter")
        expect(tab.page.locator("#watch-0.is-done")).to_be_focused()
        expect(tab.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        keyboard.press("Tab")
        assert tab.focused() == "like-0"
        keyboard.press("Space")
        expect(tab.page.locator("#like-0.is-done")).to_be_focused()

        tab.tab_to("next-feed", "Shift+Tab")
        keyboard.press("Enter")
        expect(tab.page.locator("#topics-heading")).to_have_text("What changed")
        expect(tab.page.locator("#next-feed")).to_be_focused()

    assert [event.type.value for event in backend.events] == ["click", "watch", "like"]


def test_everything_works_without_scripts(
    chromium: Browser, server: str, backend: FakeBackend
) -> None:
    with screen(chromium, server, scripts=False) as tab:
        page = tab.page
        tab.open("/console/")
        page.locator("#user_id").fill("u-ada")
        page.locator("#show-feed").click()
        expect(page.locator("article")).to_have_count(20)
        page.locator("#topics button", has_text="Watch 3").first.click()
        expect(page.locator(".is-done")).to_have_count(3)
        page.locator("#like-0").click()
        expect(page.locator("#like-0")).to_contain_text("Liked")
        assert page.url.endswith("#card-0")
        page.locator("#next-feed").click()
        expect(page.locator("#topics-heading")).to_have_text("What changed")
        expect(page.locator("#command-feed")).to_contain_text("curl 'http://127.0.0.1")
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)
        page.locator("#trace summary").click()
        page.get_by_role("link", name="Trace this request").click()
        expect(page.locator(".stages tbody tr")).to_have_count(8)

    assert len(backend.events) == 7


def test_trace_opens_in_its_panel(chromium: Browser, server: str, backend: FakeBackend) -> None:
    with screen(chromium, server) as tab:
        tab.open(FEED)
        assert backend.traced == []
        tab.page.locator("#trace summary").click()
        expect(tab.page.locator("#trace .stages tbody tr")).to_have_count(8)
        assert tab.page.url.endswith(FEED)

    assert len(backend.traced) == 1


def test_command_is_copied(chromium: Browser, server: str) -> None:
    with screen(chromium, server) as tab:
        tab.open(FEED)
        tab.page.get_by_role("button", name="Copy the command: Ask for this feed").click()
        expect(tab.page.locator("#announce")).to_have_text("Copied.")
        copied = tab.page.evaluate("navigator.clipboard.readText()")

    assert copied == f"curl '{server}/v1/feed?user_id=u-ada&size=20'"


def test_strip_refreshes_until_it_is_paused(
    chromium: Browser, server: str, backend: FakeBackend
) -> None:
    with screen(chromium, server) as tab:
        page = tab.page
        page.clock.install()
        tab.open("/console/")
        for _ in range(3):
            with page.expect_response("**/console/status"):
                page.clock.run_for(1_000)
        expect(page.locator("#curve-requests canvas")).to_have_count(1)
        expect(page.locator("#curve-latency canvas")).to_have_count(1)

        page.locator("#pause").click()
        expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
        asked = backend.status_asked
        page.clock.run_for(10_000)
        page.evaluate("fetch('/console/static/icon.svg').then((reply) => reply.text())")
        assert backend.status_asked == asked


def test_worse_health_is_announced(chromium: Browser, server: str, backend: FakeBackend) -> None:
    with screen(chromium, server) as tab:
        tab.page.clock.install()
        tab.open("/console/")
        expect(tab.page.locator("#health")).to_have_text("")
        backend.bundle = None
        tab.page.clock.run_for(1_000)
        expect(tab.page.locator("#health")).to_have_text("Serving without a model.")


def test_error_is_told_in_place_and_the_way_back_works(
    chromium: Browser, server: str, backend: FakeBackend
) -> None:
    with screen(chromium, server) as tab:
        tab.open(FEED)
        backend.raises = DependencyUnavailable("the user store is closed", hint="wait a little")
        tab.page.locator("#next-feed").click()
        expect(tab.page.locator("#problem")).to_contain_text("the user store is closed")
        expect(tab.page.locator("#announce")).to_have_text("the user store is closed")
        backend.raises = None
        tab.page.get_by_role("link", name="Back to the feed of u-ada").click()
        expect(tab.page.get_by_role("article")).to_have_count(20)
        # The browser itself reports a reply of 503; nothing else may be reported.
        assert len(tab.complaints) == 1
        assert "503" in tab.complaints.pop()


def test_answer_that_is_no_page_leaves_the_page_standing(chromium: Browser, server: str) -> None:
    with screen(chromium, server) as tab:
        tab.open(FEED)
        tab.page.route("**/act?*", lambda route: route.fulfill(status=500, body='{"error": {}}'))
        tab.page.locator("#like-0").click()
        expect(tab.page.locator("#trouble")).to_contain_text("status 500")
        expect(tab.page.get_by_role("article")).to_have_count(20)
        tab.page.unroute("**/act?*")
        tab.page.route("**/act?*", lambda route: route.abort())
        tab.page.locator("#like-0").click()
        expect(tab.page.locator("#trouble")).to_contain_text("does not answer")
        tab.complaints.clear()


def test_back_button_shows_a_feed_again(chromium: Browser, server: str) -> None:
    with screen(chromium, server) as tab:
        tab.open(FEED)
        tab.page.locator("#next-feed").click()
        expect(tab.page.locator("#topics-heading")).to_have_text("What changed")
        tab.page.go_back()
        expect(tab.page.locator("#topics-heading")).to_have_text("Topics in this feed")
        expect(tab.page.get_by_role("article")).to_have_count(20)


def test_titles_with_markup_run_nothing(
    chromium: Browser, server: str, backend: FakeBackend
) -> None:
    with screen(chromium, server) as tab:
        tab.open("/console/?user_id=%3Cscript%3Edocument.title%3D1%3C/script%3E&size=50")
        expect(tab.page.locator(".card h3", has_text="<script>").first).to_be_visible()
        assert tab.page.title() == "Feed of <script>document.title=1</script> · Playbill"
