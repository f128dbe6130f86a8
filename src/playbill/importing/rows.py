"""Rows of JSON lines or Parquet, numbered from 1."""

import gzip
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from playbill.core import InvalidInput, nearest_name
from playbill.importing.tables import parquet_rows, require_file
from playbill.importing.tally import Count


def read_rows(
    path: Path, columns: Collection[str], count: Count
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row, cells); count rows read and lines that are no JSON object.

    Args:
        path: a file named ``.jsonl``, ``.jsonl.gz`` or ``.parquet``.
        columns: what will be used; a column that never occurs becomes a note.
        count: gets rows read, rejections and notes.

    Raises:
        NotFound: there is no such file.
        InvalidInput: the file is of another kind, cut short, not UTF-8 (the line is named), or
            a Parquet table without one of the columns.
    """
    if path.name.endswith(".parquet"):
        for row, cells in enumerate(parquet_rows(path, columns), start=1):
            count.read += 1
            yield row, cells
    elif path.name.endswith((".jsonl", ".jsonl.gz")):
        yield from _json_rows(path, columns, count)
    else:
        raise InvalidInput(
            f"{path.name} is neither .jsonl, .jsonl.gz nor .parquet",
            field=path.name,
            hint="convert it; DuckDB writes Parquet from CSV in one command",
        )


def _json_rows(
    path: Path, columns: Collection[str], count: Count
) -> Iterator[tuple[int, dict[str, Any]]]:
    unseen, known = set(columns), dict[str, None]()
    for row, line in _lines(path):
        count.read += 1
        try:
            cells = msgspec.json.decode(line)
        except msgspec.DecodeError:
            count.reject("line_not_json", "the line is not JSON", row)
            continue
        if not isinstance(cells, dict):
            count.reject("line_not_object", "the line is JSON, but not an object", row)
            continue
        if unseen:
            unseen.difference_update(cells)
            known.update(dict.fromkeys(cells))
        yield row, cells
    count.notes.extend(
        f"{path.name}: column {name!r} never occurs.{nearest_name(name, known)}"
        for name in sorted(unseen)
        if count.read
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, from 1; its text), blank ones left out."""
    row = 0
    try:
        with _opened(path) as lines:
            for row, line in enumerate(lines, start=1):
                text = line.decode("utf-8")
                if text.strip():
                    yield row, text
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path.name}, line {row}: not UTF-8 at byte {error.start} of the line",
            field=path.name,
            hint="convert it, for example with iconv -t utf-8",
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInput(
            f"{path.name} is not a whole gzip file, after line {row}: {error}",
            field=path.name,
            hint="it may be cut short; copy it again and compare sizes",
        ) from error


def _opened(path: Path) -> IO[bytes]:
    require_file(path)
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
