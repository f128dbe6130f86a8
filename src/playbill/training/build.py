"""From the log to a versioned, point-in-time data set: replay, join, write, and only then show."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from playbill.contracts import EventLog, Settings
from playbill.core import DependencyUnavailable, InvalidInput
from playbill.features import FEATURE_NAMES, features_digest
from playbill.training.columns import item_batch
from playbill.training.gather import Gathered, gather
from playbill.training.labels import Labels, join_labels
from playbill.training.long_views import long_for_their_length
from playbill.training.progress import OnProgress, within
from playbill.training.report import DatasetReport, LabelCounts, LongViews
from playbill.training.schema import (
    HISTORIES_SCHEMA,
    HISTORIES_TABLE,
    ITEMS_SCHEMA,
    ITEMS_TABLE,
    LABELS,
    REPORT_FILE,
    ROWS_SCHEMA,
    ROWS_TABLE,
)
from playbill.training.staging import Stage, staged_batches

_STAGE = ".building"
_FEATURE_COLUMN = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
_WRITING = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    column_properties=dict.fromkeys(FEATURE_NAMES, _FEATURE_COLUMN),
)
"""Features repeat too seldom for dictionaries: without them writing costs a third."""


def build_dataset(
    log: EventLog,
    settings: Settings,
    tables: Path,
    *,
    up_to: int | None = None,
    on_progress: OnProgress | None = None,
) -> DatasetReport:
    """Replay a log into the training tables and return what was found.

    Three Delta tables get a new version each; a report file, replaced last, says which versions
    belong together, so that readers never meet half a build.

    Args:
        log: read only.
        settings: regions, labels and threads.
        tables: folder of the tables, made when it is not there.
        up_to: the last epoch to replay; None for all.

    Raises:
        InvalidInput: the log holds no impression of a known video.
        DependencyUnavailable: the folder cannot be written, or the join found no room on its disk
            or in memory; the data set is as it was.
    """
    stage_folder = tables / _STAGE
    try:
        shutil.rmtree(stage_folder, ignore_errors=True)
        stage_folder.mkdir(parents=True)
        return _build(log, settings, tables, stage_folder, up_to, on_progress)
    except (OSError, DeltaError, duckdb.OperationalError) as error:
        raise DependencyUnavailable(
            f"the data set in {tables} cannot be written: {error}",
            hint="free space or make the folder writable; the last data set is still there",
        ) from error
    finally:
        shutil.rmtree(stage_folder, ignore_errors=True)


def _build(
    log: EventLog,
    settings: Settings,
    tables: Path,
    folder: Path,
    up_to: int | None,
    on_progress: OnProgress | None,
) -> DatasetReport:
    stage = Stage(folder)
    try:
        gathered = gather(log, settings, stage, up_to, on_progress)
    finally:
        stage.close()
    if gathered.rows == 0:
        raise InvalidInput(
            "the log holds no impression of a known video; there is nothing to learn from",
            hint="serve feeds or import a history first, and post the videos it names",
        )
    within(on_progress, "join labels")(0.0)
    windows_s = settings.labels.windows_s()
    labels = join_labels(folder, gathered.rows, windows_s, settings.training.threads)
    long_views, longest = None, settings.labels.long_view_longest
    if longest is not None:
        durations_ms = gathered.state.items.used()["duration_ms"]
        labels, long_views = long_for_their_length(labels, folder, durations_ms, longest)
    within(on_progress, "join labels")(1.0)
    counts = _Counts()
    items = iter([item_batch(gathered.state.items.used())])
    versions = {
        "histories_version": _write(
            tables / HISTORIES_TABLE, HISTORIES_SCHEMA, staged_batches(folder, "histories")
        ),
        "items_version": _write(tables / ITEMS_TABLE, ITEMS_SCHEMA, items),
        "table_version": _write(
            tables / ROWS_TABLE,
            ROWS_SCHEMA,
            _labelled(folder, labels, gathered.rows, counts, on_progress),
        ),
    }
    report = _report(gathered, labels, counts, settings, long_views, versions)
    draft = tables / f"{REPORT_FILE}.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    draft.replace(tables / REPORT_FILE)
    return report


class _Counts:
    """What is counted while rows stream by."""

    def __init__(self) -> None:
        self.first_at_ms = np.iinfo(np.int64).max
        self.last_at_ms = 0
        self.at_ms: list[Any] = []

    def take(self, batch: pa.RecordBatch) -> None:
        at_ms = batch.column("at_ms").to_numpy()
        self.first_at_ms = min(self.first_at_ms, int(at_ms.min()))
        self.last_at_ms = max(self.last_at_ms, int(at_ms.max()))
        self.at_ms.append(at_ms)


def _labelled(
    folder: Path, labels: Labels, rows: int, counts: _Counts, on_progress: OnProgress | None
) -> Iterator[pa.RecordBatch]:
    """Yield the staged rows with their labels beside them."""
    report = within(on_progress, "write rows")
    done = 0
    for batch in staged_batches(folder, "rows"):
        part = slice(done, done + batch.num_rows)
        bits = labels.bits[part]
        added = [pa.array((bits >> k & 1).astype(np.bool_)) for k in range(len(LABELS))]
        added.append(pa.array(labels.viewed_long[part]))
        added.append(pa.array(labels.watch_ms[part], mask=~labels.watched[part]))
        added.append(pa.array(labels.delay_ms[part], mask=~labels.any_outcome[part]))
        counts.take(batch)
        done = part.stop
        report(done / rows)
        yield pa.RecordBatch.from_arrays([*batch.columns, *added], schema=ROWS_SCHEMA)


def _write(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    """Replace a table's content and return the version that holds it."""
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    write_deltalake(
        str(path), reader, mode="overwrite", schema_mode="overwrite", writer_properties=_WRITING
    )
    return int(DeltaTable(str(path)).version())


def _report(
    gathered: Gathered,
    labels: Labels,
    counts: _Counts,
    settings: Settings,
    long_views: LongViews | None,
    versions: dict[str, int],
) -> DatasetReport:
    windows_s = settings.labels.windows_s()
    open_since_ms = gathered.state.at_ms - max(windows_s.values()) * 1000
    positives = {name: int((labels.bits >> k & 1).sum()) for k, name in enumerate(LABELS)}
    return DatasetReport(
        rows=gathered.rows,
        requests=labels.requests,
        served_rows=gathered.served_rows,
        exposure_rows=gathered.rows - gathered.served_rows,
        labels=LabelCounts(watched=int(labels.watched.sum()), **positives),
        outcomes=gathered.outcomes,
        joined=labels.joined,
        late=labels.late,
        unmatched=labels.unmatched,
        immature_rows=sum(int((at_ms > open_since_ms).sum()) for at_ms in counts.at_ms),
        unsettled_rows=gathered.unsettled_rows,
        unread_requests=gathered.unread_requests,
        first_at_ms=counts.first_at_ms,
        last_at_ms=counts.last_at_ms,
        epoch=gathered.state.epoch,
        features=features_digest(),
        windows_s=windows_s,
        ended_at_ms=gathered.state.at_ms,
        long_view_ms=settings.labels.long_view_ms,
        long_views=long_views,
        regions=list(settings.regions),
        **versions,
    )
