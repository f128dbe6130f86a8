"""KuaiRand's videos and users."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np

from playbill.contracts import MAX_TOPICS, Fields
from playbill.core import DAY_MS
from playbill.importing.kuairand_exposures import exposure_files
from playbill.importing.tables import csv_rows, read_parquet, whole_numbers
from playbill.importing.tally import Count

STAND_IN_DURATION_MS = 10_000
VIDEO_COLUMNS = ("video_id", "author_id", "upload_dt", "video_duration", "tag")


def read_videos(folder: Path, count: Count) -> Iterator[Fields]:
    """Yield bodies of ``POST /v1/videos``; count rows that cannot become one.

    Raises:
        NotFound: ``videos.csv`` is not there.
        InvalidInput: it lacks a column or is not UTF-8.
    """
    seen: set[str] = set()
    standing_in = 0
    exposed: dict[int, int] | None = None
    for row, cells in csv_rows(folder / "videos.csv", VIDEO_COLUMNS):
        count.read += 1
        name = cells["video_id"]
        if not (name.isascii() and name.isdigit()):
            count.reject("video_id_unreadable", "video_id is not a whole number", row)
            continue
        name = str(int(name))
        if name in seen:
            count.duplicates += 1
            continue
        seen.add(name)
        if not cells["author_id"]:
            count.reject("author_missing", "author_id is empty; a video needs an author", row)
            continue
        duration_ms = _duration_ms(cells["video_duration"])
        if duration_ms is None:
            exposed = _exposed_durations(folder) if exposed is None else exposed
            duration_ms = exposed.get(int(name))
        created_at_ms = _midnight_ms(cells["upload_dt"])
        if created_at_ms is None:
            count.reject("upload_dt_unreadable", "upload_dt is not a date YYYY-MM-DD", row)
        else:
            standing_in += duration_ms is None
            yield _body(cells, duration_ms or STAND_IN_DURATION_MS, created_at_ms)
    if standing_in:
        count.notes.append(
            f"{standing_in} videos say nowhere how long they play (most are picture posts); "
            f"{STAND_IN_DURATION_MS / 1000:.0f} s stand in"
        )


def read_users(folder: Path, count: Count) -> Iterator[Fields]:
    """Yield bodies of ``POST /v1/users``; raises as ``read_videos`` does for ``users.csv``."""
    seen: set[str] = set()
    for row, cells in csv_rows(folder / "users.csv", ("user_id",)):
        count.read += 1
        name = cells["user_id"]
        if not (name.isascii() and name.isdigit()):
            count.reject("user_id_unreadable", "user_id is not a whole number", row)
            continue
        name = str(int(name))
        if name in seen:
            count.duplicates += 1
            continue
        seen.add(name)
        yield {"user_id": name}


def _body(cells: dict[str, str], duration_ms: int, created_at_ms: int) -> Fields:
    name = str(int(cells["video_id"]))
    tags = [tag.strip() for tag in cells["tag"].split(",") if tag.strip()]
    topics = [f"tag-{tag}" for tag in dict.fromkeys(tags)][:MAX_TOPICS]
    return {
        "video_id": name,
        "author_id": cells["author_id"],
        "title": " · ".join([f"KuaiRand video {name}", *topics[:1]]),
        "topics": topics,
        "duration_ms": duration_ms,
        "created_at": created_at_ms,
    }


def _duration_ms(cell: str) -> int | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if 1 <= value <= DAY_MS else None


def _midnight_ms(cell: str) -> int | None:
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        return None
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def _exposed_durations(folder: Path) -> dict[int, int]:
    """Return the first known duration of each exposed video, in ms."""
    durations: dict[int, int] = {}
    for path in exposure_files(folder):
        table = read_parquet(path, ("video_id", "duration_ms"))
        video, _ = whole_numbers(table, "video_id", path)
        length, _ = whole_numbers(table, "duration_ms", path)
        known = (length >= 1) & (length <= DAY_MS)
        names, first = np.unique(video[known], return_index=True)
        found = dict(zip(names.tolist(), length[known][first].tolist(), strict=True))
        durations = found | durations
    return durations
