"""``python -m bench.promises``: how long the promised things take on this machine.

Freshness: from posting a video to being a candidate, from taking one down to its absence, from
three watches to a feed with more of their topic. Faults: how long a feed takes under each drill,
and how long a worker that hangs goes unnoticed.
"""

import http.client
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.__main__ import hardware
from bench.feeds import PORT
from bench.running import running
from playbill.app.supervisor import FIRST_WORKER, Supervisor
from playbill.app.verbs import Home
from playbill.serving import Drill

POSTED, TAKEN_DOWN, WATCHERS, FEEDS = 500, 50, 50, 300


class Server:
    """A connection that comes back when a worker goes."""

    def __init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of a reply."""
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, {"content-type": "application/json"})
        return json.loads(self._connection.getresponse().read())

    def feed(self, viewer: str, size: int = 20) -> Any:
        """Return a feed."""
        return self.call("GET", f"/v1/feed?user_id={viewer}&size={size}")

    def candidates(self, viewer: str) -> set[str]:
        """Return the candidates of a viewer's next feed."""
        preview = self.call("POST", "/v1/feed/preview", {"user_id": viewer})
        return {candidate["video_id"] for candidate in preview["candidates"]}


def waited_ms(holds: Callable[[], bool]) -> float:
    """Return how long it takes until something holds, looking again at once."""
    started_s = time.perf_counter()
    while not holds():
        if time.perf_counter() - started_s > 30.0:
            raise TimeoutError("never")
    return (time.perf_counter() - started_s) * 1000.0


def video(name: str) -> dict[str, Any]:
    """Return a video's body."""
    return {"video_id": name, "author_id": "bench", "topics": ["cooking"], "duration_ms": 60_000}


def some(server: Server) -> set[str]:
    """Return the candidates of two viewers: a seen filter may err about one of them."""
    return server.candidates("viewer-00001") | server.candidates("viewer-00003")


def posting(server: Server) -> list[float]:
    """Return milliseconds from each accepted post to being a candidate."""
    found = []
    for number in range(POSTED):
        name = f"bench-{time.time_ns()}-{number}"
        server.call("POST", "/v1/videos", video(name))
        found.append(waited_ms(lambda name=name: name in some(server)))
    return found


def taking_down(server: Server) -> list[float]:
    """Return milliseconds from each take-down to a feed's candidates without it."""
    found = []
    for name in sorted(server.candidates("viewer-00002"))[:TAKEN_DOWN]:
        server.call("DELETE", f"/v1/videos/{name}")
        found.append(waited_ms(lambda name=name: name not in server.candidates("viewer-00002")))
    return found


def watching(server: Server) -> list[float]:
    """Return milliseconds from three watches of a topic to a feed with more of it."""
    found = []
    for number in range(WATCHERS):
        viewer = f"bench-{time.time_ns()}"
        listed = [item["video_id"] for item in server.feed(viewer, 50)["items"]]
        topic = listed[-1].rsplit("-", 1)[0]
        watched = [name for name in listed if name.rsplit("-", 1)[0] == topic][:3]
        before = share(server.feed(viewer), topic)
        now_ms = int(time.time() * 1000)
        events = [
            {
                "event_id": f"{viewer}-{kind}-{name}",
                "type": kind,
                "user_id": viewer,
                "video_id": name,
                "at": now_ms,
                "watch_ms": 600_000,
            }
            for name in (watched * 3)[:3]
            for kind in ("click", "watch")
        ]
        server.call("POST", "/v1/events", {"events": events})
        try:
            found.append(
                waited_ms(lambda v=viewer, t=topic, b=before: share(server.feed(v), t) > b)
            )
        except TimeoutError:
            print(f"  viewer {number}: {topic} never rose above {before:.0%}")
    return found


def share(reply: Any, topic: str) -> float:
    """Return the share of a topic, which the simulated video ids begin with."""
    names = [item["video_id"].rsplit("-", 1)[0] for item in reply["items"]]
    return names.count(topic) / max(len(names), 1)


def drilled(server: Server, home: Home, drill: Drill) -> tuple[list[float], dict[str, int]]:
    """Return milliseconds of feeds while a part is broken, and their tiers."""
    home.drill(drill, 60.0)
    time.sleep(0.3)
    taken_ms: list[float] = []
    tiers: dict[str, int] = {}
    for number in range(FEEDS):
        started_s = time.perf_counter()
        reply = server.feed(f"viewer-{number:05d}")
        taken_ms.append((time.perf_counter() - started_s) * 1000.0)
        tiers[reply["tier"]] = tiers.get(reply["tier"], 0) + 1
    home.drill(drill, 0.0)
    return taken_ms, tiers


def hanging(supervisor: Supervisor, home: Home) -> tuple[float, float]:
    """Return seconds from a worker's last heartbeat to its end, and to its replacement serving."""
    board = supervisor._board  # noqa: SLF001
    pid = int(board.rows["pid"][FIRST_WORKER])
    waited_ms(lambda: board.rows["ready"][FIRST_WORKER + 2] == 1)
    home.drill(Drill.SCORER_HANGS, 60.0, FIRST_WORKER)
    last_s = 0.0
    while int(board.rows["pid"][FIRST_WORKER]) == pid and board.rows["ready"][FIRST_WORKER]:
        last_s = float(board.rows["beat_s"][FIRST_WORKER])
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=0.05)
            connection.request("GET", "/v1/feed?user_id=a")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            continue
    ended_s = time.monotonic() - last_s
    waited_ms(lambda: board.rows["ready"][FIRST_WORKER + 2] == 2)
    return ended_s, time.monotonic() - last_s


def show(what: str, taken_ms: list[float], note: str = "") -> None:
    """Print one row."""
    cuts = statistics.quantiles(taken_ms, n=100)
    print(
        f"{what:34}{len(taken_ms):6}{cuts[49]:10.1f}{cuts[94]:10.1f}{cuts[98]:10.1f}"
        f"{max(taken_ms):10.1f}   {note}"
    )


def main() -> None:
    """Measure all of it."""
    with running(workers=2) as supervisor:
        home = Home(supervisor.wiring.layout.home)
        server = Server()
        print(hardware())
        print(f"{'milliseconds':34}{'n':>6}{'p50':>10}{'p95':>10}{'p99':>10}{'max':>10}")
        show("posted video is a candidate", posting(server))
        show("video taken down is gone", taking_down(server))
        show("three watches raise their topic", watching(server))
        for drill in (Drill.SCORER_RAISES, Drill.SCORER_SLOW, Drill.LIGHT_RAISES, Drill.USERS_GONE):
            taken_ms, tiers = drilled(server, home, drill)
            show(f"feed during {drill.value}", taken_ms, str(tiers))
        ended_s, replaced_s = hanging(supervisor, home)
        print(
            f"hung worker: ended {ended_s:.2f} s after its last beat, replaced {replaced_s:.2f} s"
        )


if __name__ == "__main__":
    main()
