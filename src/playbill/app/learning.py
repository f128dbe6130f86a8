"""From the log to a serving bundle."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from playbill import __version__
from playbill.app.champions import beside_champion, require_new
from playbill.app.indexing import write_index
from playbill.app.left import draft_of_left, keep_left, left_by
from playbill.app.stopping import Stopped
from playbill.app.wiring import Wiring
from playbill.contracts import Manifest, Settings
from playbill.core import Conflict, InvalidInput, NotFound

if TYPE_CHECKING:
    from playbill.training import Circumstances, Dataset
    from playbill.training.fitting import Session
    from playbill.training.warm_start import Left

OnProgress = Callable[[str, float], None]
_VECTOR_FILES = ("item_vectors.npy", "item_records.npy", "item_rows.npy", "viewers.npy")
_DRAFT = "draft"
_CHECKPOINTS = ".training"
_FITTED = "train "
"""What the names of stages begin with in which networks are fitted."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What a training run made."""

    digest: str
    rows: int
    auc: dict[str, float]
    """On the rows held out, by task that has both classes there."""
    table_version: int
    promoted: bool = True
    """Whether it serves now."""
    against: dict[str, Any] | None = None
    """How it does beside the champion it was to replace, where that was asked for."""


def reasons_of(against: dict[str, Any]) -> list[str]:
    """Return why a bundle is not to take the champion's place, in words; none where it may."""
    told = {"worse": "worse at", "untold": "not known yet at"}
    return [f"{words} {', '.join(against[name])}" for name, words in told.items() if against[name]]


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """What a training is asked for, and who hears of it."""

    day_offset_h: int
    rows_from_ms: int | None
    promote: bool = True
    unless_worse: bool = False
    """Leave the champion where it is better, beyond doubt, on rows that neither learned from."""
    fewest_new: int = 0
    """Impressions since the champion's data set, below which nothing is trained."""
    warm: bool = False
    """Begin with the champion's networks, and learn what came since."""
    resume: bool = False
    """Go on with the training that was interrupted, on the data set it had."""
    on_progress: OnProgress | None = None
    on_metric: Callable[[str, str], None] = lambda stage, words: None
    stop: Callable[[], bool] = lambda: False
    """Whether it is to stop; what was done is kept."""


def train(wiring: Wiring, asked: Training) -> Trained:
    """Replay the log into a data set, train on it, seal the bundle, and make it the champion.

    Raises:
        Stopped: told to stop; the training can go on with ``resume``.
        NotFound: nothing was interrupted that could go on, or nothing is kept to begin with.
        Conflict: another training runs on this home, or too little is new.
        InvalidInput: the log holds too little to learn from, or what was interrupted followed from
            other data or settings.
        DependencyUnavailable: a table, a checkpoint or a bundle cannot be written.
    """
    from playbill.training.checkpoints import Interrupted

    with one_at_a_time(wiring.layout.bundles):
        try:
            return _train(wiring, asked)
        except Interrupted as interrupted:
            raise Stopped(str(interrupted)) from None


def _train(wiring: Wiring, asked: Training) -> Trained:
    from playbill.training import Circumstances, Dataset, build_dataset
    from playbill.training.checkpoints import Checkpoints, identity_of
    from playbill.training.fitting import Session

    layout, settings = wiring.layout, wiring.settings
    kept = layout.bundles / _CHECKPOINTS
    on_progress = _attentive(asked)
    offset_h, from_ms = asked.day_offset_h, asked.rows_from_ms
    if asked.resume and asked.warm:
        raise InvalidInput(
            "what was interrupted goes on as it began", hint="leave out --warm, or --resume"
        )
    store = wiring.bundles()
    before = identity_of(kept) if asked.resume else {}
    parent = before.get("begun_with") if asked.resume else asked.warm and store.champion()
    begin = left_by(wiring, store, parent) if parent else None
    if asked.warm and begin is None and not asked.resume:
        raise NotFound("there is no champion to begin with", hint="train without --warm")
    if asked.resume:
        offset_h, from_ms = before.get("day_offset_h", offset_h), before.get("rows_from_ms")
    else:
        shutil.rmtree(kept, ignore_errors=True)
        build_dataset(wiring.log(), settings, layout.tables, on_progress=on_progress)
    dataset = Dataset.open(layout.tables)
    require_new(store, dataset.report.rows, asked.fewest_new)
    identity = {**_identity(dataset, settings, offset_h, from_ms), "begun_with": parent or None}
    session = Session(Checkpoints(kept, identity, wiring.clock, asked.stop), asked.on_metric)
    made = Circumstances(wiring.clock.now_ms(), hardware(), __version__, wiring.recorded().home)
    with (
        draft_of_left(layout.networks) as leave,
        drafted_bundle(
            wiring, dataset, made, offset_h, from_ms, session, on_progress, begin=begin, leave=leave
        ) as (folder, manifest),
    ):
        digest = store.add(folder, manifest)
        keep_left(layout.networks, leave, digest, {parent or digest, store.champion() or digest})
    shutil.rmtree(kept, ignore_errors=True)
    against = (
        beside_champion(store, dataset, digest, settings, offset_h) if asked.unless_worse else None
    )
    promoted = asked.promote and not (against and (against["worse"] or against["untold"]))
    if promoted:
        store.promote(digest)
    metrics: dict[str, Any] = manifest.metrics["metrics"]
    return Trained(
        digest=digest,
        rows=dataset.report.rows,
        auc={task: row["auc"] for task, row in metrics.items() if row["auc"] is not None},
        table_version=dataset.report.table_version,
        promoted=promoted,
        against=against,
    )


