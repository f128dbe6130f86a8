"""The composition root: settings and folders in, wired objects out."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from playbill.app.clock import SystemClock
from playbill.app.config import home_folder, key_folder, overridden, read_settings
from playbill.app.home_record import (
    KEY_REMEDY,
    HomeRecord,
    check_record,
    read_record,
    settle_key,
    settle_record,
)
from playbill.app.layout import Layout
from playbill.contracts import Settings
from playbill.core import Clock, Conflict, DependencyUnavailable, boot_id
from playbill.events import Collector, DeadLetters, GroupCommit
from playbill.events.adapters.sqlite_log import SqliteEventLog
from playbill.events.partitions import (
    CATALOGUE_PREFIX,
    DEAD_PREFIX,
    EPOCHS_PARTITION,
    TAKEDOWNS_PREFIX,
)
from playbill.features import Updater
from playbill.features.adapters.lmdb_users import LmdbUserState
from playbill.features.adapters.shared_items import SharedItems
from playbill.privacy import Pseudonyms, Sealer
from playbill.privacy.adapters.file_keys import FileKeyStore
from playbill.registry import BundleStore

PSEUDONYM_KEY, LETTERS_KEY = "pseudonym", "dead-letters"
"""What the keys of a home are for."""


def lost_key() -> DependencyUnavailable:
    """Return the refusal to go on with a log whose pseudonym key is gone."""
    return DependencyUnavailable(
        "the pseudonym key is missing, and the log of this home has begun: a new key would make "
        "a stranger of every viewer in it",
        hint=KEY_REMEDY,
    )


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything a process of one home is built from."""

    layout: Layout
    settings: Settings
    keys: FileKeyStore
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def of(cls, home: Path | None) -> "Wiring":
        """Return the wiring of a home folder, which need not exist yet.

        Raises:
            InvalidInput: the settings, or the home's record, cannot be read.
            Conflict: the settings contradict what the home's history was folded with.
        """
        layout = Layout(home_folder(home))
        settings = read_settings(layout.config)
        wiring = cls(layout, settings, FileKeyStore(key_folder(layout.home)))
        wiring.check(settings)
        return wiring

    @classmethod
    def running(cls, home: Path) -> "Wiring":
        """Return the wiring of a process of a running home: with its supervisor's settings.

        Raises:
            DependencyUnavailable: no supervisor runs on this home.
        """
        layout = Layout(home)
        try:
            settings = msgspec.json.decode(layout.settings.read_bytes(), type=Settings)
        except (OSError, msgspec.DecodeError) as error:
            raise DependencyUnavailable(
                f"the settings of the running home cannot be read: {error}",
                hint="start playbill up first",
            ) from error
        return cls(layout, settings, FileKeyStore(key_folder(layout.home)))

    def announce(self) -> None:
        """Write the settings down for the processes of this home, replaced ones included.

        An edit of ``playbill.toml`` then waits for the next start, whatever dies before it.
        """
        self.layout.make()
        draft = self.layout.settings.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.encode(self.settings))
        draft.replace(self.layout.settings)

    def override(
        self,
        *,
        port: int | None = None,
        workers: int | None = None,
        said: Mapping[str, Any] | None = None,
    ) -> "Wiring":
        """Return the same wiring with settings of the command line in front of the file's.

        Args:
            port: of feeds; the collector's is the next one.
            workers: how many serve.
            said: further settings, by their dotted names.

        Raises:
            InvalidInput: one leaves its range; so does a port whose next one is none.
        """
        said = dict(said or {})
        if port is not None and port != self.settings.http.port:
            said |= {"http.port": port, "http.collector_port": port + 1}
        if workers is not None:
            said["http.workers"] = workers
        return replace(self, settings=overridden(self.settings, "the command line", said))

    def check(self, settings: Settings) -> None:
        """Return if this home's log can go on with these settings.

        Raises:
            Conflict: its history was folded with others.
        """
        record = read_record(self.layout.record)
        if record is None:
            return
        try:
            check_record(record, settings)
        except Conflict:
            if self.begun():
                raise

    def begun(self) -> bool:
        """Return whether the log holds anything."""
        log = self.log()
        return any(log.last_offset(partition) for partition in log.partitions())

    def recorded(self) -> HomeRecord:
        """Return the home's record, which says these settings or what they extend.

        Raises:
            Conflict: it says others.
            DependencyUnavailable: the record cannot be written.
        """
        return settle_record(self.layout.record, self.settings, begun=True)

    def settle(self) -> HomeRecord:
        """Return the record as ``recorded`` does, of any settings while the log is empty.

        Only for whoever holds ``alone``: no other process then goes by what it said before.
        """
        return settle_record(self.layout.record, self.settings, begun=self.begun())

    def home_id(self) -> str | None:
        """Return which home this is, None before its log begins."""
        record = read_record(self.layout.record)
        return None if record is None else record.home

    def bundles(self) -> BundleStore:
        """Open the bundles."""
        return BundleStore(self.layout.bundles, self.home_id(), boot_id())

    def log(self) -> SqliteEventLog:
        """Open the log for reading."""
        return SqliteEventLog(self.layout.log)

    def log_to_write(self) -> SqliteEventLog:
        """Open the log for writing; from here on the settings are on record.

        Raises:
            Conflict: the home's history was folded with others.
            DependencyUnavailable: the record cannot be written.
        """
        self.recorded()
        return self.log()

    def users(self, *, writer: bool) -> LmdbUserState:
        """Open the user store."""
        gib = self.settings.state.user_store_gib
        return LmdbUserState(self.layout.users, map_gib=gib, writer=writer)

    def items(self, *, create: bool) -> SharedItems:
        """Map item state."""
        return SharedItems(
            self.layout.item_state,
            item_capacity=self.settings.state.item_capacity,
            group_capacity=self.settings.state.group_capacity,
            regions=len(self.settings.regions),
            create=create,
        )

    def pseudonyms(self) -> Pseudonyms:
        """Return what stands for viewers, and put on record whose key it is.

        Raises:
            DependencyUnavailable: the key is gone though the log has begun, or cannot be read.
            Conflict: the log was written with another key.
        """
        # Asked before the key: whoever begins the log has the key on the disk by then.
        begun = self.begun()
        key = self.keys.stored(PSEUDONYM_KEY)
        if key is None:
            if begun:
                raise lost_key()
            key = self.keys.secret(PSEUDONYM_KEY)
        settle_key(self.layout.record, self.settings, key, begun=begun)
        return Pseudonyms(key)

    def letters(self) -> DeadLetters:
        """Open the dead letters."""
        return DeadLetters(self.log(), Sealer(self.keys.secret(LETTERS_KEY)))

    def collector(self, process: str) -> Collector:
        """Open the partitions of one process for writing.

        Raises:
            Conflict: another process has that name, or other settings are on record.
        """
        log = self.log_to_write()
        room = self.settings.admission.queue_events
        return Collector(
            self.settings,
            self.pseudonyms(),
            GroupCommit(log.writer(process), self.clock, room),
            GroupCommit(log.writer(CATALOGUE_PREFIX + process), self.clock, room),
            GroupCommit(log.writer(TAKEDOWNS_PREFIX + process), self.clock, room),
            GroupCommit(log.writer(DEAD_PREFIX + process), self.clock, room),
            self.letters(),
            self.clock,
        )

    def updater(self, users: LmdbUserState, items: SharedItems) -> Updater:
        """Return the updater over an open user store and item state."""
        log = self.log_to_write()
        return Updater(
            log,
            log.writer(EPOCHS_PARTITION),
            users,
            items,
            self.layout.checkpoints,
            self.clock,
            self.settings,
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the home for one supervisor or one importer.

        Raises:
            Conflict: another process holds it.
        """
        self.layout.make()
        file = os.open(self.layout.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Conflict(
                    f"another playbill runs on {self.layout.home}",
                    hint="stop it, or choose another folder with --home",
                ) from None
            yield
        finally:
            os.close(file)
