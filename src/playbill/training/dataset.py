"""A built data set, read back into arrays."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from playbill.contracts import Manifest, Settings
from playbill.core import DependencyUnavailable, InvalidInput, NotFound, nearest_name
from playbill.features import FEATURE_NAMES, ITEM_RECORD, NO_TOPIC, VISIBLE, features_digest
from playbill.features.key_table import number_ids
from playbill.features.layout import HISTORY
from playbill.training.report import DatasetReport
from playbill.training.schema import (
    HISTORIES_SCHEMA,
    HISTORIES_TABLE,
    ITEMS_SCHEMA,
    ITEMS_TABLE,
    LABELS,
    REPORT_FILE,
    ROWS_SCHEMA,
    ROWS_TABLE,
    as_keys,
)
from playbill.training.spill import empty_floats

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

REQUIRED = ("click", "long_view")
"""Tasks without which a ranker is worth nothing."""
_CATEGORIES = ("surface", "region", "topic")
_YOUNG = 20
"""A log that covers fewer windows than this is not waited for in full, or a new home would have
nothing to learn from."""
_PLAIN = ("at_ms", "video", "item", "snapshot", "position")


@dataclass(frozen=True, slots=True)
class Rows:
    """N training rows in the order of replay.

    ``dense`` (N, F); ``categories`` (N, 3) surface, region, first topic's number + 1; ``labels``
    (N, 4) bool by ``LABELS``; ``viewed_long`` (N,) bool, what the log calls a long view, which
    rankers may be taught otherwise; ``users`` (N,) a number a viewer; ``videos`` (N,) keys;
    ``items`` (N,) rows of the items table; ``snapshots`` (N,) rows of the histories; ``positions``
    (N,) from 0, -1 where nobody said; ``propensity`` (N,) with which each was shown where it was,
    as logged, 1 where nobody said; ``known`` (N, 4) bool, whether the time had passed in which the
    label could still come.
    """

    dense: Floats
    categories: Ints
    labels: npt.NDArray[np.bool_]
    viewed_long: npt.NDArray[np.bool_]
    at_ms: Ints
    users: Ints
    videos: npt.NDArray[np.uint64]
    items: Ints
    snapshots: Ints
    positions: Ints
    propensity: Floats
    known: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.at_ms)

    def known_at_ms(self, tasks: tuple[str, ...] = REQUIRED) -> Ints:
        """Return the instants of rows of which the labels of some tasks are known."""
        numbers = [LABELS.index(task) for task in tasks]
        found: Ints = self.at_ms[self.known[:, numbers].all(axis=1)]
        return found

    def only(self, chosen: npt.NDArray[np.bool_] | Ints) -> "Rows":
        """Return the rows at a mask or at places."""
        return Rows(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Histories:
    """(S, 32) item rows and (S, 32) action bits of S snapshots, newest first, 0 bits for none."""

    items: npt.NDArray[np.uint32]
    actions: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The data set that one build made.

    Args:
        tables: the folder.
        report: what the build found, and which table versions are its own.
    """

    tables: Path
    report: DatasetReport

    @classmethod
    def open(cls, tables: Path) -> "Dataset":
        """Return the data set of a folder.

        Raises:
            NotFound: nothing was built there.
            InvalidInput: it was built with other feature definitions, or its report is damaged.
        """
        path = tables / REPORT_FILE
        try:
            report = msgspec.json.decode(path.read_bytes(), type=DatasetReport)
        except FileNotFoundError:
            raise NotFound(
                f"there is no data set in {tables}", hint="build one from the log first"
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
            raise InvalidInput(
                f"{path} cannot be read: {error}", hint="build the data set again"
            ) from error
        return cls(tables, _of_these_features(report))

    @classmethod
    def of_manifest(cls, tables: Path, manifest: Manifest) -> "Dataset":
        """Return the data set that a bundle was trained on, as long as its versions are kept.

        Raises:
            InvalidInput: it was built with other feature definitions, or the bundle does not say.
        """
        names = DatasetReport.__struct_fields__
        try:
            report = msgspec.convert({name: manifest.data[name] for name in names}, DatasetReport)
        except (KeyError, msgspec.ValidationError) as error:
            raise InvalidInput(
                f"the bundle does not say what it was trained on: {error}",
                hint="train anew; older versions said less",
            ) from error
        return cls(tables, _of_these_features(report))

    def rows(self, *, from_ms: int | None = None, in_memory_gib: float = math.inf) -> Rows:
        """Return the rows from an instant on, all of them for None.

        Args:
            from_ms: the instant.
            in_memory_gib: features beyond that lie in a file beside the tables.

        Raises:
            InvalidInput: columns are missing or unknown, rows are missing, or a feature is no
                finite number.
            DependencyUnavailable: the table is gone or damaged, or there is no room for the file.
        """
        with _reading(ROWS_TABLE, self.report.table_version):
            table = self._table(ROWS_TABLE, self.report.table_version, ROWS_SCHEMA)
            places = _places(table, self.report.rows, from_ms)
            shape = (int((places >= 0).sum()), len(FEATURE_NAMES))
            dense = empty_floats(shape, in_memory_gib * 2**30, self.tables)
            return _read_rows(table, places, dense, self.report)

    def rows_for(self, settings: Settings, from_ms: int | None = None) -> Rows:
        """Return the same, with as much in memory as the settings say."""
        return self.rows(from_ms=from_ms, in_memory_gib=settings.training.rows_in_memory_gib)

    def columns(self, *names: str) -> Any:
        """Return some columns of the rows as an Arrow table, in any order.

        Raises:
            InvalidInput: columns are missing or unknown.
            DependencyUnavailable: the table is gone or damaged.
        """
        with _reading(ROWS_TABLE, self.report.table_version):
            table = self._table(ROWS_TABLE, self.report.table_version, ROWS_SCHEMA)
            return table.to_table(columns=list(names))

    def histories(self) -> Histories:
        """Return the snapshots, by number.

        Raises:
            InvalidInput: columns are missing or unknown.
            DependencyUnavailable: the table is gone or damaged.
        """
        version = self.report.histories_version
        with _reading(HISTORIES_TABLE, version):
            table = self._table(HISTORIES_TABLE, version, HISTORIES_SCHEMA).to_table()
        numbers = table.column("snapshot").to_numpy()
        items = np.zeros((len(numbers), HISTORY), np.uint32)
        actions = np.zeros((len(numbers), HISTORY), np.uint8)
        for name, target in (("items", items), ("actions", actions)):
            padded = np.zeros(target.shape, target.dtype)
            _unpack(table.column(name), padded)
            target[numbers] = padded
        return Histories(items, actions)

    def items(self) -> npt.NDArray[np.void]:
        """Return (I,) ``ITEM_RECORD`` of the catalogue at the end of the replay, sums left out.

        Raises:
            InvalidInput: columns are missing or unknown.
            DependencyUnavailable: the table is gone or damaged.
        """
        version = self.report.items_version
        with _reading(ITEMS_TABLE, version):
            table = self._table(ITEMS_TABLE, version, ITEMS_SCHEMA).to_table().sort_by("item")
        items = np.zeros(table.num_rows, ITEM_RECORD)
        for name in ("author", "duration_ms", "created_at_ms", "regions", "language", "age_rating"):
            items[name] = table.column(name).to_numpy()
        items["key"] = as_keys(table.column("video").to_numpy())
        items["flags"] = np.where(table.column("visible").to_numpy(), VISIBLE, 0)
        items["topics"] = NO_TOPIC
        for name in ("topics", "words"):
            _unpack(table.column(name), items[name])
        return items

    def _table(self, name: str, version: int, schema: pa.Schema) -> Any:
        """Return one version of a table as an Arrow data set with exactly the expected columns."""
        found = DeltaTable(str(self.tables / name), version=version).to_pyarrow_dataset()
        _require_columns(name, found.schema.names, schema.names)
        return found


def _unpack(column: pa.ChunkedArray, into: npt.NDArray[Any]) -> None:
    """Fill (N, K) with N lists of at most K values; places beyond a list's end stay."""
    lists = column.combine_chunks()
    counts = np.diff(lists.offsets.to_numpy())
    into[np.arange(into.shape[1])[None, :] < counts[:, None]] = lists.flatten().to_numpy()


def _of_these_features(report: DatasetReport) -> DatasetReport:
    if report.features != features_digest():
        raise InvalidInput(
            f"the data set holds features {report.features[:19]}…, this version computes "
            f"{features_digest()[:19]}…",
            hint="build the data set again; the log replays through any definitions",
        )
    return report


@contextmanager
def _reading(name: str, version: int) -> Iterator[None]:
    """Tell whatever the disk or a damaged file does to a reader as the one declared error."""
    try:
        yield
    except (DeltaError, pa.ArrowException, OSError) as error:
        raise DependencyUnavailable(
            f"{name} version {version} cannot be read: {error}",
            hint="build the data set again",
        ) from error


def _require_columns(table: str, found: list[str], expected: list[str]) -> None:
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    if missing or unknown:
        raise InvalidInput(
            f"{table} lacks columns [{', '.join(missing)}] and has unknown ones "
            f"[{', '.join(unknown)}]."
            + (nearest_name(missing[0], unknown) if missing and unknown else ""),
            hint="build the data set again with this version",
        )


def _places(table: Any, size: int, from_ms: int | None) -> Ints:
    """Return (size,) the place of each row among those from an instant on, -1 for the others."""
    kept, met = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    for batch in table.to_batches(columns=["row_id", "at_ms"]):
        at = batch.column("row_id").to_numpy()
        if len(at) and not 0 <= at.min() <= at.max() < size:
            raise _torn(f"{ROWS_TABLE} holds rows beyond the {size:,} of its report")
        met[at] = True
        kept[at] = from_ms is None or batch.column("at_ms").to_numpy() >= from_ms
    if not met.all():
        raise _torn(f"{ROWS_TABLE} lacks {int((~met).sum()):,} of {size:,} rows")
    return np.where(kept, np.cumsum(kept) - 1, -1)


def _read_rows(table: Any, places: Ints, dense: Floats, report: DatasetReport) -> Rows:
    """Return the rows that have a place, of a table whose files hold them in any order."""
    size, finite = len(dense), _Finite()
    categories = np.empty((size, len(_CATEGORIES)), np.int64)
    labels = np.empty((size, len(LABELS)), np.bool_)
    plain = {name: np.empty(size, np.int64) for name in _PLAIN}
    ids, propensity = np.empty((size, 2), np.uint64), np.empty(size, np.float32)
    viewed_long = np.empty(size, np.bool_)
    columns = [
        "row_id",
        "user",
        "propensity",
        "viewed_long",
        *_PLAIN,
        *_CATEGORIES,
        *LABELS,
        *FEATURE_NAMES,
    ]
    for found in table.to_batches(columns=columns):
        at = places[found.column("row_id").to_numpy()]
        batch, at = found.filter(pa.array(at >= 0)), at[at >= 0]
        features = np.empty((len(at), len(FEATURE_NAMES)), np.float32)
        for names, target, rows in (
            (FEATURE_NAMES, features, slice(None)),
            (_CATEGORIES, categories, at),
            (LABELS, labels, at),
        ):
            for place, name in enumerate(names):
                target[rows, place] = batch.column(name).to_numpy(zero_copy_only=False)
        finite.take(features)
        dense[at] = features
        for name, column in plain.items():
            column[at] = batch.column(name).fill_null(-1).to_numpy(zero_copy_only=False)
        ids[at] = _ids(batch.column("user"))
        viewed_long[at] = batch.column("viewed_long").to_numpy(zero_copy_only=False)
        said = batch.column("propensity").fill_null(1.0)
        propensity[at] = said.to_numpy(zero_copy_only=False)
    finite.require()
    users, _ = number_ids(ids)
    at_ms, videos = plain["at_ms"], as_keys(plain["video"])
    known = at_ms[:, None] + _waits_ms(report) <= report.ended_at_ms
    others = plain["item"], plain["snapshot"], plain["position"], propensity
    return Rows(dense, categories, labels, viewed_long, at_ms, users, videos, *others, known)


def _waits_ms(report: DatasetReport) -> Ints:
    """Return (4,) how old an impression must be for its label to be known.

    The attribution window, and of a young log no more than a twentieth of what it covers.
    """
    covered_ms = report.ended_at_ms - report.first_at_ms
    windows_ms = np.array([report.windows_s[label] * 1000 for label in LABELS], np.int64)
    return np.minimum(windows_ms, covered_ms // _YOUNG)


def _torn(message: str) -> InvalidInput:
    return InvalidInput(message, hint="build the data set again")


def _ids(column: pa.Array) -> npt.NDArray[np.uint64]:
    """Return (N, 2) numbers of a column of 16-byte values."""
    fixed = column.cast(pa.binary(16))
    data = np.frombuffer(fixed.buffers()[1], np.uint64).reshape(-1, 2)
    return data[fixed.offset : fixed.offset + len(fixed)]


@dataclass(slots=True)
class _Finite:
    """How many rows hold no finite number, and where."""

    rows: int = 0
    columns: set[int] = field(default_factory=set)

    def take(self, features: Floats) -> None:
        bad = ~np.isfinite(features)
        if bad.any():
            self.rows += int(bad.any(axis=1).sum())
            self.columns.update(np.flatnonzero(bad.any(axis=0)).tolist())

    def require(self) -> None:
        if self.rows:
            columns = ", ".join(FEATURE_NAMES[place] for place in sorted(self.columns))
            raise InvalidInput(
                f"{self.rows:,} rows hold NaN or infinity in {columns}",
                hint="build the data set again; the definitions never yield one",
            )
