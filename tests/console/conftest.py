from collections.abc import Iterator

import pytest
from console_browsing import Browser
from console_screens import ARGUMENTS, CHROMIUM, require_chromium
from console_served import mounted, served
from fake_backend import FakeBackend
from fake_catalogue import NOW_MS
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from playbill.core import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW_MS)


@pytest.fixture
def backend(clock: FixedClock) -> FakeBackend:
    return FakeBackend(clock)


@pytest.fixture
def browser(backend: FakeBackend, clock: FixedClock) -> Browser:
    return Browser(mounted(backend, clock))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    require_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def server(chromium: Chromium, backend: FakeBackend, clock: FixedClock) -> Iterator[str]:
    with served(backend, clock) as address:
        yield address
