"""Events and videos posted at a pace, by a process of its own, from bodies made beforehand."""

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import msgspec
import numpy as np

from playbill.app.clock import SystemClock
from playbill.benchmarks.connections import Connections
from playbill.benchmarks.world import REGIONS, TOPICS, video_name, viewer_name

BATCH = 1_000
_KINDS = ("watch", "click", "like", "skip")
_SHARES = (0.55, 0.3, 0.1, 0.05)
_READY_S = 120.0
_NICE = 10
"""What measures feeds shares its core with this, and must not wait for it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is posted, and to whom.

    ``run`` sets the ids of one run apart from those of others; ``at_ms`` is when all events say
    they happened.
    """

    port: int
    seconds: float
    events_per_s: float
    videos_per_s: float
    viewers: int
    """Viewers who act, numbers from 0."""
    videos: int
    """Videos acted upon, rows from 0."""
    run: str
    at_ms: int
    seed: int = 5

    def events(self) -> Iterator[bytes]:
        """Yield the bodies of 1,000 events each."""
        random = np.random.default_rng(self.seed)
        for number in range(int(self.seconds * self.events_per_s / BATCH)):
            viewers = random.integers(self.viewers, size=BATCH).tolist()
            videos = random.integers(self.videos, size=BATCH).tolist()
            kinds = random.choice(len(_KINDS), BATCH, p=_SHARES).tolist()
            watched_ms = random.integers(1_000, 60_000, BATCH).tolist()
            yield msgspec.json.encode(
                {
                    "events": [
                        {
                            "event_id": f"{self.run}-{number}-{place}",
                            "type": _KINDS[kind],
                            "user_id": viewer_name(viewer),
                            "video_id": video_name(video),
                            "at": self.at_ms,
                            "region": REGIONS[viewer % len(REGIONS)],
                            "watch_ms": watch_ms,
                        }
                        for place, (viewer, video, kind, watch_ms) in enumerate(
                            zip(viewers, videos, kinds, watched_ms, strict=True)
                        )
                    ]
                }
            )

    def video_id(self, number: int) -> str:
        """Return the id of one of the posted videos."""
        return f"new-{self.run}-{number}"

    def posted_videos(self) -> Iterator[bytes]:
        """Yield the bodies of one video each."""
        for number in range(int(self.seconds * self.videos_per_s)):
            yield msgspec.json.encode(
                {
                    "video_id": self.video_id(number),
                    "author_id": f"author{number % 50}",
                    "topics": [f"topic{number % TOPICS}"],
                    "duration_ms": 30_000,
                }
            )


class Posted(msgspec.Struct):
    """What became of it: when each video was due (monotonic clock), and how many were refused."""

    events: int
    failed: int
    seconds: float
    due_s: list[float]


@contextmanager
def poster(plan: Plan) -> Iterator[Connection]:
    """Start a process that has its bodies ready; it begins when it is sent anything.

    Afterwards it sends a ``Posted``.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_post, args=(theirs, plan), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(_READY_S):
            raise TimeoutError("the posting process did not get ready")
        ours.recv()
        yield ours
    finally:
        ours.close()
        process.join(1.0)
        process.kill()
        process.join()


def _post(told: Connection, plan: Plan) -> None:
    events = [_request("/v1/events", body) for body in plan.events()]
    videos = [_request("/v1/videos", body) for body in plan.posted_videos()]
    os.nice(_NICE)
    told.send("ready")
    told.recv()
    told.send(asyncio.run(_posted(plan, events, videos)))


def _request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _posted(plan: Plan, events: list[bytes], videos: list[bytes]) -> Posted:
    connections = Connections("127.0.0.1", plan.port)
    clock = SystemClock()
    began_s = clock.elapsed_s()

    async def one(request: bytes) -> bool:
        try:
            status, _ = await connections.answer(request)
        except (OSError, TimeoutError):
            return False
        return status == 202

    async def all_of(requests: list[bytes], every_s: float) -> list[bool]:
        tasks = []
        for number, request in enumerate(requests):
            await asyncio.sleep(began_s + number * every_s - clock.elapsed_s())
            tasks.append(asyncio.ensure_future(one(request)))
        return list(await asyncio.gather(*tasks))

    every_s = 1.0 / plan.videos_per_s if videos else 0.0
    taken, listed = await asyncio.gather(
        all_of(events, BATCH / plan.events_per_s), all_of(videos, every_s)
    )
    seconds = clock.elapsed_s() - began_s
    await connections.close()
    return Posted(
        events=BATCH * sum(taken),
        failed=len(taken) + len(listed) - sum(taken) - sum(listed),
        seconds=seconds,
        due_s=[began_s + number * every_s for number in range(len(videos))],
    )
