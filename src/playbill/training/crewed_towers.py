"""The retrieval towers, trained by several workers, as the same ``TrainedTowers`` as by one."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from playbill.contracts import Settings
from playbill.core import DependencyUnavailable
from playbill.models import ContentTower
from playbill.models.content_tower import DURATION_EDGES_MS, LANGUAGES
from playbill.models.user_graph import user_tower_graph
from playbill.models.user_network import UserNetwork
from playbill.training.fitting import Session
from playbill.training.parallel.launching import run_crew
from playbill.training.parallel.placing import Plan
from playbill.training.parallel.shards import Stretch, latest, read_index
from playbill.training.parallel.worker import (
    CHECKPOINTS,
    INPUTS,
    OUTPUTS,
    Job,
    Progress,
    write_begin,
    write_inputs,
    write_job,
)
from playbill.training.progress import OnProgress, within
from playbill.training.sequences import Sequences
from playbill.training.tower_data import ItemPlaces, item_places
from playbill.training.tower_rules import require_sequences
from playbill.training.tower_training import VIDEOS_PER_ROW, TrainedTowers
from playbill.training.towers_left import FIXED_TABLES, WARM_SHARE, TowersLeft

Floats = npt.NDArray[np.float32]
Records = npt.NDArray[np.void]

NEGATIVES = 4_096
_CREW = "crew"
_OWN = "residuals"
"""The table that is as large as the catalogue."""
_TIMEOUT_S = 300.0
_TOLD_EVERY = 50


def train_towers_by_crew(
    sequences: Sequences,
    items: Records,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    session: Session | None = None,
    begin: TowersLeft | None = None,
    leave: bool = False,
) -> TrainedTowers:
    """Return towers trained by ``training.workers`` processes on this machine.

    Args:
        sequences: of the rows that train.
        items: (I,) ``ITEM_RECORD``.
        settings: seed, passes, rows of a step, workers and plan.
        on_progress: told of the stage "train towers".
        session: where checkpoints are kept, and who hears of the loss.
        begin: other towers to begin with, which then takes fewer passes.
        leave: whether all tables are read back, for the next training to begin with.

    Raises:
        InvalidInput: there is no sequence to learn from, or the others have other layers.
        Interrupted: told to stop; the crew's last checkpoint is kept.
        DependencyUnavailable: the crew failed again and again, or the disk refused.
    """
    require_sequences(sequences)
    training = settings.training
    places = item_places(items, sequences.items)
    job = job_of(settings, warm=begin is not None)
    report = within(on_progress, "train towers")
    kept = session.checkpoints if session is not None else None

    def told(progress: Progress) -> None:
        report(progress.step / max(progress.steps, 1))
        if session is not None and progress.step % _TOLD_EVERY == 0:
            words = f"step {progress.step} of {progress.steps}: loss {progress.loss:.4f}"
            session.on_metric("towers", words)

    with _workplace(session) as folder:
        try:
            if (folder / INPUTS).exists():
                write_job(folder, job)
            else:
                # Inputs last: where they are, all is there.
                if begin is not None:
                    write_begin(folder, begin, places)
                write_inputs(folder, job, sequences, places.columns)
        except OSError as error:
            raise DependencyUnavailable(
                f"the crew's inputs in {folder} cannot be written: {error}",
                hint="free space or make the folder writable",
            ) from error
        stop = kept.told_to_stop if kept is not None else lambda: False
        launches = run_crew(folder, training.workers, told, stop)
        content, user, vectors, record = _outcome(folder, places)
        left = _left(folder, user, places) if leave else None
    record |= {"workers": training.workers, "plan": job.plan.value, "launches": launches}
    record |= {"positives": len(sequences), "items_with_residual": len(places.item_rows)}
    return TrainedTowers(user_tower_graph(user), content, vectors, user, record, left=left)


def job_of(settings: Settings, *, warm: bool = False) -> Job:
    """Return what a crew is to do, by the settings; ``warm`` where it begins with other towers."""
    training = settings.training
    return Job(
        plan=Plan(training.plan),
        seed=training.seed,
        passes=-(-training.tower_epochs // WARM_SHARE) if warm else training.tower_epochs,
        videos=training.batch_rows * VIDEOS_PER_ROW,
        negatives=NEGATIVES,
        languages=LANGUAGES,
        durations=len(DURATION_EDGES_MS) + 1,
        timeout_s=_TIMEOUT_S,
        warm=warm,
    )


@contextlib.contextmanager
def _workplace(session: Session | None) -> Iterator[Path]:
    """Yield the crew's folder: beside the run's checkpoints, or one that goes afterwards."""
    if session is not None and session.checkpoints is not None:
        folder = session.checkpoints.folder / _CREW
        folder.mkdir(exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="playbill-crew-") as scratch:
            yield Path(scratch)


def _outcome(
    folder: Path, places: ItemPlaces
) -> tuple[ContentTower, UserNetwork, Floats, dict[str, Any]]:
    """Return what a crew has made: content tower, user tower, (I, 64) vectors, and a record."""
    path = latest(folder / CHECKPOINTS)
    assert path is not None
    index = read_index(path)
    tables = {name: _table(path, parts) for name, parts in index.tables.items() if name != _OWN}
    content = ContentTower(
        topics=tables["topics"][1:],
        author_rows=places.author_rows,
        authors=tables["authors"][1:],
        word_codes=places.word_codes,
        words=tables["words"][1:],
        languages=tables["languages"][1:],
        durations=tables["durations"][1:],
    )
    user = UserNetwork()
    user.load_state_dict(torch.load(path / "dense.pt", weights_only=True)["user"])
    user.eval()
    with np.load(folder / OUTPUTS, allow_pickle=False) as arrays:
        vectors = arrays["vectors"]
    record = {
        "steps": index.step,
        "authors": len(places.author_rows),
        "words": len(places.word_codes),
        "losses": [round(loss, 6) for loss in index.curve[:: max(len(index.curve) // 20, 1)]],
        "scale": round(float(user.log_scale.detach().exp()), 4),
    }
    return content, user, vectors, record


def _table(path: Path, parts: Sequence[Stretch]) -> Floats:
    return np.concatenate([np.load(path / each.weights, allow_pickle=False) for each in parts])


def _left(folder: Path, user: UserNetwork, places: ItemPlaces) -> TowersLeft:
    """Return what a crew has made as one worker would leave it."""
    path = latest(folder / CHECKPOINTS)
    assert path is not None
    item = {}
    for name, parts in read_index(path).tables.items():
        table = torch.from_numpy(_table(path, parts))
        item[f"{name}.weight"] = table[1:] if name in FIXED_TABLES else table
    return TowersLeft.of(user, item, places)