@contextmanager
def drafted_bundle(
    wiring: Wiring,
    dataset: "Dataset",
    made: "Circumstances",
    day_offset_h: int,
    rows_from_ms: int | None,
    session: "Session | None",
    on_progress: OnProgress | None,
    *,
    begin: "Left | None",
    leave: Path | None = None,
) -> Iterator[tuple[Path, Manifest]]:
    """Yield the folder of a draft with its index, and its manifest; the folder goes afterwards."""
    from playbill.training import draft_bundle

    folder = wiring.layout.bundles / _DRAFT
    shutil.rmtree(folder, ignore_errors=True)
    try:
        manifest = draft_bundle(
            dataset,
            wiring.settings,
            folder,
            made,
            day_offset_h=day_offset_h,
            rows_from_ms=rows_from_ms,
            session=session,
            begin=begin,
            leave=leave,
            on_progress=on_progress,
        )
        _index(folder, wiring.settings, made.at_ms)
        yield folder, manifest
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _identity(
    dataset: "Dataset", settings: Settings, day_offset_h: int, rows_from_ms: int | None
) -> dict[str, Any]:
    """Return all that the weights of a run follow from; any crew can go on with another's."""
    from playbill.training.provenance import libraries, settings_read

    read = settings_read(settings)
    for free in ("workers", "plan", "rows_in_memory_gib"):
        del read["training"][free]
    return {
        "data set": msgspec.to_builtins(dataset.report),
        "settings": read,
        "day_offset_h": day_offset_h,
        "rows_from_ms": rows_from_ms,
        "version": __version__,
        "libraries": libraries(),
        "hardware": hardware(),
    }


def _attentive(asked: Training) -> OnProgress:
    """Return progress that ends a run told to stop where nothing is kept and nothing is lost.

    While networks are fitted their loop looks itself, and keeps what it did.
    """

    def told(stage: str, share: float) -> None:
        if asked.stop() and not stage.startswith(_FITTED):
            raise Stopped(stage)
        if asked.on_progress is not None:
            asked.on_progress(stage, share)

    return told


def hardware() -> str:
    """Return one line on this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {models[0] if models else 'unknown'}, {memory:.0f} GiB"


@contextmanager
def one_at_a_time(bundles: Path) -> Iterator[None]:
    """Hold the home's training lock."""
    bundles.mkdir(parents=True, exist_ok=True)
    with (bundles / ".training.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                "another training runs on this home", hint="wait for it, or stop it"
            ) from None
        yield


def _index(draft: Path, settings: Settings, now_ms: int) -> None:
    """Turn the draft's vectors into its index, which is all that serving needs of them."""
    import numpy as np

    vectors, items, rows, viewers = (
        np.load(draft / name, allow_pickle=False) for name in _VECTOR_FILES
    )
    if not len(vectors):
        raise InvalidInput("no video is visible; there is nothing to index")
    write_index(
        draft / "index",
        vectors,
        items,
        rows,
        viewers,
        seed=settings.training.seed,
        regions=len(settings.regions),
        now_ms=now_ms,
    )
    for name in _VECTOR_FILES:
        (draft / name).unlink()
    _transitions(draft)


def _transitions(draft: Path) -> None:
    """Number the draft's transitions by the places of its index, as they are served."""
    import numpy as np

    from playbill.retrieval import Transitions

    by_row = draft / "transitions_by_row"
    found = Transitions.load(by_row)
    rows = np.load(draft / "index" / "rows.npy", allow_pickle=False)
    places = np.full(len(found.starts) - 1, -1, np.int64)
    places[rows] = np.arange(len(rows))
    found.renumbered(places, len(rows)).save(draft / "transitions")
    shutil.rmtree(by_row)
