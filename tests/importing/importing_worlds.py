"""Tiny data sets of the schemas that the readers expect, and a sink that remembers."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from playbill.contracts import Declared, Fields, RejectedEvent
from playbill.importing import Mapped

DAY = 1_650_844_800_000
"""25 April 2022, midnight UTC."""

_EXPOSURE = {
    "user_id": 7,
    "video_id": 1,
    "time_ms": DAY,
    "tab": 1,
    "is_click": 0,
    "long_view": 0,
    "is_like": 0,
    "is_follow": 0,
    "is_comment": 0,
    "is_forward": 0,
    "is_hate": 0,
    "play_time_ms": 0,
    "duration_ms": 0,
}
_VIDEO = {
    "video_id": 1,
    "author_id": 70,
    "video_type": "NORMAL",
    "upload_dt": "2022-04-10",
    "video_duration": "30000.0",
    "tag": "12",
}


def exposure(**changes: Any) -> dict[str, Any]:
    return {**_EXPOSURE, **changes}


def video(**changes: Any) -> dict[str, Any]:
    return {**_VIDEO, **changes}


def watched(user_id: int, last_time_ms: int, watch: list[int], **seqs: list[int]) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "last_time_ms": last_time_ms,
        "watch_seq": watch,
        "like_seq": seqs.get("like", []),
        "long_watch_seq": seqs.get("long", []),
    }


def write_kuairand(
    folder: Path,
    exposures: Sequence[dict[str, Any]],
    videos: Sequence[dict[str, Any]] = (video(),),
    history: Sequence[dict[str, Any]] | None = None,
) -> Path:
    schema = pa.schema([(name, pa.int64()) for name in _EXPOSURE])
    table = pa.Table.from_pylist(list(exposures), schema=schema)
    pq.write_table(table, folder / "exposures_0425_0505.parquet")
    write_csv(folder / "videos.csv", list(_VIDEO), videos)
    users = [
        {"user_id": name, "fans": 3} for name in dict.fromkeys(e["user_id"] for e in exposures)
    ]
    write_csv(folder / "users.csv", ["user_id", "fans"], users)
    if history is not None:
        ids = pa.list_(pa.int64())
        sequences = [("watch_seq", ids), ("like_seq", ids), ("long_watch_seq", ids)]
        schema = pa.schema([("user_id", pa.int64()), ("last_time_ms", pa.int64()), *sequences])
        table = pa.Table.from_pylist(list(history), schema=schema)
        pq.write_table(table, folder / "user_history_before_0425.parquet")
    return folder


def write_csv(path: Path, columns: list[str], rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, columns)
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: Sequence[Any]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path


ONE_EACH = """
[events]
path = "events.jsonl"
{sorted}
[events.fields]
user_id = "who"
video_id = "what"
type = {{ column = "did", map = {{ view = "impression", tap = "click" }} }}
at = {{ column = "when", format = "epoch_s" }}
"""


def mapped(
    folder: Path, events: Sequence[Any], *, text: str | None = None, is_sorted: bool = False
) -> Mapped:
    mapping = text or ONE_EACH.format(sorted="sorted = true" if is_sorted else "")
    (folder / "mapping.toml").write_text(mapping)
    write_jsonl(folder / "events.jsonl", events)
    return Mapped(folder, folder / "mapping.toml")


def play(when: Any, did: str = "view", **changes: Any) -> dict[str, Any]:
    return {"who": 5, "what": "v1", "when": when, "did": did, **changes}


Refuse = Callable[[Fields], str | None]


@dataclass
class RecordingSink:
    """A HistorySink that keeps every call and refuses what it is told to."""

    refuse: Refuse = lambda body: None
    calls: list[tuple[str, int, list[Fields]]] = field(default_factory=list)

    def videos(self, bodies: Sequence[Fields], at_ms: int) -> list[RejectedEvent]:
        return self._take("videos", bodies, at_ms)

    def users(self, bodies: Sequence[Fields], at_ms: int) -> list[RejectedEvent]:
        return self._take("users", bodies, at_ms)

    def events(self, bodies: Sequence[Fields], received_at_ms: int) -> list[RejectedEvent]:
        return self._take("events", bodies, received_at_ms)

    def windows(self) -> list[tuple[int, list[Fields]]]:
        return [(at_ms, bodies) for kind, at_ms, bodies in self.calls if kind == "events"]

    def _take(self, kind: str, bodies: Sequence[Fields], at_ms: int) -> list[RejectedEvent]:
        self.calls.append((kind, at_ms, list(bodies)))
        return [
            RejectedEvent(index=index, code="invalid_event", message=message)
            for index, body in enumerate(bodies)
            if (message := self.refuse(body)) is not None
        ]


@dataclass
class ListedHistory:
    """A HistorySource over lists, without a tally."""

    received: list[tuple[int, Fields]]
    catalogue: list[Fields] = field(default_factory=list)
    viewers: list[Fields] = field(default_factory=list)

    def declared(self) -> Declared:
        return Declared(regions=("world",), surfaces=("home",))

    def videos(self) -> Iterator[Fields]:
        return iter(self.catalogue)

    def users(self) -> Iterator[Fields]:
        return iter(self.viewers)

    def events(self) -> Iterator[tuple[int, Fields]]:
        return iter(self.received)
