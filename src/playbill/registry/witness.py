"""What was read of a bundle on this machine since it started, so that its bytes are read once.

Source: docs/decisions/0023-a-bundle-is-verified-once-a-machine.md
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from playbill.core import file_digest, replace_file

_SUFFIX = ".json"
_LOCK = "lock"
_LOOKS, _LOOK_AGAIN_S = 600, 0.1
"""How often, and after how long, to look whether another process is done reading: a minute."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What tells that a file is the one that was read, and was not touched since."""

    device: int
    inode: int
    size: int
    modified_at_ns: int
    changed_at_ns: int
    """Set by the kernel at every change of bytes, name or mode; no call sets it to a past one."""

    @classmethod
    def of(cls, path: Path) -> "Seen":
        """Return it of a file, or of a link itself.

        Raises:
            OSError: there is none, or it cannot be looked at.
        """
        at = path.lstat()
        return cls(at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns)


class Read(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was when it was read, and the digest of its bytes."""

    seen: Seen
    digest: str


class _Testimony(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    boot: str
    files: dict[str, Read]


@dataclass(slots=True)
class Look:
    """One look at a bundle's files: those that are as they were when read are not read again."""

    known: dict[str, Read]
    found: dict[str, Read] = field(default_factory=dict)

    def digest(self, folder: Path, name: str) -> str:
        """Return the SHA-256 of a file's bytes.

        Raises:
            OSError: it cannot be read.
        """
        path = folder / name
        seen, known = Seen.of(path), self.known.get(name)
        if known is not None and known.seen == seen:
            self.found[name] = known
            return known.digest
        digest = file_digest(path)
        self.found[name] = Read(seen, digest)
        return digest


class Witness:
    """Records of what was read, one file a bundle, beside the bundles.

    A folder that cannot be written, and a record that cannot be read, cost reading again.

    Args:
        folder: of the records; made when the first is written.
        boot: tells this start of the machine from the one before, None where nothing does:
            then nothing is recorded.
    """

    def __init__(self, folder: Path, boot: str | None) -> None:
        self._folder = folder
        self._boot = boot

    @contextmanager
    def looking(self, bundle: Path) -> Iterator[Look]:
        """Give a look at a bundle's files; what it found is recorded if the body ends well.

        One process at a time reads what is not on record.
        """
        known = self._known(bundle)
        if self._boot is None or _as_they_were(bundle, known):
            yield Look(known)
            return
        with self._alone() as began_at_ns:
            look = Look(self._known(bundle))
            yield look
            if began_at_ns is not None:
                self._record(bundle, look, began_at_ns)

    def _known(self, bundle: Path) -> dict[str, Read]:
        """Return what is on record of a bundle since the machine started."""
        try:
            text = (self._folder / (bundle.name + _SUFFIX)).read_bytes()
            found = msgspec.json.decode(text, type=_Testimony)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return found.files if found.boot == self._boot else {}

    def _record(self, bundle: Path, look: Look, began_at_ns: int) -> None:
        """Write a look down, unless a file changed in the very instant of its begin.

        Such a file could change once more without its instants telling.
        """
        if any(read.seen.changed_at_ns >= began_at_ns for read in look.found.values()):
            return
        assert self._boot is not None
        text = msgspec.json.encode(_Testimony(self._boot, look.found))
        with suppress(OSError):
            replace_file(self._folder / (bundle.name + _SUFFIX), text)
            for record in self._folder.glob("*" + _SUFFIX):
                if not (bundle.parent / record.stem).is_dir():
                    record.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[int | None]:
        """Wait for whoever reads now, a minute at most; give the instant by the files' clock.

        None where no lock can be had: then nothing is to be recorded.
        """
        with ExitStack() as stack:
            began_at_ns = None
            with suppress(OSError):
                self._folder.mkdir(mode=0o700, exist_ok=True)
                file = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
                stack.callback(os.close, file)
                if _locked(file):
                    os.utime(file)
                    began_at_ns = os.fstat(file).st_ctime_ns
            yield began_at_ns


def _as_they_were(bundle: Path, known: dict[str, Read]) -> bool:
    """Return whether every file on record is as it was when read, and there are any."""
    try:
        return bool(known) and all(
            Seen.of(bundle / name) == read.seen for name, read in known.items()
        )
    except OSError:
        return False


def _locked(file: int) -> bool:
    for _ in range(_LOOKS):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        threading.Event().wait(_LOOK_AGAIN_S)
    return False
