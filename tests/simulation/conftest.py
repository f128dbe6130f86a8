import pytest
from feed_stubs import STARTED_AT_MS, StubServer

from playbill.simulation import World, WorldSettings, make_world


@pytest.fixture(scope="session")
def small() -> WorldSettings:
    return WorldSettings(
        seed=11, videos=3_000, arrivals=60, users=900, authors=150, arrivals_per_day=1_000.0
    )


@pytest.fixture(scope="session")
def world(small: WorldSettings) -> World:
    return make_world(small, STARTED_AT_MS)


@pytest.fixture
def server():
    with StubServer() as stub:
        yield stub
