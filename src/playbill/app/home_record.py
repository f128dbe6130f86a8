"""What a home's history was folded with: written when its log begins, compared ever after.

Source: docs/decisions/0012-a-home-remembers-what-it-was-folded-with.md
"""

import fcntl
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from playbill.contracts import Settings
from playbill.core import Conflict, DependencyUnavailable, InvalidInput, replace_file

RECORD_FORMAT = 1
_LOCK = ".home.lock"
_ID_BYTES = 16
KEY_REMEDY = (
    "restore the key folder (PLAYBILL_KEYS, or keys/ in the home folder) from a backup; without "
    "one, begin a new home in another folder with --home"
)
"""What to do about a pseudonym key that is lost."""


class HomeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which home this is, and the settings that its log cannot be read without."""

    format: int
    """Layout of this record; one of a later version is refused."""
    home: str
    """128 random bits in hex; every bundle made here carries them."""
    folded_with: dict[str, int | list[str]]
    """Settings by dotted name, as they were when the log was last opened for writing."""
    pseudonym_key: str | None = None
    """``key_fingerprint`` of the key that stands behind every viewer in the log."""


def read_record(path: Path) -> HomeRecord | None:
    """Return a home's record, None where the home has none yet.

    Raises:
        InvalidInput: it is damaged, or a later version wrote it.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    try:
        known = msgspec.json.decode(text, type=_Format).format
        if known != RECORD_FORMAT:
            raise _unreadable(path, f"it is of format {known}; this version reads {RECORD_FORMAT}")
        return msgspec.json.decode(text, type=HomeRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from error


def key_fingerprint(key: bytes) -> str:
    """Return 128 bits that tell one key of 256 random bits from another and reveal none of it."""
    return hmac.digest(key, b"playbill: which pseudonym key", "sha256")[:16].hex()


def check_key(record: HomeRecord, key: bytes) -> None:
    """Return if the log that belongs to a record was written with this pseudonym key.

    Raises:
        Conflict: it was written with another.
    """
    if record.pseudonym_key not in (None, key_fingerprint(key)):
        raise Conflict(
            "the pseudonym key is not the one that the log of this home was written with; every "
            "viewer in it would become a stranger",
            field="keys",
            hint=KEY_REMEDY,
        )


def check_record(record: HomeRecord, settings: Settings) -> None:
    """Return if a log that was folded with the record may go on with these settings.

    Raises:
        Conflict: a setting contradicts the record; it names both values and what to do.
    """
    for name, now in _values(settings).items():
        before = record.folded_with.get(name, now)
        rule = _RULES[name]
        if type(before) is not type(now) or not rule.fits(before, now):
            raise Conflict(
                f"{name} is {_said(now)}, but the history of this home was folded with "
                f"{_said(before)}",
                field=name,
                hint=rule.hint.format(name=name, before=_said(before)),
            )


def settle_record(path: Path, settings: Settings, *, begun: bool) -> HomeRecord:
    """Return the home's record, written or brought up to date where that is needed.

    Any number of processes may do so at once.

    Args:
        path: of the record, in the home folder.
        settings: those that the log will go on with.
        begun: whether anything was folded yet; if not, the settings may still change freely.

    Raises:
        Conflict: a setting contradicts what the history was folded with.
        DependencyUnavailable: the record cannot be written; it is as it was.
    """
    with _changing(path):
        known = read_record(path)
        if known is not None and begun:
            check_record(known, settings)
        record = _with_values(known, settings)
        if record != known:
            _write(path, record)
        return record


def settle_key(path: Path, settings: Settings, key: bytes, *, begun: bool) -> None:
    """Put on record which pseudonym key a home's log is written with.

    Args:
        path: of the record, in the home folder.
        settings: those of the home, where it has no record yet.
        key: the key that is about to be used.
        begun: whether the log holds anything; if not, the key may still change.

    Raises:
        Conflict: the log was written with another key.
        DependencyUnavailable: the record cannot be written; it is as it was.
    """
    with _changing(path):
        known = read_record(path)
        if known is not None and begun:
            check_key(known, key)
        record = known or _with_values(None, settings)
        record = msgspec.structs.replace(record, pseudonym_key=key_fingerprint(key))
        if record != known:
            _write(path, record)


class _Format(msgspec.Struct):
    format: int


def _with_values(known: HomeRecord | None, settings: Settings) -> HomeRecord:
    values = _values(settings)
    if known is None:
        home = secrets.token_hex(_ID_BYTES)
        return HomeRecord(format=RECORD_FORMAT, home=home, folded_with=values)
    return msgspec.structs.replace(known, folded_with={**known.folded_with, **values})


def _values(settings: Settings) -> dict[str, int | list[str]]:
    """Return the settings that the fold reads, or whose places are in the log, by dotted name."""
    found: dict[str, int | list[str]] = {}
    for name in _RULES:
        value: Any = settings
        for part in name.split("."):
            value = getattr(value, part)
        found[name] = list(value) if isinstance(value, tuple) else value
    return found


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a setting may become, given what it was, and what to do about anything else."""

    fits: Callable[[Any, Any], bool]
    hint: str


_LIST = _Rule(
    lambda before, now: now[: len(before)] == before,
    "the log keeps places in the list: begin it with {before}, in this order, and add new names "
    "behind; for another list begin a new home",
)
_FIXED = _Rule(
    lambda before, now: now == before,
    "set {name} = {before} in playbill.toml; for another value begin a new home",
)
_ROOM = _Rule(
    lambda before, now: now >= before,
    "set {name} = {before} or more in playbill.toml; for less begin a new home",
)
_RULES = {
    "regions": _LIST,
    "surfaces": _LIST,
    "labels.long_view_ms": _FIXED,
    "admission.idempotence_s": _FIXED,
    "state.item_capacity": _ROOM,
    "state.group_capacity": _ROOM,
}


def _said(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _unreadable(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"{path.name} cannot be read: {why}",
        hint="restore it from a backup of the home; without it nothing tells how the log is read",
    )


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Let one process at a time look at the record and write it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path.with_name(_LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)
    except OSError as error:
        raise DependencyUnavailable(
            f"{path.name} cannot be written: {error.strerror}",
            hint="free space, or let this user write in the home folder",
        ) from error


def _write(path: Path, record: HomeRecord) -> None:
    """Replace the record in one step that survives a crash."""
    replace_file(path, msgspec.json.format(msgspec.json.encode(record)) + b"\n")
