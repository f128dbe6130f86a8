"""No raw identity comes to rest anywhere."""

from __future__ import annotations

from pathlib import Path

from live_home import LiveHome, event, until

USERS = [f"jane.doe+{number}@example.org" for number in range(500)]


def batches(videos: list[str]) -> list[list[dict[str, object]]]:
    kinds = ("click", "watch", "like", "hide", "share")
    events = []
    for number in range(10_000):
        user = USERS[number % len(USERS)]
        body = event(kinds[number % 5], user, videos[number % len(videos)], number)
        body["session_id"] = f"visit-of-{user}"
        body["watch_ms"] = 20_000
        body["device_owner"] = user
        events.append(body)
    return [events[first : first + 500] for first in range(0, 10_000, 500)]


def broken(number: int) -> dict[str, object]:
    user = USERS[number]
    return [
        {"event_id": f"bad-{number}", "type": "watch", "user_id": user, "at": 1},
        {"event_id": user, "type": user, "user_id": user, "at": 1},
        {"event_id": "x", "type": "like", "user_id": [user], "at": {user: 1}},
        {"event_id": "y", "type": "like", "user_id": user, "video_id": "v1", "surface": user},
    ][number % 4]


def test_ten_thousand_events_leave_no_user_id_in_any_file_or_log_line(tmp_path: Path) -> None:
    live = LiveHome(tmp_path / "home").start()
    videos = live.post_videos(50)
    for batch in batches(videos):
        status, reply = live.post("/v1/events", {"events": batch}, live.collector)
        assert (status, reply["accepted"]) == (202, 500)
    status, reply = live.post("/v1/events", {"events": [broken(n) for n in range(200)]})
    assert (status, len(reply["rejected"])) == (202, 200)
    live.post("/v1/events", f'{{"events": [{{"user_id": "{USERS[0]}"'.encode())
    facts = [{"user_id": user, "follows": ["author1"], "age": 33} for user in USERS[:50]]
    assert live.post("/v1/users", facts)[0] == 202
    for user in USERS[:30]:
        live.feed(user, session_id=f"visit-of-{user}")
        live.get("/v1/feed", user_id=user, surface=user)
        live.get("/v1/feed", user=user)
    until(lambda: live.status()["epoch_age_ms"] > 300, "the last epoch is folded")
    shared = [path for path in live.layout.run.rglob("*") if path.is_file()]
    seen = {path: path.read_bytes() for path in shared}
    assert live.stop() == 0
    seen |= {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(seen) > 8
    for path, content in seen.items():
        assert b"jane.doe" not in content, path
