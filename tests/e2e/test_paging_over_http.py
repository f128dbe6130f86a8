"""Cursors over HTTP: any worker reads them, also after a restart, and for their reader only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from live_home import LiveHome

VISIT = {"surface": "shorts", "session_id": "visit-1"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    server = LiveHome(tmp_path_factory.mktemp("paging") / "home", workers=2)
    server.configure('surfaces = ["home", "shorts"]\n[serving.policies.shorts]\nauthor_cap = 1\n')
    server.start()
    server.post_videos(60)
    yield server
    server.stop()


def names(page: dict) -> list[str]:
    return [item["video_id"] for item in page["items"]]


def test_pages_go_on_from_one_another_on_any_worker_and_after_a_restart(live: LiveHome) -> None:
    page = live.feed("ada", size=10, **VISIT)
    shown = names(page)
    for number in range(3):
        if number == 2:
            live.stop()
            live.start()
        live.pool.clear()
        page = live.feed("ada", size=10, cursor=page["cursor"], **VISIT)
        shown += names(page)
    assert len(shown) == len(set(shown)) == 40


@pytest.mark.parametrize(
    ("user", "changed", "code"),
    [
        ("bob", {}, "cursor_invalid"),
        ("ada", {"surface": "home"}, "cursor_invalid"),
        ("ada", {"session_id": "visit-2"}, "cursor_invalid"),
        ("ada", {"cursor": lambda cursor: cursor[:-4]}, "cursor_invalid"),
        ("ada", {"cursor": lambda cursor: "MU-ySQ0cigc1QP4L2g"}, "cursor_expired"),
    ],
    ids=["viewer", "surface", "session", "truncated", "earlier-version"],
)
def test_a_cursor_that_is_not_the_readers_is_a_clear_400(
    live: LiveHome, user: str, changed: dict, code: str
) -> None:
    cursor = live.feed("ada", size=5, **VISIT)["cursor"]
    wrong = changed.get("cursor", lambda same: same)(cursor)
    query = {"user_id": user, "size": 5, **VISIT, **changed, "cursor": wrong}
    status, reply = live.get("/v1/feed", **query)
    assert status == 400, reply
    assert reply["error"]["code"] == code
    assert reply["error"]["field"] == "cursor"
    assert "first page" in reply["error"]["hint"]
    assert "ada" not in str(reply)
