"""The embedded user store: LMDB, one writer, readers that see one epoch at a time."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import lmdb

from playbill.core import BrokenContract, DependencyUnavailable, boot_id
from playbill.features.adapters.lmdb_disk import DATA_FILE, DiskPoint, put_back
from playbill.features.definitions import features_digest
from playbill.features.pages import enter_file

_EPOCH = b"epoch"
_DEFINITIONS = b"definitions"
_GIB = 1 << 30
_MAX_READERS = 1024
_DAMAGE = (
    lmdb.BadTxnError,
    lmdb.CorruptedError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.VersionMismatchError,
)


class LmdbUserState:
    """Viewers' rows and texts in a folder.

    The epoch is committed with the rows it wrote, so a crash leaves whole epochs. Commits do not
    wait for the disk: a power cut may cost the last epochs, which the log holds (decision 0025).
    Rows of other feature definitions are never read: a writer empties such a store, so that the
    log is folded anew.

    Args:
        folder: made by the writer; a reader needs it to be there.
        map_gib: largest size of the file.
        writer: whether this process commits.
        boot: what names the time since the machine started.

    Raises:
        DependencyUnavailable: there is no store, it is damaged, or laid out otherwise.
    """

    def __init__(
        self, folder: Path, *, map_gib: int, writer: bool, boot: str | None = None
    ) -> None:
        self._folder = folder
        self._disk: DiskPoint | None = None
        self._entered_bytes = 0
        boot = (boot_id() or "") if boot is None else boot
        try:
            if writer:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                put_back(folder, boot)
            self._env = lmdb.open(
                str(folder),
                map_size=map_gib * _GIB,
                max_dbs=3,
                max_readers=_MAX_READERS,
                sync=False,
                # Pages that come from the disk one by one are written fastest (decision 0053).
                readahead=False,
                readonly=not writer,
                create=writer,
                lock=True,
                mode=0o600,
            )
            self._inode = (folder / DATA_FILE).stat().st_ino
            if writer:
                self._env.reader_check()
                self._disk = DiskPoint(self._env, folder, boot)
            self._users = self._env.open_db(b"users", create=writer)
            self._texts = self._env.open_db(b"texts", create=writer)
            self._meta = self._env.open_db(b"meta", create=writer)
            if writer:
                self._claim()
        except (lmdb.Error, OSError) as error:
            if self._disk is not None:
                self.close()
            raise _gone(error) from error
        self._check()

    def present(self) -> bool:
        """Return whether the file that is open is still the one in the folder."""
        try:
            return (self._folder / DATA_FILE).stat().st_ino == self._inode
        except OSError:
            return False

    def touch(self, most_bytes: int) -> bool:
        """Have more of the file at hand, so that no read is the first to; for a thread.

        Args:
            most_bytes: a larger file is left alone, since not all of it is kept in memory.

        Returns:
            Whether there was more; then there may be more still.
        """
        before = self._entered_bytes
        if self.present():
            self._entered_bytes = enter_file(self._folder / DATA_FILE, before, most_bytes)
        return self._entered_bytes > before

    def epoch(self) -> int:
        """Return the epoch of the last commit, 0 for an empty store."""
        with self._reading() as txn:
            return _number(_get(txn, _EPOCH, self._meta))

    def read(self, user: bytes) -> tuple[bytes | None, int]:
        """Return a user's row, None for an unknown one, and the epoch it was read at."""
        try:
            with self._env.begin() as txn:
                return _get(txn, user, self._users), _number(_get(txn, _EPOCH, self._meta))
        except lmdb.Error as error:
            raise _gone(error) from error

    def read_many(self, users: Sequence[bytes]) -> list[bytes | None]:
        """Return the rows of several users at one epoch, in order."""
        with self._reading() as txn:
            found: dict[Any, Any] = dict(txn.cursor(self._users).getmulti(users))
            return list(map(found.get, users))

    def texts(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the stored texts of several keys, in order."""
        with self._reading() as txn:
            get, texts = txn.get, self._texts
            return cast("list[bytes | None]", [get(key, db=texts) for key in keys])

    def commit(self, epoch: int, rows: Mapping[bytes, bytes], texts: Mapping[bytes, bytes]) -> None:
        """Replace rows and texts and move to ``epoch``, all or none; rows in key order go fastest.

        Raises:
            BrokenContract: ``epoch`` does not lie after the last one.
            DependencyUnavailable: the store is damaged, has reached ``state.user_store_gib``, or
                the disk refused what was committed before.
        """
        with self._writing(len(rows) + len(texts), f"epoch {epoch}") as txn:
            last = _number(_get(txn, _EPOCH, self._meta))
            if epoch <= last:
                raise BrokenContract(f"epoch {epoch} does not lie after epoch {last}")
            txn.cursor(self._users).putmulti(rows.items())
            txn.cursor(self._texts).putmulti(texts.items())
            txn.put(_EPOCH, epoch.to_bytes(8, "little"), db=self._meta)

    def put_texts(self, texts: Mapping[bytes, bytes]) -> None:
        """Replace texts ahead of the epoch that they come with, all or none.

        Raises:
            DependencyUnavailable: as for ``commit``.
        """
        with self._writing(len(texts), f"{len(texts):,} texts") as txn:
            txn.cursor(self._texts).putmulti(texts.items())

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every user and row, ordered by user."""
        with self._reading() as txn:
            for user, row in txn.cursor(self._users):
                yield bytes(user), bytes(row)

    def last_commit(self) -> int:
        """Return the number of the last commit."""
        return int(self._env.info()["last_txnid"])

    def on_disk(self, commit: int) -> bool:
        """Return whether a commit outlives a power cut, and see to it that it soon will.

        Raises:
            DependencyUnavailable: the disk refused.
        """
        if self._disk is None:
            return True
        try:
            return self._disk.reached(commit)
        except OSError as error:
            raise _gone(error) from error

    def sync(self) -> None:
        """Return once the last commit outlives a power cut.

        Raises:
            DependencyUnavailable: the disk refused.
        """
        try:
            if self._disk is not None:
                self._disk.sync()
        except OSError as error:
            raise _gone(error) from error

    def close(self) -> None:
        """Let go of files and maps, a writer with everything on the disk."""
        disk, self._disk = self._disk, None
        if disk is not None:
            disk.close()
        self._env.close()

    def _claim(self) -> None:
        """Empty a store that other definitions filled, and write ours down."""
        ours = features_digest().encode()
        with self._env.begin(write=True) as txn:
            if _get(txn, _DEFINITIONS, self._meta) == ours:
                return
            for part in (self._users, self._texts, self._meta):
                txn.drop(part, delete=False)
            txn.put(_DEFINITIONS, ours, db=self._meta)

    def _check(self) -> None:
        with self._reading() as txn:
            if _get(txn, _DEFINITIONS, self._meta) == features_digest().encode():
                return
        self._env.close()
        raise DependencyUnavailable(
            "the user store was filled by another version of the feature definitions",
            code="user_store_unavailable",
            hint="wait for the updater, which folds the log anew",
        )

    @contextmanager
    def _writing(self, entries: int, what: str) -> Iterator[lmdb.Transaction]:
        """Yield what is committed at the end, and count it as on its way to the disk.

        Raises:
            DependencyUnavailable: the store is gone, damaged or full.
        """
        try:
            with self._env.begin(write=True) as txn:
                yield txn
            if self._disk is not None:
                self._disk.committed(entries)
        except lmdb.MapFullError as error:
            size_gib = self._env.info()["map_size"] / _GIB
            raise DependencyUnavailable(
                f"the user store is full: {what} does not fit into {size_gib:g} GiB",
                code="user_store_unavailable",
                hint="raise state.user_store_gib in playbill.toml and restart playbill up",
            ) from error
        except (lmdb.Error, OSError) as error:
            raise _gone(error) from error

    @contextmanager
    def _reading(self) -> Iterator[lmdb.Transaction]:
        """Yield a view of one epoch; what a damaged file makes of a read is told as the port does.

        Raises:
            DependencyUnavailable: the store is gone or damaged.
        """
        try:
            with self._env.begin() as txn:
                yield txn
        except lmdb.Error as error:
            raise _gone(error) from error


def _get(txn: lmdb.Transaction, key: bytes, db: Any) -> bytes | None:
    value = txn.get(key, db=db)
    return None if value is None else bytes(value)


def _number(data: bytes | None) -> int:
    return int.from_bytes(data, "little") if data else 0


def _gone(error: Exception) -> DependencyUnavailable:
    text = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return DependencyUnavailable(
        f"the user store cannot be used: {text}",
        code="user_store_unavailable",
        hint="its file is damaged: stop playbill up and remove the folder users/ of the home; the "
        "next start rebuilds it from the log"
        if isinstance(error, _DAMAGE)
        else "the updater rebuilds it from the log; playbill doctor says how far it is",
    )
