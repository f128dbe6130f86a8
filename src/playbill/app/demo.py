"""The main job, whole, on a simulated platform: post, watch, learn, serve what was learned."""

import contextlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from playbill.app.clock import SystemClock
from playbill.app.learning import Trained
from playbill.app.stopping import Stop, Stopped
from playbill.app.supervisor import Supervisor
from playbill.app.verbs import Home
from playbill.core import Clock, Conflict, DependencyUnavailable
from playbill.simulation import (
    REGION_NAMES,
    ClosedLoop,
    LoopSettings,
    PlaybillClient,
    Report,
    World,
    WorldSettings,
    make_world,
    publish_world,
    viewer_id,
)

MARKER = ".playbill-demo"
_POLL_S = 0.1
_PATIENCE_S = 60.0
_DAY_S = 120.0
_EXAMPLES = 40
_TRACE_SHARE = 0.2
_VISITS_PER_S = 10.0
_LOOK_S = 0.1

OnStage = Callable[[str, float], None]


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo did, before and after learning, beside what could be had at best."""

    videos: int
    viewers: int
    impressions: int
    before: dict[str, float | None]
    """With no model: click rate, long-view rate and expected utility of a feed. None where nothing
    was shown."""
    once: dict[str, float | None]
    """With a bundle trained on what happened before."""
    twice: dict[str, float | None]
    """With a second one, trained on what happened so far, the first one's feeds included."""
    bounds: dict[str, float]
    """Click rate of random, popular and ideal feeds, which only the simulation can know."""
    metrics: dict[str, float]
    """AUC on held-out impressions."""
    parity: dict[str, int]
    bundle: str
    seconds: dict[str, float]
    """By stage."""


@dataclass(frozen=True, slots=True)
class _Platform:
    """The simulated world and its way to the server."""

    world: World
    client: PlaybillClient
    loop: ClosedLoop


