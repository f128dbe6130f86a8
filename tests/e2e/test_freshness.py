"""What was posted, taken down or watched shows in the next feed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from live_home import LiveHome, event, until, video
from trained_home import copy_of


@pytest.fixture(scope="module")
def live(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    server = copy_of(template, tmp_path_factory.mktemp("fresh") / "home")
    server.start()
    yield server
    server.stop()


def candidates(live: LiveHome, viewer: str) -> set[str]:
    _, preview = live.post("/v1/feed/preview", {"user_id": viewer, "size": 20})
    return {candidate["video_id"] for candidate in preview["candidates"]}


def some_candidates(live: LiveHome) -> set[str]:
    """Candidates of three viewers: the seen filter may take a new video for one that one saw."""
    return set().union(*(candidates(live, f"viewer{number}") for number in range(3)))


def test_a_posted_video_becomes_a_candidate(live: LiveHome) -> None:
    for number in range(20):
        name = f"fresh{number}"
        assert live.post("/v1/videos", video(name))[0] == 202
        until(lambda name=name: name in some_candidates(live), f"{name} is a candidate")


def test_a_video_taken_down_is_in_no_feed_any_more(live: LiveHome) -> None:
    gone = [item["video_id"] for item in live.feed("viewer2")["items"][:5]]
    for name in gone:
        reply = live.pool.request("DELETE", f"{live.url}/v1/videos/{name}")
        assert reply.status == 202
    until(lambda: not live.get(f"/v1/videos/{gone[-1]}")[1]["visible"], "the epoch is folded")
    for number in range(40):
        shown = {item["video_id"] for item in live.feed(f"viewer{number}", size=50)["items"]}
        assert shown.isdisjoint(gone)
    _, trending = live.get("/v1/trending", size=100)
    assert {item["video_id"] for item in trending["items"]}.isdisjoint(gone)


def test_three_watches_of_one_topic_raise_its_share_of_the_next_feed(live: LiveHome) -> None:
    """Within two seconds; previews, so that looking changes nothing."""
    topic, rises = 3, 0
    for number in range(10):
        viewer = f"newcomer{number}"
        before = share(previewed(live, viewer), topic)
        watched = [
            event("watch", viewer, f"v{10 * n + topic}", n, watch_ms=30_000) for n in range(3)
        ]
        clicks = [event("click", viewer, f"v{10 * n + topic}", n) for n in range(3)]
        assert live.post("/v1/events", {"events": clicks + watched})[0] == 202
        with suppress(AssertionError):
            until(lambda v=viewer, b=before: share(previewed(live, v), topic) > b, "it rises", 2)
            rises += 1
    assert rises >= 9


def previewed(live: LiveHome, viewer: str) -> dict[str, object]:
    status, told = live.post("/v1/feed/preview", {"user_id": viewer})
    assert status == 200
    reply = told["reply"]
    assert isinstance(reply, dict)
    return reply


def test_pages_do_not_repeat(live: LiveHome) -> None:
    first = live.feed("viewer5", size=20)
    second = live.feed("viewer5", size=20, cursor=first["cursor"])
    third = live.feed("viewer5", size=20, cursor=second["cursor"])
    names = [item["video_id"] for page in (first, second, third) for item in page["items"]]
    assert len(set(names)) == len(names)


def share(reply: dict[str, object], topic: int) -> float:
    items = reply["items"]
    assert isinstance(items, list)
    here = [item for item in items if int(item["video_id"].lstrip("vfresh")) % 10 == topic]
    return len(here) / len(items)
