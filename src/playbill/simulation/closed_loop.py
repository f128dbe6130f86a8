"""A world that watches what it is shown: feeds out, events in, a report at the end."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from playbill.contracts import MAX_EVENTS_PER_BATCH
from playbill.core import Clock, InvalidInput
from playbill.simulation.audience import Audience
from playbill.simulation.client import FeedService
from playbill.simulation.columns import stream
from playbill.simulation.memory import Following, RecentlyShown
from playbill.simulation.outbox import Outbox
from playbill.simulation.pace import Pace
from playbill.simulation.publishing import Arrivals
from playbill.simulation.report import Report, Tally, make_report
from playbill.simulation.visits import Visits
from playbill.simulation.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """How a closed loop talks to its server."""

    threads: int = 4
    """Requests in flight at most."""
    surface: str = "home"
    """The screen that every viewer looks at; the server must declare it."""
    batch_events: int = 200
    """Events in one post at most."""
    flush_s: float = 0.5
    """Events wait no longer than until the first feed after this time."""
    pages_at_most: int = 3
    """Pages of one visit."""
    progress_s: float = 1.0
    """Between calls of ``on_progress``."""
    error_pause_s: float = 0.1
    """A thread waits this long after a call that failed."""


class ClosedLoop:
    """Viewers of a world use a server until told to stop. One run at a time.

    With one thread, a fixed clock and a server that answers the same, requests and events are
    the same every time. With several, each thread's viewers are its own, so that only the order
    between threads is open.

    Args:
        world: who watches.
        client: the server.
        clock: the time that events carry and latencies are measured with.
        seed: of the visits, apart from the world's own.
        settings: how it talks.
        pause: waits so many seconds between requests; without it the thread sleeps and wakes
            when the run is called off.

    Raises:
        InvalidInput: a setting leaves its range.
    """

    def __init__(
        self,
        world: World,
        client: FeedService,
        clock: Clock,
        seed: int,
        settings: LoopSettings | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._world = world
        self._client = client
        self._clock = clock
        self._seed = seed
        self._settings = _checked(settings or LoopSettings(), world.settings.users)
        self._stopped = threading.Event()
        self._pause = pause or self._stopped.wait
        self._shown = RecentlyShown(world.settings.users)
        self._arrivals = Arrivals(world, client)
        self._following = [Following(world) for _ in range(self._settings.threads)]
        self._runs = 0

    def run(
        self,
        *,
        duration_s: float | None = None,
        feeds: int | None = None,
        requests_per_s: float | None = None,
        on_progress: Callable[[Report], None] | None = None,
    ) -> Report:
        """Let viewers come and return what came of it; without limits, until ``stop``.

        Args:
            duration_s: wall time after which no new request starts.
            feeds: requests in all, failed ones included.
            requests_per_s: in all; as fast as replies come when None. A server that is too slow
                for it gets fewer.
            on_progress: called in this thread with the report so far, and once at the end.

        Raises:
            InvalidInput: a limit is not positive.
        """
        _check_limits(duration_s=duration_s, feeds=feeds, requests_per_s=requests_per_s)
        self._stopped.clear()
        self._runs += 1
        began_s = self._clock.elapsed_s()
        shares = range(self._settings.threads)
        visits = [self._visits(share, duration_s, feeds, requests_per_s) for share in shares]
        tallies = [visit.tally for visit in visits]

        def report() -> Report:
            return make_report(tallies, self._clock.elapsed_s() - began_s)

        with ThreadPoolExecutor(len(visits), thread_name_prefix="viewers") as pool:
            futures = [pool.submit(visit.run) for visit in visits]
            try:
                self._watch(futures, None if on_progress is None else lambda: on_progress(report()))
            finally:
                self._stopped.set()
        if on_progress is not None:
            on_progress(report())
        return report()

    def stop(self) -> None:
        """Call the run off; each thread finishes the request it waits for. Any thread may call."""
        self._stopped.set()

    def _watch(self, futures: list[Future[None]], tick: Callable[[], None] | None) -> None:
        """Return when all threads are done; raise at once what one of them raised."""
        interval_s = None if tick is None else self._settings.progress_s
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=interval_s, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            if pending and tick is not None:
                tick()

    def _visits(
        self,
        share: int,
        duration_s: float | None,
        feeds: int | None,
        requests_per_s: float | None,
    ) -> Visits:
        """Return what one thread works with: its part of the viewers and of the requests."""
        settings = self._settings
        shares = settings.threads
        interval_s = None if requests_per_s is None else shares / requests_per_s
        pace = Pace(
            self._clock,
            self._stopped,
            self._pause,
            requests=None if feeds is None else feeds // shares + (share < feeds % shares),
            duration_s=duration_s,
            interval_s=interval_s,
            delay_s=0.0 if interval_s is None else interval_s * share / shares,
        )
        tally = Tally(self._world.settings.videos + self._world.settings.arrivals)
        return Visits(
            world=self._world,
            client=self._client,
            clock=self._clock,
            rng=stream(self._seed, "visits", self._runs, share),
            audience=Audience(self._world, share, shares),
            pace=pace,
            outbox=Outbox(
                self._client, self._clock, tally, settings.batch_events, settings.flush_s
            ),
            tally=tally,
            shown=self._shown,
            following=self._following[share],
            arrivals=self._arrivals if share == 0 else None,
            surface=settings.surface,
            pages_at_most=settings.pages_at_most,
            error_pause_s=settings.error_pause_s,
        )


def _checked(settings: LoopSettings, users: int) -> LoopSettings:
    most = min(256, users)
    if not 1 <= settings.threads <= most:
        raise InvalidInput(
            f"threads is {settings.threads}; pass 1 to {most}, since each needs viewers of its own",
            field="threads",
        )
    if not 1 <= settings.batch_events <= MAX_EVENTS_PER_BATCH:
        raise InvalidInput(
            f"batch_events is {settings.batch_events}; the API takes 1 to {MAX_EVENTS_PER_BATCH}",
            field="batch_events",
        )
    if settings.pages_at_most < 1:
        raise InvalidInput(
            f"pages_at_most is {settings.pages_at_most}; a visit has one page at least",
            field="pages_at_most",
        )
    return settings


def _check_limits(**limits: float | None) -> None:
    for name, limit in limits.items():
        if limit is not None and limit <= 0:
            raise InvalidInput(f"{name} is {limit}; pass a positive number or None", field=name)
