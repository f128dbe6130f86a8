"""One training run: a data set in, the files of a bundle out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.contracts import Manifest, Settings
from playbill.core import Conflict, DependencyUnavailable
from playbill.features import VISIBLE
from playbill.models import value_vector
from playbill.training.crewed_towers import train_towers_by_crew
from playbill.training.dataset import REQUIRED, Dataset, Histories, Rows
from playbill.training.eight_bit_training import fit_eight_bits, lists_of
from playbill.training.fitting import Session
from playbill.training.leaks import leak_suspects
from playbill.training.light_training import describe_light, distil_light
from playbill.training.measuring import measure, score_rows
from playbill.training.popular import popular_lists
from playbill.training.progress import OnProgress, within
from playbill.training.provenance import Circumstances, manifest_of, write_card, write_json
from playbill.training.ranker_training import TrainedRanker, train_ranker
from playbill.training.retrieval_metrics import measure_towers, some_viewers
from playbill.training.row_scorer import RowScorer
from playbill.training.sequences import sequences_of
from playbill.training.split import Split, quick_split
from playbill.training.tower_data import positives_of
from playbill.training.tower_training import TrainedTowers, train_towers
from playbill.training.transitions import count_transitions
from playbill.training.warm_start import Left, save_left

_LIGHT_ROWS = 500_000


def draft_bundle(
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    made: Circumstances,
    *,
    day_offset_h: int = 0,
    rows_from_ms: int | None = None,
    require: tuple[str, ...] = REQUIRED,
    session: Session | None = None,
    begin: Left | None = None,
    leave: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Manifest:
    """Write a bundle's files, all but index and manifest, and return the manifest without files.

    The last part of the time is only scored, for the report; the part before it chooses and
    calibrates; see ``quick_split``. The files are made aside and become ``folder`` at the end.

    Args:
        dataset: a built data set.
        settings: seed, threads, recipe, value weights, declared regions and surfaces.
        folder: to be made; it must not be there.
        made: circumstances for the manifest.
        day_offset_h: when days begin, in hours before midnight UTC.
        rows_from_ms: rows before it are left out, None for none; see ``training.rows_from``.
        require: tasks without which there is no bundle.
        session: where the run is kept, and who hears of it; nothing of it is in the bundle.
        begin: what another training left, to begin with; None begins with nothing.
        leave: where to write what the next training may begin with; None for nowhere.
        on_progress: told of the stages.

    Raises:
        InvalidInput: the data set is unfit: missing columns, NaN, too few rows, one class.
        Conflict: the folder is there already.
        DependencyUnavailable: the folder cannot be written; nothing is left of the draft.
    """
    with _drafted(folder) as scratch:
        within(on_progress, "read rows")(0.0)
        rows, histories = dataset.rows_for(settings, rows_from_ms), dataset.histories()
        split = quick_split(rows.known_at_ms(require), settings.training.holdout, day_offset_h)
        ranker = train_ranker(
            rows, split, settings, histories, require=require, session=session,
            start=begin.start() if begin else None, on_progress=on_progress,
        )  # fmt: skip
        ranker.save(scratch)
        towers = _train_towers(
            dataset, rows, split, settings, scratch, session, begin, leave, on_progress
        )
        if leave is not None:
            save_left(leave, ranker, towers)
        within(on_progress, "measure")(0.0)
        metrics = _measured(rows, histories, split, settings, ranker, scratch, day_offset_h)
        metrics["towers"] = towers.record.pop("recall")
        record = {"day_offset_h": day_offset_h, "rows_from_ms": rows_from_ms, **_described(begin),
                  "ranker": ranker.record, "towers": towers.record}  # fmt: skip
        manifest = manifest_of(dataset, rows, split, settings, made, record, metrics)
        write_card(scratch / "card.json", manifest)
        within(on_progress, "measure")(1.0)
    return manifest


def _described(begin: Left | None) -> dict[str, Any]:
    """Return what a training says of what it began with."""
    if begin is None:
        return {"begun_with": None, "warm_in_a_row": 0}
    return {"begun_with": begin.digest, "warm_in_a_row": begin.warm_in_a_row + 1}


@contextmanager
def _drafted(folder: Path) -> Iterator[Path]:
    """Yield a scratch folder that becomes the draft when all went well, and vanishes otherwise."""
    if folder.exists():
        raise Conflict(f"{folder} is there already", hint="choose another folder for the draft")
    scratch = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        (scratch / "card.json").touch()
        yield scratch
        scratch.rename(folder)
    except OSError as error:
        raise DependencyUnavailable(
            f"the draft {folder} cannot be written: {error}",
            hint="free space or choose a folder that can be written",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _train_towers(
    dataset: Dataset,
    rows: Rows,
    split: Split,
    settings: Settings,
    folder: Path,
    session: Session | None,
    begin: Left | None,
    leave: Path | None,
    on_progress: OnProgress | None,
) -> TrainedTowers:
    """Write what retrieval needs, and the lists that need no model."""
    items, histories = dataset.items(), dataset.histories()
    seen = rows.at_ms < split.validate_until_ms
    positives = positives_of(rows, histories, seen)
    sequences = sequences_of(rows, seen)
    others = None if begin is None else begin.towers
    if settings.training.workers == 1:
        towers = train_towers(
            sequences, items, settings, on_progress, session=session, begin=others
        )
    else:
        towers = train_towers_by_crew(
            sequences, items, settings, on_progress,
            session=session, begin=others, leave=leave is not None,
        )  # fmt: skip
    later = positives_of(rows, histories, split.report(rows.at_ms))
    towers.record["recall"] = measure_towers(towers, later, positives.items)
    transitions = count_transitions(sequences, len(items))
    transitions.save(folder / "transitions_by_row")
    visible = (items["flags"] & VISIBLE) != 0
    (folder / "user_tower.onnx").write_bytes(towers.user_graph)
    towers.content.save(folder / "content_tower.npz")
    np.save(folder / "item_vectors.npy", towers.item_vectors[visible], allow_pickle=False)
    np.save(folder / "item_records.npy", _copied(items, visible), allow_pickle=False)
    np.save(folder / "item_rows.npy", np.flatnonzero(visible), allow_pickle=False)
    np.save(folder / "viewers.npy", some_viewers(towers, positives), allow_pickle=False)
    lists = popular_lists(
        rows,
        seen,
        items,
        value_vector(settings.value),
        regions=len(settings.regions),
        now_ms=split.validate_until_ms,
    )
    write_json(folder / "popular.json", lists)
    return towers


def _copied(records: npt.NDArray[np.void], kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.void]:
    """Return some records with nothing between their fields: the same ones give the same bytes."""
    found = np.zeros(int(kept.sum()), records.dtype)
    for name in records.dtype.names or ():
        found[name] = records[name][kept]
    return found


def _eight_bits(
    chosen: Rows, ranker: TrainedRanker, histories: Histories, settings: Settings, folder: Path
) -> dict[str, Any]:
    """Write the ranges of eight-bit layers where they rank as float32 does, and return the test."""
    assert ranker.interests is not None
    lists = lists_of(chosen, histories, ranker.interests, settings.training.seed)
    ranges, said = fit_eight_bits(ranker.graph, lists, value_vector(settings.value))
    if ranges is not None:
        ranges.save(folder)
    return said


def _measured(
    rows: Rows,
    histories: Histories,
    split: Split,
    settings: Settings,
    ranker: TrainedRanker,
    folder: Path,
    day_offset_h: int,
) -> dict[str, Any]:
    """Write what goes with the ranker, and return what all is worth on the rows that report."""
    scorer = RowScorer.load(folder, histories, settings.training.threads)
    chosen = rows.only(split.validate(rows.at_ms))
    seed, value = settings.training.seed, value_vector(settings.value)
    newest: npt.NDArray[np.int64] = np.flatnonzero(split.train(rows.at_ms))[-_LIGHT_ROWS:]
    dense = rows.dense[newest]
    worth = scorer(rows.only(newest)) @ value
    light = distil_light(dense, worth, settings.training.threads)
    light.save(folder / "light.npz")
    later = rows.only(split.report(rows.at_ms))
    scored = score_rows(scorer, later, day_offset_h)
    return {
        **measure(scored, seed, surfaces=settings.surfaces, regions=settings.regions),
        "light": describe_light(light, later.dense, scored.ranker.p @ value),
        "leak_suspects": leak_suspects(dense, rows.labels[newest]),
        "eight_bits": _eight_bits(chosen, ranker, histories, settings, folder),
    }
