"""What a feed calls its videos, with a store of words and without."""

import pytest

from laws.feature_worlds import World, video
from laws.serving_worlds import PresentUsers, served
from playbill.contracts import FeedRequest
from playbill.core import DependencyUnavailable

LONG = "a-very-long-id-of-a-platform-that-likes-them-" * 2


class Store(PresentUsers):
    """Counts what is asked of it, and vanishes when told."""

    asked = 0
    broken = False

    def texts(self, keys):
        Store.asked += len(keys)
        if Store.broken:
            raise DependencyUnavailable("gone")
        return super().texts(keys)


@pytest.fixture
def feeds(monkeypatch):
    monkeypatch.setattr(Store, "asked", 0)
    monkeypatch.setattr(Store, "broken", False)
    world = World(users=Store())
    world.post(*(video(f"v{n}", f"author{n}", ()) for n in range(30)), video(LONG, "long", ()))
    world.step()
    return served(world)


def ids(feeds, size=31):
    return {item.video_id for item in feeds.service.feed(FeedRequest(user_id="u", size=size)).items}


def test_feeds_name_videos_without_asking_the_store(feeds):
    found = ids(feeds)
    assert found == {LONG, *(f"v{n}" for n in range(30))}
    assert Store.asked <= 1, "only the id that is too long to lie beside the records"


def test_without_a_store_all_but_ids_that_are_too_long_are_named(feeds):
    Store.broken = True
    assert ids(feeds) == {f"v{n}" for n in range(30)}
    ((_, shown),) = feeds.kept.records
    assert len(shown) == 30, "what is recorded is what was shown"


def test_a_name_that_was_found_once_is_not_asked_for_again(feeds):
    texts = feeds.service.texts
    assert texts.author_name(2) == texts.author_name(2) == "author2"
    assert Store.asked == 1
    Store.broken = True
    assert texts.author_name(2) == "author2"
    assert texts.author_name(3) is None
    assert texts.author(3) == "?"
    Store.broken = False
    assert texts.author_name(3) == "author3"
