"""What KuaiRand's users watched before the exposures: order real, times made up."""

from pathlib import Path
from typing import Any

import numpy as np

from playbill.contracts import LATEST_AT_MS, EventType
from playbill.core import MINUTE_MS, InvalidInput, NotFound
from playbill.importing.kuairand_exposures import refuse_unknown
from playbill.importing.showings import SETTLES_MS, Showings, did_bit
from playbill.importing.tables import arrow, read_parquet, whole_numbers
from playbill.importing.tally import Count, Ints, Mask, Screen

HISTORY_FILES = "user_history_*.parquet"

STEP_MS = 10 * MINUTE_MS
"""Made-up time between two watches of one user."""

LONG_VIEW_MS = 18_000
"""KuaiRand calls a play long from here on, or from its whole length if that is shorter."""

_COLUMNS = ("user_id", "last_time_ms", "watch_seq", "like_seq", "long_watch_seq")


def read_history(folder: Path, taken: Ints, count: Count) -> Showings:
    """Return one showing a watched video, the last of each user at the instant that is known.

    Args:
        folder: holds ``user_history_*.parquet``, one file.
        taken: (V, 2) ids, ascending, and durations in ms of the videos in the catalogue.
        count: gets watches read and rejections; watches are numbered through the file.

    Raises:
        NotFound: there is no file.
        InvalidInput: the file is torn, lacks a column, or a column is not of its type.
    """
    path = _history_file(folder)
    table = read_parquet(path, _COLUMNS)
    parent, video = _flat(table, "watch_seq", path)
    user, shown_at_ms, usable = _moments(table, parent, path)
    count.read += int(parent.size)
    screen = Screen(count, np.ones(parent.shape, dtype=np.bool_), prefix="history_")
    screen.refuse(~usable, "row_unreadable", "user_id or last_time_ms is empty or out of range")
    refuse_unknown(screen, video, taken[:, 0])
    like_seq, long_seq = _flat(table, "like_seq", path), _flat(table, "long_watch_seq", path)
    liked, long = _matches(parent, video, *like_seq), _matches(parent, video, *long_seq)
    unmatched = like_seq[0].size - int(liked.sum()) + long_seq[0].size - int(long.sum())
    count.notes.append(_note(path, parent.size, unmatched))
    rows = np.flatnonzero(screen.alive)
    durations_ms = taken[np.searchsorted(taken[:, 0], video[rows]), 1]
    return Showings(
        origins=("kr-h",),
        surfaces=(None,),
        origin=np.zeros_like(rows),
        number=rows + 1,
        user=user[rows],
        video=video[rows],
        shown_at_ms=shown_at_ms[rows],
        known_at_ms=shown_at_ms[rows] + SETTLES_MS,
        did=_did(liked[rows], long[rows]),
        watch_ms=np.minimum(durations_ms, LONG_VIEW_MS),
        long_view=np.full_like(rows, 2),
        surface=np.zeros_like(rows),
    )


def _moments(table: Any, parent: Ints, path: Path) -> tuple[Ints, Ints, Mask]:
    """Return (N,) users, (N,) instants in ms and (N,) bool, True where both are usable."""
    user, user_filled = whole_numbers(table, "user_id", path)
    last, last_filled = whole_numbers(table, "last_time_ms", path)
    ahead = np.cumsum(np.bincount(parent, minlength=user.size))[parent]
    shown_at_ms = last[parent] - (ahead - 1 - np.arange(parent.size)) * STEP_MS
    usable = user_filled & last_filled & (user >= 0) & (last <= LATEST_AT_MS - STEP_MS)
    return user[parent], shown_at_ms, usable[parent] & (shown_at_ms >= 0)


def last_matches(keys: Ints, wanted: Ints) -> Mask:
    """Return (N,) bool, True at the last n places of each key that ``wanted``, (M,), holds n times.

    A key that ``wanted`` holds more often than ``keys`` does is True at all its places.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    after = np.searchsorted(ordered, ordered, side="right") - 1 - np.arange(keys.size)
    asked = np.sort(wanted)
    times = np.searchsorted(asked, ordered, side="right") - np.searchsorted(asked, ordered)
    matched = np.zeros(keys.shape, dtype=np.bool_)
    matched[order] = after < times
    return matched


def _matches(parent: Ints, video: Ints, wanted_parent: Ints, wanted_video: Ints) -> Mask:
    """Return (N,) bool, True where a user's watch is among that user's wanted videos."""
    _, place = np.unique(np.concatenate([video, wanted_video]), return_inverse=True)
    span = int(place.max(initial=0)) + 1
    return last_matches(
        parent * span + place[: video.size], wanted_parent * span + place[video.size :]
    )


def _flat(table: Any, name: str, path: Path) -> tuple[Ints, Ints]:
    """Return (N,) rows of the table and (N,) ids for one column of lists."""
    pa = arrow()
    column = table.column(name).combine_chunks()
    if not pa.types.is_list(column.type) and not pa.types.is_large_list(column.type):
        raise InvalidInput(
            f"column {name!r} of {path.name} holds {column.type}; lists of ids are expected",
            field=name,
        )
    flat = pa.table({name: pa.compute.list_flatten(column)})
    parent = np.asarray(pa.compute.list_parent_indices(column).to_numpy(), dtype=np.int64)
    values, filled = whole_numbers(flat, name, path)
    return parent[filled], values[filled]


def _did(liked: Mask, long: Mask) -> Ints:
    always = did_bit(EventType.IMPRESSION) | did_bit(EventType.CLICK)
    did = np.full(liked.shape, always, dtype=np.int64)
    did |= np.where(long, did_bit(EventType.WATCH), 0)
    did |= np.where(liked, did_bit(EventType.LIKE), 0)
    return did


def _note(path: Path, watches: int, unmatched: int) -> str:
    return (
        f"{path.name}: {watches:,} watches; times are made up; order is real. Each user's last "
        f"watch is at its known instant, the others {STEP_MS // MINUTE_MS} minutes apart before "
        f"it, on no known surface; a long one plays {LONG_VIEW_MS // 1000} s or its whole length. "
        f"{unmatched:,} likes and long views of other videos than those watched were left out"
    )


def _history_file(folder: Path) -> Path:
    paths = sorted(folder.glob(HISTORY_FILES))
    if len(paths) != 1:
        raise NotFound(
            f"{folder} holds {len(paths)} files user_history_*.parquet; one is expected",
            field="history",
            hint="pass history=False to import the exposures alone",
        )
    return paths[0]
