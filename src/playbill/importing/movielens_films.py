"""MovieLens's films."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playbill.contracts import MAX_TITLE, MAX_TOPICS
from playbill.core import NotFound
from playbill.importing.tables import csv_rows
from playbill.importing.tally import Count

_NO_GENRES = "(no genres listed)"
_YEAR = re.compile(r"\((\d{4})\)\s*$")


@dataclass(frozen=True, slots=True)
class Film:
    """One film."""

    film_id: int
    title: str
    genres: tuple[str, ...]
    year_at_ms: int | None
    """1 January of the year in its title, 1970 at the earliest; None where it has no year."""


def read_films(folder: Path, count: Count) -> Iterator[Film]:
    """Yield films from ``movies.dat`` or ``movies.csv``; count rows that are none.

    Raises:
        NotFound: neither file is there.
        InvalidInput: ``movies.csv`` lacks a column or is not UTF-8.
    """
    seen: set[int] = set()
    many = 0
    for row, cells in _rows(folder):
        count.read += 1
        if len(cells) != 3:
            message = f"the row has {len(cells)} cells; id, title and genres are expected"
            count.reject("row_broken", message, row)
            continue
        name, title, listed = cells
        if not (name.isascii() and name.isdigit() and len(name) <= 18):
            count.reject("video_id_unreadable", "the film's id is not a whole number", row)
            continue
        if int(name) in seen:
            count.duplicates += 1
            continue
        seen.add(int(name))
        genres = [genre for genre in listed.strip().split("|") if genre and genre != _NO_GENRES]
        many += len(genres) > MAX_TOPICS
        yield Film(int(name), title[:MAX_TITLE], tuple(genres[:MAX_TOPICS]), _year_at_ms(title))
    if many:
        count.notes.append(f"{many:,} films have more than {MAX_TOPICS} genres; the first stand")


def _rows(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (row from 1, cells)."""
    old, new = folder / "movies.dat", folder / "movies.csv"
    if old.is_file():
        with old.open(encoding="latin-1", newline="\n") as lines:
            for row, line in enumerate(lines, start=1):
                yield row, line.rstrip("\r\n").split("::")
    elif new.is_file():
        for row, cells in csv_rows(new, ("movieId", "title", "genres")):
            yield row, list(cells.values())
    else:
        raise NotFound(
            f"{folder} holds neither movies.dat nor movies.csv; MovieLens keeps its films there",
            field="movies",
            hint="pass the folder of an unpacked MovieLens archive",
        )


def _year_at_ms(title: str) -> int | None:
    found = _YEAR.search(title)
    if found is None:
        return None
    year = min(max(int(found[1]), 1970), 2099)
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000
