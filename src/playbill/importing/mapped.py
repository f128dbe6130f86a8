"""Any data set in JSON lines or Parquet, told apart by a mapping file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playbill.contracts import (
    MAX_FOLLOWS,
    MAX_INTERESTS,
    MAX_REGIONS,
    MAX_SURFACES,
    MAX_TOPICS,
    Declared,
    Fields,
)
from playbill.core import FOREIGN_REQUEST, InvalidInput, key64, request_name
from playbill.importing.coercion import fill, is_true
from playbill.importing.mapping import RECEIVED_AT, Emit, Mapping, Rule, Section, read_mapping
from playbill.importing.ordering import RowEvents, merge_events, sort_events
from playbill.importing.rows import read_rows
from playbill.importing.tables import require_folder
from playbill.importing.tally import Count, Kind, Tally

_KEPT = {
    "topics": slice(MAX_TOPICS),
    "interests": slice(MAX_INTERESTS),
    "follows": slice(-MAX_FOLLOWS, None),
}
"""Lists are cut to what the contract takes: most telling first, most recent last."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A data set as history, by the rules of a mapping file.

    Args:
        path: the folder that the paths in the mapping file begin from.
        mapping_file: TOML; the station's README shows a complete one.

    Raises:
        NotFound: the folder or the mapping file is not there.
        InvalidInput: the mapping file is wrong; the message names the key and the nearest right
            one.
    """

    path: Path
    mapping_file: Path
    mapping: Mapping = field(init=False, repr=False)
    tally: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_folder(self.path)
        object.__setattr__(self, "mapping", read_mapping(self.mapping_file, self.path))

    def declared(self) -> Declared:
        """Return regions and surfaces, most frequent first; reads the tables where they vary.

        Raises:
            InvalidInput: there are more than 32 regions or 64 surfaces.
        """
        regions, surfaces = Counter[str](), Counter[str]()
        for section in (self.mapping.videos, self.mapping.users, self.mapping.events):
            if section is not None:
                _count_values(section, ("region", "regions"), regions)
                _count_values(section, ("surface",), surfaces)
        return Declared(
            regions=_names(regions, "regions", MAX_REGIONS) or ("world",),
            surfaces=_names(surfaces, "surfaces", MAX_SURFACES) or ("home",),
        )

    def videos(self) -> Iterator[Fields]:
        """Yield the catalogue, or nothing where ``[videos]`` is not mapped."""
        return _bodies("videos", self.mapping.videos, self.tally)

    def users(self) -> Iterator[Fields]:
        """Yield viewers, or nothing where ``[users]`` is not mapped."""
        return _bodies("users", self.mapping.users, self.tally)

    def events(self) -> Iterator[tuple[int, Fields]]:
        """Yield events by the instant they were received, sorted in memory if need be.

        Raises:
            InvalidInput: there are too many to sort, or the table claims to be sorted and is not.
        """
        count = self.tally.start("events")
        section = self.mapping.events
        if section is None:
            return iter(())
        rows = _row_events(section, count)
        if section.is_sorted:
            return merge_events(rows, section.path.name)
        events = sort_events(rows, section.path.name)
        count.expected = len(events)
        return iter(events)


def _bodies(kind: Kind, section: Section | None, tally: Tally) -> Iterator[Fields]:
    count = tally.start(kind)
    if section is None:
        return
    cut = 0
    for row, cells in read_rows(section.path, section.columns(), count):
        body = _filled(section.rules, cells, row, count)
        if body is None:
            continue
        for name, kept in _KEPT.items():
            if name in body and len(body[name]) > len(body[name][kept]):
                body[name] = body[name][kept]
                cut += 1
        yield body
    if cut:
        count.notes.append(f"{section.path.name}: {cut:,} lists were cut to the contract's length")


def _filled(
    rules: tuple[Rule, ...], cells: dict[str, Any], row: int, count: Count
) -> Fields | None:
    """Return the fields of one row, or None when it was rejected."""
    try:
        values = {rule.target: fill(rule.target, cells, rule.reading) for rule in rules}
    except InvalidInput as error:
        count.reject(error.code, error.message, row)
        return None
    return {name: value for name, value in values.items() if value is not None}


def _row_events(section: Section, count: Count) -> Iterator[RowEvents]:
    several = section.emits[0].type is not None
    for row, cells in read_rows(section.path, section.columns(), count):
        base = _filled(section.rules, cells, row, count)
        if base is None:
            continue
        lacking = [name for name in ("user_id", "at") if name not in base]
        if lacking:
            count.reject("field_missing", f"{lacking[0]} is empty; every event needs it", row)
            continue
        name = base.setdefault("event_id", f"{section.path.name[:80]}:{row}")
        if several:
            base.setdefault("request_id", request_name(FOREIGN_REQUEST | key64(name)))
        events = []
        for number, emit in enumerate(section.emits, start=1):
            if emit.when is None or is_true(cells.get(emit.when)):
                extra = _filled(emit.rules, cells, row, count)
                if extra is None:
                    break
                events.append(_event(base | extra, emit, number))
        else:
            if events:
                received_at_ms: int = base[RECEIVED_AT] if RECEIVED_AT in base else base["at"]
                yield RowEvents(row, received_at_ms, events)
            else:
                count.reject("no_event", "no [[events.emit]] applies to the row", row)


def _event(body: Fields, emit: Emit, number: int) -> tuple[int, Fields]:
    """Return (received instant in ms, body) of one event."""
    body["at"] += emit.delay_ms
    received_at_ms: int = body.pop(RECEIVED_AT, body["at"] - emit.delay_ms) + emit.delay_ms
    if emit.type is not None:
        body["type"] = emit.type
        body["event_id"] = f"{body['event_id']}-{number}-{emit.type}"
    return received_at_ms, body


def _count_values(section: Section, targets: tuple[str, ...], found: Counter[str]) -> None:
    rules = [*section.rules, *(rule for emit in section.emits for rule in emit.rules)]
    asked = tuple(rule for rule in rules if rule.target in targets)
    constant = tuple(rule for rule in asked if rule.reading.column is None)
    varying = tuple(rule for rule in asked if rule.reading.column is not None)
    for rule in constant:
        found.update(_listed(fill(rule.target, {}, rule.reading)))
    if not varying:
        return
    columns = [rule.reading.column for rule in varying if rule.reading.column is not None]
    for row, cells in read_rows(section.path, columns, Count()):
        for rule in varying:
            values = _filled((rule,), cells, row, Count()) or {}
            found.update(_listed(values.get(rule.target)))


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _names(found: Counter[str], noun: str, most: int) -> tuple[str, ...]:
    if len(found) > most:
        raise InvalidInput(
            f"the data set names {len(found):,} {noun}; at most {most} can be declared",
            field=noun,
            hint="group them with a map and a default in the mapping file",
        )
    return tuple(sorted(found, key=lambda name: (-found[name], name)))
