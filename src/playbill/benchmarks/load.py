"""Load over HTTP on kept-alive connections: a closed loop for capacity, an open one for latency.

In the open loop requests are due at random instants that do not wait for replies, and latency
counts from the instant a request was due, so that a server that stalls cannot hide it.
"""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from playbill.benchmarks.alarm import Alarm
from playbill.benchmarks.connections import Connections
from playbill.benchmarks.cores import steal_ms
from playbill.core import Clock

_TIER = re.compile(rb'"tier":"([a-z]+)"')
_BUNDLE = re.compile(rb'"bundle":"([^"]*)"')
_PATIENCE_S = 10.0
_NEAR_S = 0.0001


@dataclass(slots=True)
class Load:
    """What came back: tiers, what was no 200 and why, empty pages; of each reply when and what.

    ``latency_ms``, ``done_s`` (seconds of the monotonic clock) and ``bundles`` (digests, empty for
    none) have one entry for each reply of status 200. ``steal_ms``: what the host of a virtual
    machine kept its cores waiting meanwhile, all together; nobody inside can do anything about it.
    """

    seconds: float = 0.0
    latency_ms: list[float] = field(default_factory=list)
    done_s: list[float] = field(default_factory=list)
    bundles: list[bytes] = field(default_factory=list)
    tiers: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    steal_ms: float = 0.0

    @property
    def per_s(self) -> float:
        """Return replies of status 200 per second."""
        return len(self.latency_ms) / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """Return a quantile of the latencies, NaN without any."""
        return float(np.quantile(self.latency_ms, share)) if self.latency_ms else float("nan")


class Generator:
    """Feed requests of many viewers to one server.

    Args:
        host: of the server.
        port: of the server.
        viewers: ids to ask for, in turn.
        clock: measures.
        size: videos of a feed.
    """

    def __init__(
        self, host: str, port: int, viewers: list[str], clock: Clock, size: int = 20
    ) -> None:
        self._connections = Connections(host, port)
        self._clock = clock
        self._requests = [
            (f"GET /v1/feed?user_id={viewer}&size={size} HTTP/1.1\r\nhost: {host}\r\n\r\n").encode()
            for viewer in viewers
        ]
        self._next = 0

    async def closed(self, connections: int, seconds: float) -> Load:
        """Ask on some connections, each as soon as it has its reply."""
        load = Load(seconds)
        stolen_ms = steal_ms()
        end_s = self._clock.elapsed_s() + seconds

        async def one() -> None:
            while self._clock.elapsed_s() < end_s:
                await self._ask(load, self._clock.elapsed_s())

        await asyncio.gather(*(one() for _ in range(connections)))
        load.steal_ms = steal_ms() - stolen_ms
        return load

    async def open(self, per_s: float, seconds: float, random: np.random.Generator) -> Load:
        """Ask at random instants, ``per_s`` a second on average (a Poisson process)."""
        load = Load(seconds)
        stolen_ms = steal_ms()
        began_s = self._clock.elapsed_s()
        under_way: set[asyncio.Task[None]] = set()
        with contextlib.closing(Alarm()) as alarm:
            for due_s in self._instants(per_s, seconds, random):
                await self._until(began_s + due_s, alarm)
                task = asyncio.ensure_future(self._ask(load, began_s + due_s))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way, timeout=_PATIENCE_S)
        load.failed += len(under_way)
        load.steal_ms = steal_ms() - stolen_ms
        return load

    async def _until(self, due_s: float, alarm: Alarm) -> None:
        """Return at an instant: sleep while it is far, then look again and again, once at least.

        What is late here would count as the server's. Looking for long would take the core from
        the updater and the collector, which share it.
        """
        await alarm.after(due_s - self._clock.elapsed_s() - _NEAR_S)
        await asyncio.sleep(0.0)
        while self._clock.elapsed_s() < due_s:
            await asyncio.sleep(0.0)

    def now_s(self) -> float:
        """Return seconds of the clock that ``Load.done_s`` is told by."""
        return self._clock.elapsed_s()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._connections.close()

    def _instants(
        self, per_s: float, seconds: float, random: np.random.Generator
    ) -> Iterator[float]:
        due_s = 0.0
        while (due_s := due_s + random.exponential(1.0 / per_s)) < seconds:
            yield due_s

    async def _ask(self, load: Load, due_s: float) -> None:
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        try:
            status, body = await self._connections.answer(request)
        except (OSError, TimeoutError) as error:
            load.failed += 1
            load.problems[type(error).__name__] += 1
            return
        if status != 200:
            load.failed += 1
            load.problems[str(status)] += 1
            return
        load.done_s.append(self._clock.elapsed_s())
        load.latency_ms.append((load.done_s[-1] - due_s) * 1000.0)
        bundle = _BUNDLE.search(body)
        load.bundles.append(bundle.group(1) if bundle else b"")
        load.empty += b'"items":[]' in body
        tier = _TIER.search(body)
        load.tiers[tier.group(1).decode() if tier else "?"] += 1
