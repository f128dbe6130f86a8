"""Pages at phone and desk width, light and dark, in a real browser."""

import pytest
from console_screens import CONTRAST, screen
from fake_backend import FakeBackend
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.service
FEED = "/console/?user_id=u-ada&size=20"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_and_can_be_read(
    chromium: Browser, server: str, backend: FakeBackend, width: int, scheme: str
) -> None:
    backend.reasons = ["heavy_scorer_deadline", "item_state_stale"]
    backend.users.append("a-viewer-whose-id-is-as-long-as-it-may-be-" + "x" * 86)
    with screen(chromium, server, width=width, scheme=scheme) as tab:
        for path in ("/console/", "/console/trace?user_id=u-ada", FEED):
            tab.open(path)
            assert not tab.scrolls_sideways(), path
            assert tab.page.evaluate(CONTRAST) == []
        tab.page.locator("#topics button").first.click()
        expect(tab.page.locator(".is-done")).not_to_have_count(0)
        tab.page.locator("#next-feed").click()
        expect(tab.page.locator("#topics-heading")).to_have_text("What changed")
        tab.page.locator("#trace summary").click()
        expect(tab.page.locator(".stages")).to_be_visible()
        assert not tab.scrolls_sideways()
        assert tab.page.evaluate(CONTRAST) == []
        tab.open("/console/?user_id=" + backend.users[-1])
        assert not tab.scrolls_sideways()
