"""The text of ``playbill.toml``: read, edited where a value stands, replaced in one step."""

import os
import stat
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from playbill.core import DependencyUnavailable, InvalidInput

_OWNER_ONLY = 0o600


def text_of(path: Path) -> str:
    """Return the text of a settings file, empty when there is none.

    Raises:
        InvalidInput: it is not UTF-8, or cannot be read.
    """
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


def edited(file: str, text: str, values: dict[str, Any]) -> str:
    """Return a TOML text with values set by dotted name; the rest of it stays as it is.

    Args:
        file: its name, for messages.

    Raises:
        InvalidInput: it is not TOML, a value cannot be said in TOML, or a name leads through
            something that is no table.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise InvalidInput(
            f"{file} is not valid TOML: {error}", hint="mend the line it names"
        ) from error
    for name, value in values.items():
        *tables, key = name.split(".")
        at: Any = document
        for table in tables:
            at = at.setdefault(table, tomlkit.table())
            if not isinstance(at, MutableMapping):
                raise InvalidInput(f"{file}: {table} is no table", field=name)
        try:
            at[key] = msgspec.to_builtins(value)
        except (TOMLKitError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"{file}: {name}: TOML has no way to say {value!r}", field=name
            ) from error
    return tomlkit.dumps(document)


def replace_text(path: Path, text: str) -> None:
    """Put a text in the place of a file, which keeps its mode; a new one is its owner's only.

    Raises:
        DependencyUnavailable: it cannot be written; the file is as it was.
    """
    draft = path.with_suffix(".draft")
    try:
        try:
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _OWNER_ONLY
            draft.unlink(missing_ok=True)
            with open(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb"
            ) as to:
                to.write(text.encode())
                os.fchmod(to.fileno(), mode)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise DependencyUnavailable(
            f"{path.name} cannot be written: {error.strerror}",
            hint="free space, or let this user write in the home folder",
        ) from error
