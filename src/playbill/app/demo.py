"""The main job, whole, on a simulated platform: post, watch, learn, serve what was learned."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import urllib3

from playbill.app.learning import Trained
from playbill.app.stopping import Stop
from playbill.app.supervisor import Supervisor
from playbill.app.verbs import Home
from playbill.contracts import Status
from playbill.core import Conflict, DependencyUnavailable
from playbill.simulation import (
    REGION_NAMES,
    ClosedLoop,
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

OnStage = Callable[[str, float], None]


class DemoReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo did, before and after learning, beside what could be had at best."""

    videos: int
    viewers: int
    impressions: int
    before: dict[str, float]
    """With no model: click rate, long-view rate and expected utility of a feed."""
    once: dict[str, float]
    """With a bundle trained on what happened before."""
    twice: dict[str, float]
    """With a second one, trained on what happened so far, the first one's feeds included."""
    bounds: dict[str, float]
    """Click rate of random, popular and ideal feeds, which only the simulation can know."""
    metrics: dict[str, float]
    """AUC on held-out impressions."""
    parity: dict[str, int]
    bundle: str
    seconds: dict[str, float]
    """By stage."""


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

    def run(
        self,
        on_stage: OnStage,
        say: Callable[[str], None],
        finished: Callable[[DemoReport], None],
        *,
        stay: bool,
    ) -> None:
        """Do all of it, report, and with ``stay`` go on serving until ``stopping`` is asked."""
        playbill = self._fresh_home()
        wiring = playbill.wiring.override(port=self.port)
        with wiring.alone():
            supervisor = Supervisor(wiring, say)
            self._timed("start", on_stage, supervisor.start)
            watching = threading.Thread(target=supervisor.watch, daemon=True)
            watching.start()
            try:
                finished(self._story(playbill, on_stage))
                if stay:
                    say(f"look at it: http://127.0.0.1:{self.port}  (Ctrl-C stops)")
                    self._keep_alive()
            finally:
                supervisor.stopping.ask()
                watching.join()

    def _story(self, playbill: Home, on_stage: OnStage) -> DemoReport:
        clock = playbill.wiring.clock
        settings = WorldSettings(
            seed=self.seed,
            day_s=_DAY_S,
            value=playbill.settings.value,
            labels=playbill.settings.labels,
        )
        world = make_world(settings, clock.now_ms())
        base = "http://127.0.0.1"
        client = PlaybillClient(f"{base}:{self.port}", f"{base}:{self.port + 1}")
        self._timed(
            "post videos",
            on_stage,
            lambda: publish_world(
                world, client, lambda done, total: on_stage("post videos", done / total)
            ),
        )
        self._until(on_stage, "post videos", lambda: self._status().videos >= settings.videos)
        loop = ClosedLoop(world, client, clock, self.seed)
        before = self._traffic(loop, "people watch, no model yet", self.before_s, on_stage)
        once, _ = self._learn(playbill, loop, 1, on_stage)
        twice, trained = self._learn(playbill, loop, 2, on_stage)
        client.close()
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
        self, playbill: Home, loop: ClosedLoop, number: int, on_stage: OnStage
    ) -> tuple[Report, Trained]:
        """Train on the log as it stands, wait for the swap, and let people watch."""
        clock = playbill.wiring.clock
        started_s = clock.elapsed_s()
        trained = playbill.train(lambda stage, share: on_stage(f"{number}: {stage}", share))
        self._seconds[f"learn {number}"] = clock.elapsed_s() - started_s
        swap = f"{number}: swap the bundle in"
        self._until(on_stage, swap, lambda: self._status().bundle == trained.digest)
        watch = f"{number}: people watch what was learned"
        return self._traffic(loop, watch, self.after_s, on_stage), trained

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
        )
        with playbill.wiring.layout.config.open("a") as file:
            file.write(f"\n[serving]\ntrace_share = {_TRACE_SHARE}\n")
        return Home(self.home)

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
        clock = Home(self.home).wiring.clock
        started_s = clock.elapsed_s()
        on_stage(stage, 0.0)
        work()
        on_stage(stage, 1.0)
        self._seconds[stage] = clock.elapsed_s() - started_s

    def _status(self) -> Status:
        reply = urllib3.request("GET", f"http://127.0.0.1:{self.port}/v1/status", timeout=5.0)
        return msgspec.json.decode(reply.data, type=Status)

    def _until(self, on_stage: OnStage, stage: str, holds: Callable[[], bool]) -> None:
        on_stage(stage, 0.0)
        for _ in range(int(_PATIENCE_S / _POLL_S)):
            if holds():
                on_stage(stage, 1.0)
                return
            self.stopping.wait(_POLL_S)
        raise DependencyUnavailable(f"{stage}: not done after {_PATIENCE_S:.0f} s")

    def _keep_alive(self) -> None:
        """Let a few people watch, so that the console has something to show."""
        playbill = Home(self.home)
        clock = playbill.wiring.clock
        settings = WorldSettings(seed=self.seed, day_s=_DAY_S)
        world = make_world(settings, clock.now_ms())
        base = "http://127.0.0.1"
        client = PlaybillClient(f"{base}:{self.port}", f"{base}:{self.port + 1}")
        while not self.stopping.asked():
            loop = ClosedLoop(world, client, clock, self.seed + 1)
            loop.run(duration_s=2.0, requests_per_s=10.0)


def _figures(report: Report) -> dict[str, float]:
    return {
        "feeds": float(report.feeds),
        "click_rate": report.click_rate or 0.0,
        "long_view_rate": report.long_view_rate or 0.0,
        "utility_per_feed": report.utility_per_feed or 0.0,
        "p95_ms": report.latency_p95_ms or 0.0,
    }


def _bounds(world: World) -> dict[str, float]:
    return {
        policy: world.policy_value(policy).click_rate for policy in ("random", "popular", "ideal")
    }
