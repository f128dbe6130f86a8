"""Settings from ``playbill.toml`` and the environment, read once."""

import itertools
import os
import re
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from playbill.app.api_keys import check_api_keys
from playbill.contracts import Settings
from playbill.core import InvalidInput, nearest_name

CONFIG_FILE = "playbill.toml"
_UNKNOWN = re.compile(r"unknown field `(.+)`", re.DOTALL)
_PATH = re.compile(r" - at `\$\.?([^`]*)`")


def read_settings(path: Path) -> Settings:
    """Return the settings of a file; the defaults when there is no file.

    Raises:
        InvalidInput: the file is not TOML, names a setting that does not exist, or gives one a
            value outside its range, or an API key that could open nothing.
    """
    return _settings_of(path.name, _text_of(path))


def write_setting(
    path: Path, values: dict[str, Any], check: Callable[[Settings], None] = lambda settings: None
) -> None:
    """Set values by dotted name in a settings file, leaving the rest of its text as it is.

    Args:
        check: raises when the settings as they would be must not be written.

    Raises:
        InvalidInput: as ``read_settings``, of the file as it would be; it stays as it was.
    """
    text = _text_of(path)
    for name, value in values.items():
        text = _with_entry(text, name, msgspec.json.encode(value).decode())
    check(_settings_of(path.name, text))
    draft = path.with_suffix(".draft")
    draft.write_text(text, "utf-8")
    draft.replace(path)


def home_folder(given: Path | None) -> Path:
    """Return the home folder: the one given, ``PLAYBILL_HOME``, or ``~/.playbill``."""
    if given is not None:
        return given.absolute()
    return Path(os.environ.get("PLAYBILL_HOME") or Path.home() / ".playbill").absolute()


def key_folder(home: Path) -> Path:
    """Return where keys lie: ``PLAYBILL_KEYS``, or ``keys`` in the home folder."""
    named = os.environ.get("PLAYBILL_KEYS")
    return Path(named).absolute() if named else home / "keys"


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path.name} is not valid TOML: {error}", hint="write it in UTF-8"
        ) from error
    except OSError as error:
        raise InvalidInput(
            f"{path.name} cannot be read: {error.strerror}",
            hint="make it a file that this user can read",
        ) from error


def _settings_of(name: str, text: str) -> Settings:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(
            f"{name} is not valid TOML: {error}", hint="mend the line it names"
        ) from error
    try:
        settings = msgspec.convert(tables, Settings)
    except InvalidInput as error:
        raise InvalidInput(
            f"{name}: {error.message}", field=error.field, hint=error.hint
        ) from error
    except msgspec.ValidationError as error:
        raise _explained(name, str(error)) from error
    check_api_keys(name, settings.api_keys)
    return settings


def _with_entry(text: str, name: str, entry: str) -> str:
    """Return the text with one entry set: where it was, or at the head of its table.

    The entry of a table that has no header yet goes to the top under its dotted name.
    """
    lines = text.split("\n")
    table, _, key = name.rpartition(".")
    headers = [n for n, line in enumerate(lines) if line.startswith("[")] + [len(lines)]
    first, last, known = 0, headers[0], name
    for header, following in itertools.pairwise(headers):
        if table and lines[header].strip() == f"[{table}]":
            first, last, known = header + 1, following, key
    written = rf"\s*{re.escape(known)}\s*="
    at = next((n for n in range(first, last) if re.match(written, lines[n])), None)
    entry = f"{known} = {entry}"
    if at is None:
        return "\n".join([*lines[:first], entry, *lines[first:]])
    return "\n".join([*lines[:at], entry, *lines[_end_of_entry(lines, at) :]])


def _end_of_entry(lines: list[str], at: int) -> int:
    """Return the line behind an entry, whose value may span several."""
    for end in range(at + 1, len(lines) + 1):
        with suppress(tomllib.TOMLDecodeError):
            tomllib.loads("\n".join(lines[at:end]))
            return end
    return at + 1


def _explained(name: str, text: str) -> InvalidInput:
    found = _PATH.search(text)
    path = found.group(1) if found else ""
    message = _PATH.sub("", text)
    unknown = _UNKNOWN.search(message)
    if unknown is None:
        return InvalidInput(
            f"{name}: {message}", field=path or None, hint="docs/settings.md lists the ranges"
        )
    known = _fields_at(path)
    field = f"{path}.{unknown.group(1)}" if path else unknown.group(1)
    return InvalidInput(
        f"{name}: there is no setting {field!r}." + nearest_name(unknown.group(1), known),
        field=field,
        hint="docs/settings.md lists all settings",
    )


def _fields_at(path: str) -> list[str]:
    kind: Any = Settings
    for part in filter(None, path.split(".")):
        kind = {field.name: field.type for field in msgspec.structs.fields(kind)}[part]
    return [field.name for field in msgspec.structs.fields(kind)]
