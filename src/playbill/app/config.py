"""Settings from ``playbill.toml`` and the environment, read once."""

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import msgspec

from playbill.app.api_keys import check_api_keys
from playbill.app.settings_file import edited, replace_text, text_of
from playbill.contracts import Settings, SurfacePolicy
from playbill.core import InvalidInput, nearest_name

_UNKNOWN = re.compile(r"unknown field `(.+)`", re.DOTALL)
_PATH = re.compile(r" - at `\$\.?([^`]*)`")
_ENTRY = "[...]"
"""How msgspec writes the key of a table with free keys, whichever it is."""


def read_settings(path: Path) -> Settings:
    """Return the settings of a file; the defaults when there is no file.

    Raises:
        InvalidInput: the file is not TOML, names a setting that does not exist, or gives one a
            value outside its range, or an API key that could open nothing.
    """
    return _settings_of(path.name, text_of(path))


def write_setting(
    path: Path, values: dict[str, Any], check: Callable[[Settings], None] = lambda settings: None
) -> None:
    """Set values by dotted name in a settings file, leaving the rest of its text as it is.

    Args:
        check: raises when the settings as they would be must not be written.

    Raises:
        InvalidInput: as ``read_settings``, of the file as it would be; it stays as it was.
        DependencyUnavailable: the file cannot be written; it stays as it was.
    """
    text = edited(path.name, text_of(path), values)
    check(_settings_of(path.name, text))
    replace_text(path, text)


def named_settings(path: Path) -> set[str]:
    """Return the dotted names of the settings that a file says something of.

    Raises:
        InvalidInput: the file cannot be read, or is not TOML.
    """
    return _names_in(_tables_of(path.name, text_of(path)))


def overridden(settings: Settings, where: str, values: dict[str, Any]) -> Settings:
    """Return settings with values by dotted name in front of theirs, which must be in range too.

    Args:
        where: what says so, for messages.

    Raises:
        InvalidInput: a value leaves its range.
    """
    tables: dict[str, Any] = msgspec.to_builtins(settings)
    for name, value in values.items():
        *path, key = name.split(".")
        at = tables
        for table in path:
            at = at[table]
        at[key] = value
    return _settings_from(where, tables)


def home_folder(given: Path | None) -> Path:
    """Return the home folder: the one given, ``PLAYBILL_HOME``, or ``~/.playbill``."""
    if given is not None:
        return given.absolute()
    return Path(os.environ.get("PLAYBILL_HOME") or Path.home() / ".playbill").absolute()


def key_folder(home: Path) -> Path:
    """Return where keys lie: ``PLAYBILL_KEYS``, or ``keys`` in the home folder."""
    named = os.environ.get("PLAYBILL_KEYS")
    return Path(named).absolute() if named else home / "keys"


def _settings_of(name: str, text: str) -> Settings:
    return _settings_from(name, _tables_of(name, text))


def _tables_of(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(
            f"{name} is not valid TOML: {error}", hint="mend the line it names"
        ) from error


def _settings_from(name: str, tables: dict[str, Any]) -> Settings:
    try:
        settings = msgspec.convert(tables, Settings)
    except InvalidInput as error:
        raise InvalidInput(
            f"{name}: {error.message}", field=error.field, hint=error.hint
        ) from error
    except msgspec.ValidationError as error:
        raise _explained(name, str(error), tables) from error
    check_api_keys(name, settings.api_keys)
    return settings


def _names_in(tables: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in tables.items():
        found.add(prefix + name)
        if isinstance(value, dict):
            found |= _names_in(value, f"{prefix}{name}.")
    return found


def _explained(name: str, text: str, tables: dict[str, Any]) -> InvalidInput:
    found = _PATH.search(text)
    given = found.group(1) if found else ""
    path = _with_surface(given, tables)
    message = _PATH.sub("", text)
    unknown = _UNKNOWN.search(message)
    if unknown is None:
        said = f"{path}: {message}" if path else message
        return InvalidInput(
            f"{name}: {said}", field=path or None, hint="docs/settings.md lists the ranges"
        )
    known = _fields_at(given)
    field = f"{path}.{unknown.group(1)}" if path else unknown.group(1)
    return InvalidInput(
        f"{name}: there is no setting {field!r}." + nearest_name(unknown.group(1), known),
        field=field,
        hint="docs/settings.md lists all settings",
    )


def _with_surface(path: str, tables: dict[str, Any]) -> str:
    """Return a path with the name of the surface whose policy is the first that does not fit."""
    head = f"serving.policies{_ENTRY}"
    if not path.startswith(head):
        return path
    for name, said in tables["serving"]["policies"].items():
        try:
            msgspec.convert(said, SurfacePolicy)
        except msgspec.ValidationError:
            return f"serving.policies.{name}{path.removeprefix(head)}"
    return path


def _fields_at(path: str) -> list[str]:
    kind: Any = Settings
    for part in filter(None, path.replace(_ENTRY, ".*").split(".")):
        if part == "*":
            kind = get_args(kind)[1]
        else:
            kind = {field.name: field.type for field in msgspec.structs.fields(kind)}[part]
        if NoneType in get_args(kind):
            kind = next(one for one in get_args(kind) if one is not NoneType)
    return [field.name for field in msgspec.structs.fields(kind)]
