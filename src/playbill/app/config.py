"""Settings from ``playbill.toml`` and the environment, read once."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from playbill.contracts import Settings
from playbill.core import InvalidInput, nearest_name

CONFIG_FILE = "playbill.toml"
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`")


def read_settings(path: Path) -> Settings:
    """Return the settings of a file; the defaults when there is no file.

    Raises:
        InvalidInput: the file is not TOML, names a setting that does not exist, or gives one a
            value outside its range.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path.name} is not valid TOML: {error}", hint="mend the line it names"
        ) from error
    try:
        return msgspec.convert(tables, Settings)
    except msgspec.ValidationError as error:
        raise _explained(path.name, tables, str(error)) from error


def write_setting(path: Path, values: dict[str, Any]) -> None:
    """Set top-level lists in a settings file, leaving the rest of its text as it is."""
    text = path.read_text("utf-8") if path.exists() else ""
    lines = text.splitlines()
    head = next((n for n, line in enumerate(lines) if line.startswith("[")), len(lines))
    for name, value in values.items():
        entry = f"{name} = {msgspec.json.encode(value).decode()}"
        at = next((n for n in range(head) if re.match(rf"{name}\s*=", lines[n])), None)
        if at is None:
            lines.insert(0, entry)
            head += 1
        else:
            lines[at] = entry
    draft = path.with_suffix(".draft")
    draft.write_text("\n".join(lines) + "\n", "utf-8")
    read_settings(draft)
    draft.replace(path)


def home_folder(given: Path | None) -> Path:
    """Return the home folder: the one given, ``PLAYBILL_HOME``, or ``~/.playbill``."""
    if given is not None:
        return given.absolute()
    return Path(os.environ.get("PLAYBILL_HOME") or Path.home() / ".playbill").absolute()


def key_folder(home: Path) -> Path:
    """Return where keys lie: ``PLAYBILL_KEYS``, or ``keys`` in the home folder."""
    named = os.environ.get("PLAYBILL_KEYS")
    return Path(named) if named else home / "keys"


def _explained(name: str, tables: dict[str, Any], text: str) -> InvalidInput:
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
