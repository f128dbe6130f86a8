"""Keys in files of mode 0600, in a folder apart from the data."""

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from playbill.core import DependencyUnavailable, InvalidInput, sync_folder

_KEY_BYTES = 32
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,40}")


class FileKeyStore:
    """One file a purpose. Made on first use; two processes that race agree on one key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def secret(self, purpose: str) -> bytes:
        """Return the 32 bytes of a purpose.

        Raises:
            InvalidInput: the purpose is not a plain lower-case name.
            DependencyUnavailable: the file cannot be read, is short, or is open to others.
        """
        path = self._path(purpose)
        try:
            if not path.exists():
                self._make(path)
            return _read(path)
        except OSError as error:
            raise _unreadable(purpose, error) from error

    def stored(self, purpose: str) -> bytes | None:
        """Return the 32 bytes of a purpose, None where there is no file; makes nothing.

        Raises:
            InvalidInput: the purpose is not a plain lower-case name.
            DependencyUnavailable: the file cannot be read, is short, or is open to others.
        """
        try:
            return _read(self._path(purpose))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(purpose, error) from error

    def _path(self, purpose: str) -> Path:
        if not _PURPOSE.fullmatch(purpose):
            raise InvalidInput(f"{purpose!r} is not a key's purpose; use a-z, 0-9 and '-'")
        return self._folder / f"{purpose}.key"

    def _make(self, path: Path) -> None:
        """Write a whole key under a private name, then give it its own, once, for good.

        Nothing may be stored under a key that a power cut could take away, so its name is on the
        disk before it is read; also where another process was first.
        """
        _make_folder(self._folder)
        draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
        sync_folder(self._folder)


def _read(path: Path) -> bytes:
    """Return the bytes of a key that only this user can read."""
    mode = stat.S_IMODE(path.stat().st_mode)
    key = path.read_bytes()
    if mode & 0o077:
        raise DependencyUnavailable(
            f"the key {path.stem!r} has mode {mode:04o} and others can read it; expected 0600",
            hint="run chmod 600 on the key file, and think about who saw it",
        )
    if len(key) != _KEY_BYTES:
        raise DependencyUnavailable(
            f"the key {path.stem!r} has {len(key)} bytes; expected {_KEY_BYTES}",
            hint="restore the key folder from a backup; a new key loses all identities",
        )
    return key


def _unreadable(purpose: str, error: OSError) -> DependencyUnavailable:
    return DependencyUnavailable(
        f"the key {purpose!r} cannot be read: {error.strerror}",
        hint="check that the key folder exists and belongs to this user",
    )


def _make_folder(folder: Path) -> None:
    """Make a folder for this user only, and the names of all that were missing above it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)
