"""Servers that leave: whoever was let in gets a reply, and another one is there before they go."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from wire import Line, head

from live_home import LiveHome, event, until
from playbill.app.supervisor import FIRST_WORKER
from playbill.app.worker_process import COLLECTOR_PLACE
from playbill.serving import DRAINING, SERVING, WARM

HOST = "host: localhost"
FEED = head("GET /v1/feed?user_id=u HTTP/1.1", HOST)
PATIENT = "[http]\ndrain_s = 2.0\nhang_s = 10.0\n"
"""Longer than a client of a busy machine is kept from asking again, or a process from beating."""
READY = head("GET /readyz HTTP/1.1", HOST)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[LiveHome]:
    live = LiveHome(tmp_path / "home")
    yield live
    if live.process is not None and live.process.poll() is None:
        live.stop()


def serving(live: LiveHome) -> set[int]:
    """Return the process ids that serve feeds."""
    rows = live.board().rows
    return {int(row["pid"]) for row in rows if row["ready"] == SERVING}


def a_standby_is_warm(live: LiveHome) -> None:
    """Wait until every worker serves, and one process more is ready to."""
    rows = live.board().rows
    until(
        lambda: len(serving(live)) == live.workers and WARM in rows["ready"][FIRST_WORKER:],
        "all workers serve, and a standby is warm",
    )


def likes(number: int) -> bytes:
    body = json.dumps({"events": [event("like", "u", "v", number)]}).encode()
    length = f"content-length: {len(body)}"
    return head("POST /v1/events HTTP/1.1", HOST, "content-type: application/json", length) + body


class Crowd:
    """Clients that ask without a pause, on new connections and on kept ones.

    A client goes on a new connection when the last reply said that the old one ends, and only then.
    """

    def __init__(self, live: LiveHome) -> None:
        self.statuses: Counter[int] = Counter()
        self.moved = 0
        self.failures: list[str] = []
        self._over = False
        feed: Callable[[int], bytes] = lambda number: FEED  # noqa: E731
        asking = [(live.port, feed, kept) for kept in (True, True, False, False)]
        asking += [(live.port + 1, likes, kept) for kept in (True, False)]
        self._threads = [threading.Thread(target=self._ask, args=one) for one in asking]

    @contextmanager
    def asking(self) -> Iterator[Crowd]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._over = True
            for thread in self._threads:
                thread.join()

    def asked_on(self, more: int) -> None:
        """Wait until so many requests more were answered."""
        goal = self.statuses.total() + more
        until(lambda: self.failures or self.statuses.total() >= goal, "the crowd asks on")

    def _ask(self, port: int, request: Callable[[int], bytes], kept: bool) -> None:
        number = 0
        try:
            while not self._over:
                with Line(port) as line:
                    goes_on = True
                    while goes_on and not self._over:
                        number += 1
                        reply = line.say(request(number)).reply()
                        self.statuses[reply.status] += 1
                        ends = reply.headers.get("connection") == "close"
                        self.moved += ends
                        goes_on = kept and not ends
        except (OSError, ConnectionError) as error:
            self.failures.append(f"{port} {kept} {error!r}")


def test_servers_are_renewed_one_by_one_and_no_request_is_lost(made: LiveHome) -> None:
    made.workers = 2
    made.configure(PATIENT)
    made.start()
    a_standby_is_warm(made)
    before, collector = serving(made), made.pid(COLLECTOR_PLACE)
    assert len(before) == 2
    assert made.process is not None
    with Crowd(made).asking() as crowd:
        crowd.asked_on(100)
        made.process.send_signal(signal.SIGHUP)
        until(lambda: not before & serving(made), "both workers are others")
        until(lambda: made.pid(COLLECTOR_PLACE) != collector, "the collector is another")
        until(lambda: len(serving(made)) == 2, "two serve")
        crowd.asked_on(500)
    assert crowd.failures == []
    assert set(crowd.statuses) == {200, 202}
    assert crowd.moved > 0
    assert "hung" not in made.output.read_text()
    assert made.output.read_text().count("ended with status 0") == 3


def test_a_worker_that_is_told_to_stop_is_replaced_before_it_has_left(made: LiveHome) -> None:
    made.configure(PATIENT)
    made.start()
    a_standby_is_warm(made)
    (first,) = serving(made)
    with Crowd(made).asking() as crowd:
        crowd.asked_on(50)
        os.kill(first, signal.SIGTERM)
        until(lambda: (now := serving(made)) and first not in now, "the standby serves")
        until(lambda: "ended with status 0" in made.output.read_text(), "the old one has left")
        crowd.asked_on(200)
    assert crowd.failures == []
    assert set(crowd.statuses) == {200, 202}


def test_without_a_standby_those_who_come_wait_for_the_next_worker(made: LiveHome) -> None:
    """The second finds no standby, and nobody who was let in is lost all the same."""
    made.start()
    a_standby_is_warm(made)
    (first,) = serving(made)
    os.kill(first, signal.SIGTERM)
    (second,) = until(lambda: serving(made) - {first}, "the standby serves")
    os.kill(second, signal.SIGTERM)
    until(lambda: second not in [int(row["pid"]) for row in made.board().rows], "both have left")
    with Line(made.port) as line:
        assert line.say(FEED).reply().status == 200


def test_before_it_leaves_it_says_so_and_serves_on(made: LiveHome) -> None:
    made.configure(PATIENT)
    made.start()
    assert made.process is not None
    kept = [Line(port).say(READY) for port in (made.port, made.port + 1)]
    assert [line.reply().status for line in kept] == [200, 200]
    made.process.send_signal(signal.SIGTERM)
    rows = made.board().rows
    until(
        lambda: all(rows["ready"][place] == DRAINING for place in (COLLECTOR_PLACE, FIRST_WORKER)),
        "both are told",
    )
    for port, old in zip((made.port, made.port + 1), kept, strict=True):
        with Line(port) as new, old:
            for line in (new, old):
                told = line.say(READY).reply()
                assert (told.status, told.code) == (503, "draining")
                assert (told.headers["connection"], told.headers["retry-after"]) == ("close", "1")
                assert line.ended()
    with Line(made.port) as line:
        reply = line.say(FEED).reply()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert made.process.wait(60) == 0
    with pytest.raises(ConnectionRefusedError):
        Line(made.port)


def test_what_is_under_way_is_finished(made: LiveHome) -> None:
    made.configure("[http]\ndrain_s = 0.0\n")
    made.start()
    assert made.process is not None
    lines = [Line(port) for port in (made.port, made.port + 1)]
    for line in lines:
        line.say(likes(1)[:-10])
    with lines[0], lines[1]:
        made.process.send_signal(signal.SIGTERM)
        rows = made.board().rows
        until(lambda: DRAINING in rows["ready"], "they are told")
        for line in lines:
            reply = line.say(likes(1)[-10:]).reply()
            assert (reply.status, json.loads(reply.body)["accepted"]) == (202, 1)
    assert made.process.wait(60) == 0
