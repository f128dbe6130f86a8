"""kill -9 at random moments: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import kill
from pathlib import Path

import pytest
import urllib3

from live_home import LiveHome, event, until
from playbill.app.supervisor import FIRST_WORKER
from playbill.app.updater_process import PLACE as UPDATER
from playbill.app.verbs import Home
from playbill.app.worker_process import COLLECTOR_PLACE
from playbill.contracts import EVENT_CODES, EventType
from playbill.features import Replay

LIKE = EVENT_CODES[EventType.LIKE]


class Ingest:
    """Posts batches of likes until stopped, again and again until each is acknowledged."""

    def __init__(self, live: LiveHome, videos: list[str], seed: int) -> None:
        self._live = live
        self._videos = videos
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: set[str] = set()
        self.sent = 0

    @contextmanager
    def running(self) -> Iterator[Ingest]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            batch = []
            for _ in range(20):
                number += 1
                user = f"person{self._random.randrange(40)}"
                batch.append(event("like", user, self._random.choice(self._videos), number))
            base = self._random.choice([self._live.url, self._live.collector])
            for _ in range(200):
                self.sent += 1
                with suppress(urllib3.exceptions.HTTPError, ValueError):
                    status, _reply = self._live.post("/v1/events", {"events": batch}, base)
                    if status == 202:
                        self.acknowledged.update(body["event_id"] for body in batch)
                        break
                if self._stopping.wait(0.02):
                    return
            with suppress(urllib3.exceptions.HTTPError, ValueError):
                self._live.get("/v1/feed", user_id=f"person{self._random.randrange(40)}")


def kill_one(live: LiveHome, dice: random.Random) -> str:
    victim = dice.choice(["updater", "worker", "collector", "supervisor"])
    if victim == "supervisor":
        live.kill_supervisor()
        live.start()
        return victim
    place = {"updater": UPDATER, "collector": COLLECTOR_PLACE, "worker": FIRST_WORKER}[victim]
    pid = live.pid(place)
    with suppress(ProcessLookupError):
        kill(pid, signal.SIGKILL)
    until(lambda: live.pid(place) != pid, f"the {victim} is replaced")
    return victim


def check(live: LiveHome, acknowledged: set[str]) -> None:
    home = Home(live.home)
    names = home.wiring.pseudonyms()
    expected = {names.event(event_id) for event_id in acknowledged}
    replay = Replay.from_nothing(home.wiring.log(), home.settings)
    stored: list[bytes] = []
    counted = 0
    for content in replay.contents():
        records = content.event_records()
        folded = replay.fold(content)
        assert folded.counted is not None
        counted += int(folded.counted.sum())
        stored += [row.tobytes() for row in records["event"]]
    assert expected <= set(stored), f"{len(expected - set(stored))} acknowledged events are lost"
    assert counted == len(set(stored)), "an event counts other than once"
    report = home.verify_state()
    assert report.equal, report


def crash(tmp_path: Path, kills: int, seed: int) -> None:
    live = LiveHome(tmp_path / "home")
    live.configure("[epochs]\ncheckpoint_s = 1\n")
    live.start()
    videos = live.post_videos(50)
    dice = random.Random(seed)
    with Ingest(live, videos, seed).running() as ingest:
        for _ in range(kills):
            before = len(ingest.acknowledged)
            until(lambda least=before: len(ingest.acknowledged) > least + 40, "ingest goes on")
            kill_one(live, dice)
        last = len(ingest.acknowledged)
        until(lambda: len(ingest.acknowledged) > last + 40, "ingest goes on after the last kill")
    live.ready()
    assert live.stop() == 0
    check(live, ingest.acknowledged)


def test_kills_at_random_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    crash(tmp_path, kills=6, seed=11)


@pytest.mark.long
def test_thirty_kills_at_random_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    crash(tmp_path, kills=30, seed=5)
