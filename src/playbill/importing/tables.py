"""Reading tables from files, with errors that name the file, the column and the line."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from playbill.core import DependencyUnavailable, InvalidInput, NotFound, nearest_name
from playbill.importing.tally import Ints, Mask

ROWS_AT_ONCE = 8_192


def arrow() -> Any:
    """Return the ``pyarrow`` package with its Parquet, CSV and compute parts loaded.

    Raises:
        DependencyUnavailable: it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise DependencyUnavailable(
            "reading Parquet and large CSV files needs pyarrow, which is not installed",
            hint="install playbill[train]",
        ) from error
    return pa


def require_folder(folder: Path) -> None:
    """Raise NotFound unless the folder is there."""
    if not folder.is_dir():
        raise NotFound(
            f"{folder} is not a folder; pass the folder that holds the data set's files",
            field="folder",
        )


def require_file(path: Path) -> Path:
    """Return the path of a file that is there.

    Raises:
        NotFound: it is not; the message names what lies beside it under a similar name.
    """
    if path.is_file():
        return path
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    raise NotFound(
        f"{path.parent} holds no file {path.name}.{nearest_name(path.name, beside)}",
        field=path.name,
        hint="check the path; an unpacked copy of the data set is expected, names unchanged",
    )


def require_columns(path: Path, found: Collection[str], wanted: Collection[str]) -> None:
    """Raise InvalidInput naming every wanted column that was not found."""
    missing = [name for name in wanted if name not in found]
    if missing:
        unused = [name for name in found if name not in wanted]
        told = "; ".join(f"{name!r}.{nearest_name(name, unused)}" for name in missing)
        raise InvalidInput(
            f"{path.name} lacks {len(missing)} of {len(wanted)} columns: {told} "
            f"Found: {', '.join(sorted(found))}",
            field=missing[0],
            hint="pass the data set as it was published, or rename the columns",
        )


def open_parquet(path: Path, wanted: Collection[str]) -> Any:
    """Return an open ``pyarrow.parquet.ParquetFile`` that has the wanted columns.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is no whole Parquet file, or lacks a column.
    """
    pa = arrow()
    require_file(path)
    try:
        parquet = pa.parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, error) from error
    require_columns(path, parquet.schema_arrow.names, wanted)
    return parquet


def read_parquet(path: Path, wanted: Collection[str]) -> Any:
    """Return the wanted columns as a ``pyarrow.Table``; raises as ``open_parquet`` does."""
    pa = arrow()
    parquet = open_parquet(path, wanted)
    try:
        return parquet.read(columns=list(wanted))
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, error) from error


def parquet_rows(path: Path, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield rows as dicts, a few thousand in memory at once; raises as ``open_parquet`` does."""
    pa = arrow()
    parquet = open_parquet(path, wanted)
    try:
        for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(wanted)):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, error) from error


def whole_numbers(table: Any, name: str, path: Path) -> tuple[Ints, Mask]:
    """Return one column as (N,) int64, 0 where empty, and (N,) bool, True where it has a value.

    Raises:
        InvalidInput: the column holds something other than whole numbers or truth values.
    """
    pa = arrow()
    column = table.column(name)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise InvalidInput(
            f"column {name!r} of {path.name} holds {kind}; whole numbers are expected",
            field=name,
            hint="pass the data set as it was published",
        )
    valid = np.asarray(column.is_valid().to_numpy(), dtype=np.bool_)
    filled = column.cast(pa.int64()).fill_null(0)
    return np.asarray(filled.to_numpy(), dtype=np.int64), valid


def csv_rows(path: Path, wanted: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (row, from 1 for the first below the header; its cells by column; "" where absent).

    Raises:
        NotFound: there is no such file.
        InvalidInput: a column is missing, or the text is not UTF-8.
    """
    with require_file(path).open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, restval="")
        row = 0
        try:
            require_columns(path, reader.fieldnames or (), wanted)
            for row, cells in enumerate(reader, start=1):
                yield row, {name: cells[name] for name in wanted}
        except (UnicodeDecodeError, csv.Error) as error:
            raise InvalidInput(
                f"{path.name} is not CSV in UTF-8 soon after row {row}: {error}",
                field=path.name,
                hint="convert it, for example with iconv -t utf-8",
            ) from error


def _torn(path: Path, error: Exception) -> InvalidInput:
    first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InvalidInput(
        f"{path.name} is not a whole Parquet file: {first_line}",
        field=path.name,
        hint="it may be cut short; copy it again and compare sizes",
    )