@dataclass(slots=True)
class Demo:
    """A demo in a home of its own, which is emptied first.

    Args:
        home: folder; refused when it holds something that no demo made.
        port: feeds and console; writes on the next one.
        before_s: how long the platform runs without a model.
        after_s: how long with one.
    """

    home: Path
    port: int
    before_s: float = 40.0
    after_s: float = 20.0
    seed: int = 7
    _seconds: dict[str, float] = field(default_factory=dict)
    stopping: Stop = field(default_factory=Stop)
    _clock: Clock = field(default_factory=SystemClock)

    def run(
        self,
        on_stage: OnStage,
        say: Callable[[str], None],
        finished: Callable[[DemoReport], None],
        *,
        stay: bool,
    ) -> None:
        """Do all of it, report, and with ``stay`` go on serving until ``stopping`` is asked.

        Raises:
            Stopped: it was asked before there was a report.
        """

        def told(stage: str, share: float) -> None:
            self._look()
            on_stage(stage, share)

        playbill = self._fresh_home()
        wiring = playbill.wiring.override(port=self.port)
        with wiring.alone():
            supervisor = Supervisor(wiring, say, self.stopping)
            self._timed("start", told, supervisor.start)
            # From here on the servers stop last, after whoever talks to them.
            supervisor.stopping = Stop()
            watching = threading.Thread(target=supervisor.watch, daemon=True)
            watching.start()
            try:
                with contextlib.closing(self._client()) as client:
                    platform = self._platform(playbill, client)
                    finished(self._story(playbill, platform, told))
                    if stay:
                        say(f"look at it: http://127.0.0.1:{self.port}  (Ctrl-C stops)")
                        self._keep_alive(platform.loop)
            finally:
                supervisor.stopping.ask()
                watching.join()

    def _client(self) -> PlaybillClient:
        base = "http://127.0.0.1"
        return PlaybillClient(f"{base}:{self.port}", f"{base}:{self.port + 1}")

    def _platform(self, playbill: Home, client: PlaybillClient) -> _Platform:
        settings = WorldSettings(
            seed=self.seed,
            day_s=_DAY_S,
            value=playbill.settings.value,
            labels=playbill.settings.labels,
        )
        world = make_world(settings, self._clock.now_ms())
        told_often = LoopSettings(progress_s=_LOOK_S)
        return _Platform(
            world, client, ClosedLoop(world, client, self._clock, self.seed, told_often)
        )

    def _story(self, playbill: Home, platform: _Platform, on_stage: OnStage) -> DemoReport:
        world, client = platform.world, platform.client
        settings = world.settings
        self._timed(
            "post videos",
            on_stage,
            lambda: publish_world(
                world, client, lambda done, total: on_stage("post videos", done / total)
            ),
        )
        self._until(on_stage, "post videos", lambda: client.status().videos >= settings.videos)
        watch = "people watch, no model yet"
        before = self._traffic(platform.loop, watch, self.before_s, on_stage)
        once, _ = self._learn(playbill, platform, 1, on_stage)
        twice, trained = self._learn(playbill, platform, 2, on_stage)
        parity = playbill.parity(2_000, 0, on_stage)
        return DemoReport(
            videos=settings.videos,
            viewers=settings.users,
            impressions=before.impressions + once.impressions + twice.impressions,
            before=_figures(before),
            once=_figures(once),
            twice=_figures(twice),
            bounds=_bounds(world),
            metrics=trained.auc,
            parity={"compared": parity.compared, "equal": parity.equal},
            bundle=trained.digest,
            seconds={name: round(value, 1) for name, value in self._seconds.items()},
        )

    def _learn(
        self, playbill: Home, platform: _Platform, number: int, on_stage: OnStage
    ) -> tuple[Report, Trained]:
        """Train on the log as it stands, wait for the swap, and let people watch."""
        started_s = self._clock.elapsed_s()
        trained = playbill.train(lambda stage, share: on_stage(f"{number}: {stage}", share))
        self._seconds[f"learn {number}"] = self._clock.elapsed_s() - started_s
        swap = f"{number}: swap the bundle in"
        self._until(on_stage, swap, lambda: platform.client.status().bundle == trained.digest)
        watch = f"{number}: people watch what was learned"
        return self._traffic(platform.loop, watch, self.after_s, on_stage), trained

    def _fresh_home(self) -> Home:
        marker = self.home / MARKER
        if self.home.exists() and any(self.home.iterdir()):
            if not marker.exists():
                raise Conflict(
                    f"{self.home} holds something that no demo made",
                    hint="choose an empty folder with --home",
                )
            with Home(self.home).wiring.alone():
                pass
            shutil.rmtree(self.home)
        self.home.mkdir(parents=True, exist_ok=True)
        marker.touch()
        playbill = Home(self.home)
        playbill.configure(
            regions=list(REGION_NAMES),
            surfaces=["home"],
            drills=True,
            example_users=[viewer_id(row) for row in range(1, _EXAMPLES + 1)],
            **{"serving.trace_share": _TRACE_SHARE},
        )
        return playbill

    def _traffic(self, loop: ClosedLoop, stage: str, seconds: float, on_stage: OnStage) -> Report:
        on_stage(stage, 0.0)
        report = loop.run(
            duration_s=seconds,
            on_progress=lambda progress: on_stage(stage, progress.duration_s / seconds),
        )
        on_stage(stage, 1.0)
        self._seconds[stage] = report.duration_s
        return report

    def _timed(self, stage: str, on_stage: OnStage, work: Callable[[], None]) -> None:
        started_s = self._clock.elapsed_s()
        on_stage(stage, 0.0)
        work()
        on_stage(stage, 1.0)
        self._seconds[stage] = self._clock.elapsed_s() - started_s

    def _look(self) -> None:
        if self.stopping.asked():
            raise Stopped("the demo was stopped before its summary")

    def _until(self, on_stage: OnStage, stage: str, holds: Callable[[], bool]) -> None:
        on_stage(stage, 0.0)
        for _ in range(int(_PATIENCE_S / _POLL_S)):
            if holds():
                on_stage(stage, 1.0)
                return
            self.stopping.wait(_POLL_S)
            self._look()
        raise DependencyUnavailable(f"{stage}: not done after {_PATIENCE_S:.0f} s")

    def _keep_alive(self, loop: ClosedLoop) -> None:
        """Let a few people watch, so that the console has something to show."""

        def look(_: Report) -> None:
            if self.stopping.asked():
                loop.stop()

        loop.run(requests_per_s=_VISITS_PER_S, on_progress=look)


def _figures(report: Report) -> dict[str, float | None]:
    return {
        "feeds": float(report.feeds),
        "click_rate": report.click_rate,
        "long_view_rate": report.long_view_rate,
        "utility_per_feed": report.utility_per_feed,
        "p95_ms": report.latency_p95_ms,
    }


def _bounds(world: World) -> dict[str, float]:
    return {
        policy: world.policy_value(policy).click_rate for policy in ("random", "popular", "ideal")
    }
