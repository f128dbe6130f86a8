"""From the log to a serving bundle."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from playbill import __version__
from playbill.app.indexing import write_index
from playbill.app.wiring import Wiring
from playbill.contracts import Settings
from playbill.core import Conflict, InvalidInput

OnProgress = Callable[[str, float], None]
_VECTOR_FILES = ("item_vectors.npy", "item_records.npy", "item_rows.npy", "viewers.npy")
_DRAFT = "draft"


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What a training run made."""

    digest: str
    rows: int
    auc: dict[str, float]
    """On the rows held out, by task that has both classes there."""
    table_version: int


def train(
    wiring: Wiring,
    *,
    day_offset_h: int,
    rows_from_ms: int | None,
    on_progress: OnProgress | None,
    promote: bool,
) -> Trained:
    """Replay the log into a data set, train on it, seal the bundle, and make it the champion.

    Raises:
        Conflict: another training runs on this home.
        InvalidInput: the log holds too little to learn from.
        DependencyUnavailable: a table or a bundle cannot be written.
    """
    with one_at_a_time(wiring.layout.bundles):
        return _train(wiring, day_offset_h, rows_from_ms, on_progress, promote)


def _train(
    wiring: Wiring,
    day_offset_h: int,
    rows_from_ms: int | None,
    on_progress: OnProgress | None,
    promote: bool,
) -> Trained:
    from playbill.training import Circumstances, Dataset, build_dataset, draft_bundle

    layout, settings = wiring.layout, wiring.settings
    home = wiring.recorded().home
    found = build_dataset(wiring.log(), settings, layout.tables, on_progress=on_progress)
    folder = layout.bundles / _DRAFT
    shutil.rmtree(folder, ignore_errors=True)
    try:
        manifest = draft_bundle(
            Dataset.open(layout.tables),
            settings,
            folder,
            Circumstances(wiring.clock.now_ms(), hardware(), __version__, home),
            day_offset_h=day_offset_h,
            rows_from_ms=rows_from_ms,
            on_progress=on_progress,
        )
        _index(folder, settings, wiring.clock.now_ms())
        store = wiring.bundles()
        digest = store.add(folder, manifest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if promote:
        store.promote(digest)
    metrics: dict[str, Any] = manifest.metrics["metrics"]
    return Trained(
        digest=digest,
        rows=found.rows,
        auc={task: row["auc"] for task, row in metrics.items() if row["auc"] is not None},
        table_version=found.table_version,
    )


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
