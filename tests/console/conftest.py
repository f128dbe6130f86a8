import pytest
from console_browsing import Browser
from console_served import mounted
from fake_backend import NOW_MS, FakeBackend

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
