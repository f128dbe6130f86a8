"""The verbs of a home, for Python and for the command line alike."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from playbill.app.config import named_settings, write_setting
from playbill.app.history import LogSink
from playbill.app.judging import Asked, evaluate, search_recipe
from playbill.app.learning import Trained, Training, train
from playbill.app.supervisor import FIRST_WORKER
from playbill.app.verification import StateReport, verify_state
from playbill.app.wiring import Wiring
from playbill.contracts import HistorySource, Settings
from playbill.core import DependencyUnavailable, InvalidInput
from playbill.features import ParityReport, check_parity
from playbill.registry import BundleStore
from playbill.serving import Drill, DrillPlan, read_plans

if TYPE_CHECKING:
    from playbill.app.advising import AdviceAsked, Advised
    from playbill.app.precompute import Precomputed
    from playbill.app.reproducing import Reproduced

OnProgress = Callable[[str, float], None]


class Home:
    """One home folder.

    Args:
        folder: ``PLAYBILL_HOME``, or ``~/.playbill``, when None.
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self.wiring = Wiring.of(self._folder)

    @property
    def settings(self) -> Settings:
        """Return the settings as they were read."""
        return self.wiring.settings

    @property
    def bundles(self) -> BundleStore:
        """Return the bundles."""
        return self.wiring.bundles()

    def configure(self, **values: Any) -> None:
        """Write settings, by name or dotted name, into ``playbill.toml`` and read it again.

        Raises:
            InvalidInput: a value is refused; the file is as it was.
            Conflict: the home's history was folded with others; the file is as it was.
            DependencyUnavailable: the file cannot be written.
        """
        self.wiring.layout.make()
        write_setting(self.wiring.layout.config, values, self.wiring.check)
        self.wiring = Wiring.of(self._folder)

    def declare(self, source: HistorySource) -> list[str]:
        """Declare what a history needs the settings to say; return what was added."""
        needed = source.declared()
        said = named_settings(self.wiring.layout.config)
        added: list[str] = []
        for name, wanted in (("regions", needed.regions), ("surfaces", needed.surfaces)):
            known: tuple[str, ...] = getattr(self.settings, name)
            if name not in said and not self.wiring.begun():
                known = ()
            missing = [value for value in wanted if value not in known]
            if missing:
                self.configure(**{name: [*known, *missing]})
                added += missing
        untold = {
            f"training.{name}": value
            for name, value in needed.training.items()
            if f"training.{name}" not in said
        }
        if untold:
            self.configure(**untold)
        return [*added, *untold]

    def import_history(self, source: HistorySource, on_progress: Any = None) -> Any:
        """Bring a history in and return its report.

        Raises:
            Conflict: a playbill runs on this home.
            InvalidInput: the history begins before what the log already holds.
        """
        from playbill.importing import load

        with self.wiring.alone():
            self.declare(source)
            self.wiring.settle()
            log = self.wiring.log_to_write()
            sink = LogSink(log, self.settings, self.wiring.pseudonyms())
            try:
                return load(source, sink, on_progress=on_progress)
            finally:
                sink.close()

    def train(
        self,
        on_progress: OnProgress | None = None,
        *,
        day_offset_h: int | None = None,
        rows_from_ms: int | None = None,
        promote: bool = True,
        unless_worse: bool = False,
        warm: bool = False,
        resume: bool = False,
        on_metric: Callable[[str, str], None] = lambda stage, words: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Trained:
        """Replay the log, train on it, seal a bundle and make it the champion.

        Args:
            on_progress: told of stages.
            day_offset_h: in front of ``training.day_offset_h``.
            rows_from_ms: in front of ``training.rows_from``.
            promote: False leaves the champion as it is.
            unless_worse: leave it, too, where it is better on rows that neither learned from.
            warm: begin with the champion's networks and learn what came since.
            resume: go on with the training that was interrupted.
            on_metric: told a stage and what was measured there, in words.
            stop: whether to stop; what was done is kept for ``resume``.

        Raises:
            Stopped: it was told to stop.
            NotFound: there is nothing to resume, or to begin with.
            InvalidInput: the log holds too little to learn from.
        """
        asked = Training(
            **self.days(day_offset_h, rows_from_ms),
            promote=promote,
            unless_worse=unless_worse,
            warm=warm,
            resume=resume,
            on_progress=on_progress,
            on_metric=on_metric,
            stop=stop,
        )
        return train(self.wiring, asked)

    def advise(self, asked: "AdviceAsked", on_progress: OnProgress | None = None) -> "Advised":
        """Return how the towers' training should be spread over workers, and why.

        Raises:
            NotFound: there is no data set, and no number of videos was given.
        """
        from playbill.app.advising import advise_training

        return advise_training(self.wiring, asked, on_progress)

    def reproduce(self, digest: str, on_progress: OnProgress | None = None) -> "Reproduced":
        """Train a bundle once more from its own data, settings and seed, and compare the files.

        Raises:
            NotFound: there is no such bundle.
            InvalidInput: its data set is gone.
        """
        from playbill.app.reproducing import reproduce

        return reproduce(self.wiring, digest, on_progress)

    def evaluate(
        self,
        protocol: str = "quick",
        on_progress: OnProgress | None = None,
        *,
        day_offset_h: int | None = None,
        rows_from_ms: int | None = None,
        seeds: int = 1,
        baselines: bool = True,
        ablations: bool = False,
        shares: tuple[float, ...] = (),
        against: str | None = None,
    ) -> dict[str, Any]:
        """Return the report of a protocol: one of ``PROTOCOLS`` of ``playbill.app.judging``.

        Args:
            protocol: its name.
            on_progress: told of stages.
            day_offset_h: when days begin; None for the setting.
            rows_from_ms: rows before it teach nothing; None for the setting.
            seeds: for leave-one-out and cold-start: trainings, each with its seed.
            baselines: for quick and rolling: whether others are taught on the same rows.
            ablations: for rolling: whether rankers that do without a part each stand beside it.
            shares: for off-policy: shares of places given to chance.
            against: for off-policy: digest of a bundle to stand beside the champion.

        Raises:
            InvalidInput: there is no such protocol, or too little to judge on.
            NotFound: there is no champion, no such bundle, or no data set.
        """
        asked = Asked(
            **self.days(day_offset_h, rows_from_ms),
            seeds=seeds,
            baselines=baselines,
            ablations=ablations,
            shares=shares,
            against=against,
        )
        return evaluate(self.wiring, protocol, asked, on_progress)

    def search(
        self,
        trials: int = 20,
        minutes: float | None = None,
        seeds: int = 1,
        on_progress: OnProgress | None = None,
    ) -> dict[str, Any]:
        """Return what was tried to train the ranker better, and the best of it.

        Args:
            trials: at most so many.
            minutes: no trial begins after so long.
            seeds: trainings of a trial.
            on_progress: told of stages.

        Raises:
            InvalidInput: the rows are unfit to train on.
            DependencyUnavailable: Optuna is not installed.
        """
        from playbill.training.searching import SearchAsked

        days = self.days(None, None)
        asked = SearchAsked(trials=trials, minutes=minutes, seeds=seeds, **days)
        return search_recipe(self.wiring, asked, on_progress)

    def precompute(
        self, users: Path | None = None, on_progress: OnProgress | None = None
    ) -> "Precomputed":
        """Make the lists of the lower tiers ahead, on a home that runs.

        Args:
            users: a file of user ids, one a line; None for the most active viewers.

        Raises:
            InvalidInput: the file cannot be read, or names more than ``precompute.viewers``.
            NotFound: no bundle was promoted.
            Conflict: another precomputation runs on this home.
            DependencyUnavailable: no playbill runs on this home, or the disk refused.
        """
        from playbill.app.precompute import precompute

        wiring = Wiring.running(self.wiring.layout.home)
        return precompute(wiring, None if users is None else _lines_of(users), on_progress)

    def parity(
        self, sample: int = 2_000, seed: int = 0, on_progress: OnProgress | None = None
    ) -> ParityReport:
        """Recompute served feature vectors from the log and compare every bit.

        Raises:
            DependencyUnavailable: the log holds nothing to compare with.
        """
        return check_parity(self.wiring.log(), self.settings, sample, seed, on_progress)

    def verify_state(self, on_progress: OnProgress | None = None) -> StateReport:
        """Recover the state as the updater would, fold the log from nothing, and compare.

        Raises:
            Conflict: a playbill runs on this home.
        """
        with self.wiring.alone():
            return verify_state(self.wiring, on_progress)

    def drill(self, part: Drill, seconds: float, worker: int | None = None) -> None:
        """Break a part of the running server on purpose, beside those that are broken already.

        Raises:
            InvalidInput: the settings do not allow drills.
            DependencyUnavailable: no playbill runs on this home.
        """
        if not self.settings.drills:
            raise InvalidInput(
                "drills are not allowed on this home",
                hint="set drills = true in playbill.toml and restart playbill up",
            )
        if part in (Drill.SCORER_HANGS, Drill.USERS_HANG) and worker is None:
            worker = FIRST_WORKER
        if not self.wiring.layout.board.exists():
            raise _nothing_runs()
        now_s, path = self.wiring.clock.elapsed_s(), self.wiring.layout.drills
        running = [plan for plan in read_plans(path) if plan.drill != part and plan.until_s > now_s]
        draft = path.with_suffix(".draft")
        try:
            draft.write_bytes(
                msgspec.json.encode([*running, DrillPlan(part, now_s + seconds, worker)])
            )
            draft.replace(path)
        except FileNotFoundError as error:
            raise _nothing_runs() from error
        except OSError as error:
            raise DependencyUnavailable(f"the drill cannot be said: {error.strerror}") from error

    def days(
        self, day_offset_h: int | None = None, rows_from_ms: int | None = None
    ) -> dict[str, Any]:
        """Return when days begin and rows count, by the settings where nothing else was said."""
        training = self.settings.training
        if day_offset_h is None:
            day_offset_h = training.day_offset_h
        if rows_from_ms is None and training.rows_from is not None:
            rows_from_ms = round(training.rows_from.timestamp() * 1000)
        return {"day_offset_h": day_offset_h, "rows_from_ms": rows_from_ms}


def _lines_of(path: Path) -> list[str]:
    """Return the lines of a file of ids, without empty ones.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        return [line for line in path.read_text("utf-8").splitlines() if line]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} cannot be read: {error}", hint="name a file of ids, one a line, in UTF-8"
        ) from error


def _nothing_runs() -> DependencyUnavailable:
    return DependencyUnavailable("no playbill runs on this home", hint="start playbill up first")
