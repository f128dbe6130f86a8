"""The mapping file: which column of a foreign table becomes which field of ours."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from playbill.contracts import Event, EventType, User, Video
from playbill.core import InvalidInput, nearest_name
from playbill.importing.coercion import COERCIONS, Reading, coerce
from playbill.importing.tables import require_file

RECEIVED_AT = "received_at"
"""Beside the fields of an event: when the platform got it; ``at`` stands in."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How one field is filled."""

    target: str
    """The field of ours."""
    where: str
    """Path of the key in the mapping file, for messages."""
    reading: Reading
    """What the cell holds and how to turn it into the field."""


class Emit(msgspec.Struct, frozen=True, kw_only=True):
    """One event that a row gives."""

    type: str | None
    """Its type; None where a field says it."""
    when: str | None = None
    """The column that must be true; None for always."""
    delay_ms: int = 0
    """How long after the row's instant it happened."""
    rules: tuple[Rule, ...] = ()
    """Fields that differ from the row's."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One of ``[videos]``, ``[users]`` and ``[events]``."""

    path: Path
    """The table."""
    rules: tuple[Rule, ...]
    """The fields that every body of it gets."""
    emits: tuple[Emit, ...] = ()
    """Events only: what one row gives; one that always applies where none is written."""
    is_sorted: bool = False
    """Events only: the table is in order of time and is read without sorting."""

    def columns(self) -> list[str]:
        """Return the columns that the section reads, each once."""
        rules = [*self.rules, *(rule for emit in self.emits for rule in emit.rules)]
        read = [rule.reading.column for rule in rules] + [emit.when for emit in self.emits]
        return list(dict.fromkeys(column for column in read if column is not None))


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping file."""

    videos: Section | None = None
    users: Section | None = None
    events: Section | None = None


_CONTRACTS: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "videos": ("a video", Video),
    "users": ("a user", User),
    "events": ("an event", Event),
}
_DERIVED = ("event_id", "type")
_OPTIONS = tuple(field.name for field in msgspec.structs.fields(Reading))


def read_mapping(path: Path, folder: Path) -> Mapping:
    """Return the mapping that a TOML file describes.

    Args:
        path: the mapping file.
        folder: where the paths in it begin.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is not TOML, a key is unknown (the nearest right one is named), a needed
            field is not mapped, or an option does not fit its field.
    """
    text = require_file(path).read_bytes()
    try:
        document = tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} is not TOML: {error}", field=path.name) from error
    return _Walk(path.name, folder).mapping(document)


class _Walk:
    """Goes through a document; every message names the file and the path of the key."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder

    def mapping(self, document: dict[str, Any]) -> Mapping:
        self._check_keys(document, tuple(_CONTRACTS), "")
        if "events" not in document:
            raise self._wrong("events", "is missing; an import needs events")
        return Mapping(**{kind: self._section(kind, table) for kind, table in document.items()})

    def _section(self, kind: str, table: Any) -> Section:
        events = kind == "events"
        known = ("path", "fields", "emit", "sorted") if events else ("path", "fields")
        self._check_keys(table, known, kind)
        where = table.get("path")
        if not isinstance(where, str):
            raise self._wrong(f"{kind}.path", "is missing; name the table, such as 'a.jsonl'")
        in_order = table.get("sorted", False)
        if not isinstance(in_order, bool):
            raise self._wrong(f"{kind}.sorted", "is not true or false")
        rules = self._rules(kind, table.get("fields", {}), f"{kind}.fields")
        emits = self._emits(table) if events else ()
        self._check_complete(kind, rules, emits)
        return Section(
            path=self._folder / where,
            rules=rules,
            emits=emits or (Emit(type=None),) if events else (),
            is_sorted=in_order,
        )

    def _rules(self, kind: str, fields: Any, where: str) -> tuple[Rule, ...]:
        noun, contract = _CONTRACTS[kind]
        known = [field.name for field in msgspec.structs.fields(contract)]
        self._check_keys(
            fields, [*known, RECEIVED_AT] if kind == "events" else known, where, f"field of {noun}"
        )
        return tuple(self._rule(name, given, f"{where}.{name}") for name, given in fields.items())

    def _rule(self, target: str, given: Any, where: str) -> Rule:
        if isinstance(given, str):
            given = {"column": given}
        self._check_keys(given, _OPTIONS, where, "option")
        try:
            reading = msgspec.convert(given, Reading, strict=True)
        except msgspec.ValidationError as error:
            raise self._wrong(where, f"is not usable: {error}") from error
        if (reading.column is None) == (reading.constant is None):
            raise self._wrong(where, "needs either a column or a constant")
        self._check_options(reading, target, where)
        fixed = [reading.constant, reading.default, *(reading.map or {}).values()]
        for value in fixed:
            self._check_value(target, value, where)
        return Rule(target=target, where=where, reading=reading)

    def _check_options(self, reading: Reading, target: str, where: str) -> None:
        suited = {"scale": "whole", "format": "instant", "split": "texts"}
        for option, sort in suited.items():
            if getattr(reading, option) is None:
                continue
            if COERCIONS[target] != sort:
                raise self._wrong(f"{where}.{option}", f"does not apply to {target}")
            if reading.map is not None or reading.constant is not None:
                raise self._wrong(f"{where}.{option}", "cannot stand beside map or constant")
        leftover = reading.map is not None or reading.default is not None
        if reading.constant is not None and leftover:
            raise self._wrong(where, "has a constant, which leaves map and default no use")

    def _check_value(self, target: str, value: Any, where: str) -> None:
        if value is None:
            return
        if target == "type":
            self._check_type(value, where)
        try:
            coerce(target, value, Reading())
        except InvalidInput as error:
            raise self._wrong(where, f"gives an unusable value: {error.message}") from error

    def _check_type(self, value: Any, where: str) -> None:
        known = [kind.value for kind in EventType]
        if value not in known:
            told = nearest_name(str(value), known)
            raise self._wrong(where, f"gives {value!r}, which is no event type.{told}")

    def _emits(self, table: dict[str, Any]) -> tuple[Emit, ...]:
        given = table.get("emit", [])
        if not isinstance(given, list):
            raise self._wrong("events.emit", "is not a list; write [[events.emit]]")
        return tuple(self._emit(one, f"events.emit[{n}]") for n, one in enumerate(given))

    def _emit(self, table: Any, where: str) -> Emit:
        self._check_keys(table, ("type", "when", "delay_ms", "fields"), where)
        if "type" not in table:
            raise self._wrong(f"{where}.type", "is missing; say which event the row gives")
        self._check_type(table["type"], f"{where}.type")
        delay_ms = table.get("delay_ms", 0)
        if type(delay_ms) is not int or delay_ms < 0:
            raise self._wrong(f"{where}.delay_ms", "is not a whole number from 0")
        when = table.get("when")
        if when is not None and not isinstance(when, str):
            raise self._wrong(f"{where}.when", "is not the name of a column")
        rules = self._rules("events", table.get("fields", {}), f"{where}.fields")
        if any(rule.target == "type" for rule in rules):
            raise self._wrong(f"{where}.fields.type", f"is already said by {where}.type")
        return Emit(type=table["type"], when=when, delay_ms=delay_ms, rules=rules)

    def _check_complete(self, kind: str, rules: tuple[Rule, ...], emits: tuple[Emit, ...]) -> None:
        mapped = {rule.target for rule in rules}
        for field in msgspec.structs.fields(_CONTRACTS[kind][1]):
            if field.required and field.name not in mapped and field.name not in _DERIVED:
                raise self._wrong(f"{kind}.fields.{field.name}", "is missing; map it")
        if kind == "events" and ("type" in mapped) == bool(emits):
            raise self._wrong(
                "events", "needs either events.fields.type or [[events.emit]], one of them"
            )

    def _check_keys(
        self, table: Any, known: Collection[str], where: str, noun: str = "key"
    ) -> None:
        if not isinstance(table, dict):
            raise self._wrong(where, f"is not a table of {noun}s")
        for key in table:
            if key not in known:
                path = f"{where}.{key}" if where else key
                raise self._wrong(path, f"is not a known {noun}.{nearest_name(key, known)}")

    def _wrong(self, where: str, what: str) -> InvalidInput:
        return InvalidInput(
            f"{self._name}: {where} {what}",
            field=where,
            hint="the importing README shows a complete mapping",
        )
