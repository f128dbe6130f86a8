"""KuaiRand's exposures as showings."""

from pathlib import Path

import numpy as np

from playbill.contracts import LATEST_AT_MS, EventType
from playbill.core import DAY_MS, NotFound
from playbill.importing.showings import SETTLES_MS, Showings, did_bit
from playbill.importing.tables import read_parquet, whole_numbers
from playbill.importing.tally import Count, Ints, Mask, Screen

SURFACES = tuple(f"tab-{tab}" for tab in range(15))

_OUTCOMES = {
    "is_click": EventType.CLICK,
    "is_like": EventType.LIKE,
    "is_follow": EventType.FOLLOW,
    "is_comment": EventType.COMMENT,
    "is_forward": EventType.SHARE,
    "is_hate": EventType.HIDE,
}
_COLUMNS = ("user_id", "video_id", "time_ms", "tab", "play_time_ms", "long_view", *_OUTCOMES)


def exposure_files(folder: Path) -> list[Path]:
    """Return the folder's exposure files by name.

    Raises:
        NotFound: there is none.
    """
    paths = sorted(folder.glob("exposures_*.parquet"))
    if not paths:
        raise NotFound(
            f"{folder} holds no file exposures_*.parquet; KuaiRand's exposures are expected there",
            field="exposures",
            hint="pass the folder that holds the exposures, videos.csv and users.csv",
        )
    return paths


def read_exposures(folder: Path, taken: Ints, count: Count) -> Showings:
    """Return the usable exposures; the first of equal (user, video, instant) is kept.

    Args:
        folder: where the files are; several are read one after the other, by name.
        taken: (V,) ids of the videos that are in the catalogue, ascending.
        count: gets rows read, duplicates and rejections; rows are numbered across files.

    Raises:
        NotFound: there is no file.
        InvalidInput: a file is torn, or lacks a column.
    """
    columns, filled = _read(folder)
    screen = Screen(count, np.ones(filled.shape, dtype=np.bool_))
    count.read += int(filled.size)
    _screen_values(screen, columns, filled)
    screen.drop_repeated(columns["time_ms"], columns["video_id"], columns["user_id"])
    refuse_unknown(screen, columns["video_id"], taken)
    rows = np.flatnonzero(screen.alive)
    if count.duplicates:
        count.notes.append(
            f"{count.duplicates:,} exposures repeat an earlier one's user, video and instant; "
            "the first of each was kept"
        )
    return _showings({name: column[rows] for name, column in columns.items()}, rows + 1)


def refuse_unknown(screen: Screen, video: Ints, taken: Ints) -> None:
    """Take out rows whose video, (N,), is not among the ascending ids ``taken``."""
    place = np.searchsorted(taken, video)
    inside = place < taken.size
    known = np.zeros(video.shape, dtype=np.bool_)
    known[inside] = taken[place[inside]] == video[inside]
    screen.refuse(
        ~known, "video_not_taken", "its video is not in the catalogue, or was rejected there"
    )


def _read(folder: Path) -> tuple[dict[str, Ints], Mask]:
    """Return the columns, (N,) each, and (N,) bool, True where no cell is empty."""
    tables = [(path, read_parquet(path, _COLUMNS)) for path in exposure_files(folder)]
    columns: dict[str, Ints] = {}
    filled = np.ones(sum(table.num_rows for _, table in tables), dtype=np.bool_)
    for name in _COLUMNS:
        parts = [whole_numbers(table, name, path) for path, table in tables]
        columns[name] = np.concatenate([values for values, _ in parts])
        filled &= np.concatenate([valid for _, valid in parts])
    return columns, filled


def _screen_values(screen: Screen, columns: dict[str, Ints], filled: Mask) -> None:
    screen.refuse(~filled, "cell_empty", f"a cell is empty; needed: {', '.join(_COLUMNS)}")
    screen.refuse(
        (columns["user_id"] < 0) | (columns["video_id"] < 0),
        "id_negative",
        "user_id or video_id is negative; ids count from 0",
    )
    at_ms = columns["time_ms"]
    screen.refuse(
        (at_ms < 0) | (at_ms > LATEST_AT_MS - DAY_MS),
        "instant_out_of_range",
        "time_ms is not milliseconds between 1970 and 2099",
    )
    screen.refuse(
        (columns["tab"] < 0) | (columns["tab"] >= len(SURFACES)),
        "tab_unknown",
        f"tab is not 0 to {len(SURFACES) - 1}",
    )
    played = columns["play_time_ms"]
    screen.refuse(
        (played < 0) | (played > DAY_MS), "play_out_of_range", "play_time_ms is not 0 to a day"
    )


def _showings(columns: dict[str, Ints], number: Ints) -> Showings:
    played, long_view = columns["play_time_ms"], columns["long_view"] != 0
    did = np.full(number.shape, did_bit(EventType.IMPRESSION), dtype=np.int64)
    did |= np.where((played > 0) | long_view, did_bit(EventType.WATCH), 0)
    for name, kind in _OUTCOMES.items():
        did |= np.where(columns[name] != 0, did_bit(kind), 0)
    return Showings(
        origins=("kr-",),
        surfaces=SURFACES,
        origin=np.zeros_like(number),
        number=number,
        user=columns["user_id"],
        video=columns["video_id"],
        shown_at_ms=columns["time_ms"],
        known_at_ms=columns["time_ms"] + np.maximum(played, SETTLES_MS),
        did=did,
        watch_ms=played,
        long_view=1 + long_view.astype(np.int64),
        surface=columns["tab"],
    )
