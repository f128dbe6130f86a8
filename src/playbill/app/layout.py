"""Where things lie in a home folder."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from playbill.core import DependencyUnavailable

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  the kernel's own, not a scratch folder


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one home."""

    home: Path

    @property
    def config(self) -> Path:
        """Return the settings file."""
        return self.home / "playbill.toml"

    @property
    def record(self) -> Path:
        """Return the record of what the log was folded with, and of which home this is."""
        return self.home / "home.json"

    @property
    def log(self) -> Path:
        """Return the folder of the log's partitions: the truth."""
        return self.home / "log"

    @property
    def users(self) -> Path:
        """Return the folder of the user store; made anew from the log when lost."""
        return self.home / "users"

    @property
    def checkpoints(self) -> Path:
        """Return the folder of item state's checkpoint; made anew when lost."""
        return self.home / "checkpoints"

    @property
    def bundles(self) -> Path:
        """Return the folder of bundles, one folder each."""
        return self.home / "bundles"

    @property
    def networks(self) -> Path:
        """Return the folder of what trainings left for others to begin with."""
        return self.home / "networks"

    @property
    def tables(self) -> Path:
        """Return the folder of training tables."""
        return self.home / "tables"

    @property
    def lists(self) -> Path:
        """Return the file of lists made ahead; made anew when lost."""
        return self.home / "ahead.lists"

    @property
    def static_feed(self) -> Path:
        """Return the safe list, the last resort of a feed."""
        return self.home / "static-feed.json"

    @property
    def lock(self) -> Path:
        """Return the file whose lock says that a supervisor runs on this home."""
        return self.home / "playbill.lock"

    @property
    def run(self) -> Path:
        """Return the folder of shared memory: in memory where the system offers it.

        Its name there can be foreseen by every user of the machine, so it must be this one's.

        Raises:
            DependencyUnavailable: something else has that name, or others may enter the folder.
        """
        name = hashlib.sha256(os.fsencode(self.home.resolve())).hexdigest()[:16]
        if not (_SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK)):
            return self.home / "run"
        folder = _SHARED_MEMORY / f"playbill-{name}"
        _check_ours(folder)
        return folder

    @property
    def item_state(self) -> Path:
        """Return the mapped item state."""
        return self.run / "items.state"

    @property
    def board(self) -> Path:
        """Return the mapped board of heartbeats and counters."""
        return self.run / "board.state"

    @property
    def settings(self) -> Path:
        """Return the settings that the running processes go by."""
        return self.run / "settings.json"

    @property
    def kernels(self) -> Path:
        """Return the folder that says which kernels were compiled since the start."""
        return self.run / "kernels"

    @property
    def recovered(self) -> Path:
        """Return the file that is there once the updater has recovered since the start."""
        return self.run / "recovered"

    @property
    def drills(self) -> Path:
        """Return the file that says which parts are broken on purpose."""
        return self.run / "drills.json"

    def make(self) -> None:
        """Make the folders that must be there, readable by this user only.

        Raises:
            DependencyUnavailable: one cannot be made, or the run folder is not this user's.
        """
        for folder in (self.home, self.log, self.run):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise DependencyUnavailable(
                    f"the folder {folder} cannot be made: {error.strerror}",
                    hint="choose another home with --home, or let this user write there",
                ) from error
        # Another user may have been first between the look and the making.
        _check_ours(self.run)


def _check_ours(folder: Path) -> None:
    """Return if a folder is not there yet, or is this user's alone."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        why = "is no folder"
    elif found.st_uid != os.geteuid():
        why = f"belongs to user {found.st_uid}, not to this one ({os.geteuid()})"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        why = f"is open to others (mode {stat.S_IMODE(found.st_mode):o})"
    else:
        return
    raise DependencyUnavailable(
        f"{folder}, where this home's shared state belongs, {why}; it is not used",
        hint="stop what uses it and remove it, or run as the user of this home",
    )
