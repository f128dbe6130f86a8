"""MovieLens's ratings, from any of its layouts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.contracts import LATEST_AT_MS
from playbill.core import DAY_MS, MINUTE_MS, InvalidInput, NotFound
from playbill.importing.tables import arrow, read_parquet, require_columns, whole_numbers
from playbill.importing.tally import Count, Ints, Mask, Screen

MADE_UP_FROM_MS = 978_307_200_000
"""1 January 2001, UTC: where made-up times begin."""

STEP_MS = 10 * MINUTE_MS
"""Made-up time between two ratings of one user."""

_CELLS = ("userId", "movieId", "rating", "timestamp")
_SEQUENCE = ("orig_user_id", "orig_movie_id", "rating", "position")
_WHOLE = r"^[0-9]{1,18}$"
_STARS = r"^[0-9](\.[0-9]+)?$"


@dataclass(frozen=True, slots=True)
class Ratings:
    """R ratings in the order of their file; every array is (R,)."""

    row: Ints
    """Place in the file, from 1."""
    user: Ints
    film: Ints
    stars: npt.NDArray[np.float64]
    """0.5 to 5."""
    rated_at_ms: Ints


def read_ratings(folder: Path, count: Count, films: Ints | None = None) -> Ratings:
    """Return the usable ratings.

    Args:
        folder: holds ``ratings.dat``, ``ratings.csv`` or ``interactions.parquet``, looked for in
            this order: the first two know when, the last only in what order.
        count: gets rows read, duplicates and rejections.
        films: (F,) ids in the catalogue, ascending; ratings of other films are rejected.

    Raises:
        NotFound: none of the files is there.
        InvalidInput: the file is torn, lacks a column or has a row of the wrong width.
    """
    for name, read in _LAYOUTS.items():
        if (folder / name).is_file():
            ratings, alive = read(folder / name, count)
            return _screened(ratings, Screen(count, alive), films)
    raise NotFound(
        f"{folder} holds none of {', '.join(_LAYOUTS)}; MovieLens keeps its ratings there",
        field="ratings",
        hint="pass the folder of an unpacked MovieLens archive",
    )


def _screened(ratings: Ratings, screen: Screen, films: Ints | None) -> Ratings:
    at_ms = ratings.rated_at_ms
    screen.refuse(
        (ratings.stars < 0.5) | (ratings.stars > 5.0), "rating_out_of_range", "not 0.5 to 5 stars"
    )
    screen.refuse(
        (at_ms < 0) | (at_ms > LATEST_AT_MS - DAY_MS),
        "instant_out_of_range",
        "the timestamp is not seconds between 1970 and 2099",
    )
    screen.drop_repeated(at_ms, ratings.film, ratings.user)
    if films is not None:
        screen.refuse(
            ~np.isin(ratings.film, films), "video_not_taken", "its film is not in the catalogue"
        )
    kept = screen.alive
    return Ratings(
        row=ratings.row[kept],
        user=ratings.user[kept],
        film=ratings.film[kept],
        stars=ratings.stars[kept],
        rated_at_ms=at_ms[kept],
    )


def _from_dat(path: Path, count: Count) -> tuple[Ratings, Mask]:
    text = path.read_bytes()
    return _from_text(path, text.replace(b"::", b"\t"), "\t", _CELLS, count)


def _from_csv(path: Path, count: Count) -> tuple[Ratings, Mask]:
    with path.open("rb") as lines:
        head = lines.readline().decode("utf-8", "replace").strip().split(",")
    require_columns(path, head, _CELLS)
    return _from_text(path, path.read_bytes(), ",", None, count)


def _from_text(
    path: Path, text: bytes, delimiter: str, names: tuple[str, ...] | None, count: Count
) -> tuple[Ratings, Mask]:
    """Return all rows and (R,) bool, True where every cell is a number."""
    pa = arrow()
    broken: list[str] = []

    def refuse(row: Any) -> str:
        broken.append(f", row {row.number} has {row.actual_columns} cells")
        return "error"

    try:
        table = pa.csv.read_csv(
            pa.BufferReader(text),
            read_options=pa.csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=refuse),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(_CELLS, pa.string()), include_columns=list(_CELLS)
            ),
        )
    except pa.ArrowInvalid as error:
        where = broken[0] if broken else ""
        raise InvalidInput(
            f"{path.name} is not a table of ratings{where}; {', '.join(_CELLS)} are expected",
            field=path.name,
            hint="it may be cut short; unpack the archive again",
        ) from error
    alive = np.ones(table.num_rows, dtype=np.bool_)
    count.read += table.num_rows
    screen = Screen(count, alive)
    for name in _CELLS:
        pattern = _STARS if name == "rating" else _WHOLE
        fits = pa.compute.match_substring_regex(table.column(name), pattern).fill_null(False)
        screen.refuse(~np.asarray(fits), f"{name}_unreadable", f"{name} is not a number")
    user, film, seconds = (
        _numbers(table, name, screen.alive, pa.int64())
        for name in ("userId", "movieId", "timestamp")
    )
    ratings = Ratings(
        row=np.arange(1, table.num_rows + 1),
        user=user,
        film=film,
        stars=_numbers(table, "rating", screen.alive, pa.float64()),
        rated_at_ms=np.minimum(seconds, LATEST_AT_MS) * 1000,
    )
    return ratings, screen.alive


def _numbers(table: Any, name: str, alive: Mask, kind: Any) -> npt.NDArray[Any]:
    pa = arrow()
    usable = pa.compute.if_else(pa.array(alive), table.column(name), "1")
    return np.asarray(usable.cast(kind).to_numpy())


def _from_sequence(path: Path, count: Count) -> tuple[Ratings, Mask]:
    table = read_parquet(path, _SEQUENCE)
    columns = {name: whole_numbers(table, name, path) for name in _SEQUENCE}
    alive = np.ones(table.num_rows, dtype=np.bool_)
    count.read += table.num_rows
    count.notes.append(
        f"{path.name} tells no times: order within a user is real, times are made up, "
        f"{STEP_MS // MINUTE_MS} minutes apart from 1 January 2001 for everyone"
    )
    screen = Screen(count, alive)
    for name, (values, filled) in columns.items():
        screen.refuse(~filled | (values < 0), f"{name}_unreadable", f"{name} is empty or negative")
    position = np.clip(columns["position"][0], 0, LATEST_AT_MS // STEP_MS)
    ratings = Ratings(
        row=np.arange(1, table.num_rows + 1),
        user=columns["orig_user_id"][0],
        film=columns["orig_movie_id"][0],
        stars=columns["rating"][0].astype(np.float64),
        rated_at_ms=MADE_UP_FROM_MS + position * STEP_MS,
    )
    return ratings, screen.alive


_LAYOUTS: dict[str, Callable[[Path, Count], tuple[Ratings, Mask]]] = {
    "ratings.dat": _from_dat,
    "ratings.csv": _from_csv,
    "interactions.parquet": _from_sequence,
}
