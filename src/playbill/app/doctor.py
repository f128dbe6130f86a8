"""The doctor: what is wrong with this machine or this home, each with its cure."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata

from playbill import __version__
from playbill.app.doctor_network import Finding, ports, tls
from playbill.app.home_record import check_key, read_record
from playbill.app.keeping import (
    WORTH_TELLING_BYTES,
    allowed_bytes,
    read_by_requests,
    size_bytes,
)
from playbill.app.residence import lockable_bytes
from playbill.app.wiring import LETTERS_KEY, PSEUDONYM_KEY, Wiring, lost_key
from playbill.core import DAY_MS, BrokenContract, PlaybillError
from playbill.events import EpochLog
from playbill.features import NoCheckpoint, load_checkpoint
from playbill.features.layout import GROUP_RECORD, ITEM_RECORD, VIDEO_NAME

_GIB = 1 << 30
_LOW_DISK_BYTES = 2 * _GIB
_NEEDED = ("numpy", "numba", "onnxruntime", "granian", "lmdb", "msgspec", "starlette")
_TRAINING = ("torch", "onnx", "deltalake", "duckdb", "pyarrow")

_QUIET_DAYS = 30


def examine(wiring: Wiring) -> list[Finding]:
    """Return what every check found; changes nothing."""
    checks: tuple[Callable[[Wiring], Iterator[Finding]], ...] = (
        _environment,
        _disk,
        _memory,
        _resident,
        ports,
        tls,
        _keys,
        _home,
        _log,
        _state,
        _bundle,
    )
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check(wiring)
        except BrokenContract:
            raise
        except PlaybillError as error:
            name = check.__name__.strip("_")
            findings.append(
                Finding(check=name, level="problem", message=error.message, fix=error.hint)
            )
    return findings


def _environment(wiring: Wiring) -> Iterator[Finding]:
    python = platform.python_version()
    yield Finding(
        check="environment",
        level="ok" if sys.version_info >= (3, 11) else "problem",
        message=f"playbill {__version__}, Python {python}, {platform.machine()}, "
        f"{os.cpu_count()} cores",
        fix="" if sys.version_info >= (3, 11) else "use Python 3.11 or newer",
    )
    if platform.machine() not in ("x86_64", "AMD64"):
        yield Finding(
            check="environment",
            level="warning",
            message="the shared item state relies on x86-64's order of loads and stores",
            fix="run servers on x86-64; see docs/decisions/0006-shared-item-state.md",
        )
    versions = {name: _version(name) for name in (*_NEEDED, *_TRAINING)}
    missing = [name for name in _NEEDED if versions[name] is None]
    untrained = [name for name in _TRAINING if versions[name] is None]
    known = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield Finding(
        check="versions",
        level="problem" if missing else "ok",
        message=known + (f"; missing: {', '.join(missing)}" if missing else ""),
        fix="pip install playbill" if missing else "",
    )
    if untrained:
        yield Finding(
            check="versions",
            level="note",
            message=f"this installation serves but cannot train: no {', '.join(untrained)}",
            fix="pip install 'playbill[train]'",
        )


def _disk(wiring: Wiring) -> Iterator[Finding]:
    folder = wiring.layout.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    yield Finding(
        check="disk",
        level="ok" if free > _LOW_DISK_BYTES else "warning",
        message=f"{free / _GIB:.1f} GiB free for {wiring.layout.home}",
        fix="" if free > _LOW_DISK_BYTES else "free space: a full disk refuses events with 503",
    )
    if not os.access(folder, os.W_OK):
        yield Finding(
            check="disk",
            level="problem",
            message=f"{folder} cannot be written by this user",
            fix="choose another folder with --home, or change its owner",
        )


def _memory(wiring: Wiring) -> Iterator[Finding]:
    state = wiring.settings.state
    most = state.item_capacity * (ITEM_RECORD.itemsize + VIDEO_NAME.itemsize)
    most += 2 * state.group_capacity * GROUP_RECORD.itemsize
    folder = wiring.layout.run.parent
    free = shutil.disk_usage(folder if folder.exists() else "/").free
    yield Finding(
        check="memory",
        level="ok" if free > most else "warning",
        message=f"item state may grow to {most / _GIB:.2f} GiB in {wiring.layout.run}; "
        f"{free / _GIB:.1f} GiB are free there",
        fix=""
        if free > most
        else "give /dev/shm more room; in a home that has not begun, lower state.item_capacity",
    )


def _resident(wiring: Wiring) -> Iterator[Finding]:
    """Say how much of what requests read can stay in memory, where the server runs as this user."""
    size = size_bytes(read_by_requests(wiring))
    limit, allowed = lockable_bytes(), allowed_bytes(wiring)
    kept = min(size, allowed, size if limit is None else limit)
    if kept == size:
        message = f"{size / _GIB:.2f} GiB that requests read fit into memory, and stay there"
        yield Finding(check="resident", level="ok", message=message)
        return
    by_system = limit is not None and limit < allowed
    yield Finding(
        check="resident",
        level="note" if size - kept < WORTH_TELLING_BYTES else "warning",
        message=f"of {size / _GIB:.2f} GiB that requests read, {kept / _GIB:.2f} GiB may be kept "
        "in memory; the rest may have to come from disk while somebody waits",
        fix="raise the limit of locked memory: ulimit -l, LimitMEMLOCK= under systemd"
        if by_system
        else "raise state.resident_gib, or give the machine more memory",
    )


def _keys(wiring: Wiring) -> Iterator[Finding]:
    pseudonym, letters = (wiring.keys.stored(name) for name in (PSEUDONYM_KEY, LETTERS_KEY))
    begun = wiring.begun()
    if not begun and (pseudonym is None or letters is None):
        message = "some keys are missing; they are made at first start"
        yield Finding(check="keys", level="note", message=message)
        return
    if pseudonym is None:
        raise lost_key()
    record = read_record(wiring.layout.record)
    if begun and record is not None:
        check_key(record, pseudonym)
    if letters is None:
        yield Finding(
            check="keys",
            level="warning",
            message="the key of dead letters is missing; those kept so far stay sealed",
            fix="restore the key folder from a backup before the next start, which makes a new one",
        )
        return
    yield Finding(check="keys", level="ok", message="keys can be read, and by this user only")


def _home(wiring: Wiring) -> Iterator[Finding]:
    home = wiring.home_id()
    if home is None:
        message = "no id yet; this home gets one when its log begins"
        yield Finding(check="home", level="note", message=message)
        return
    message = f"home {home}; the settings fit what its log was folded with"
    yield Finding(check="home", level="ok", message=message)


def _log(wiring: Wiring) -> Iterator[Finding]:
    log = wiring.log()
    partitions = log.partitions()
    last = EpochLog(log).last()
    sealed = not partitions or wiring.keys.stored(LETTERS_KEY) is None
    waiting = 0 if sealed else sum(1 for _ in wiring.letters().waiting())
    yield Finding(
        check="log",
        level="ok",
        message=f"{len(partitions)} partitions, {last.epoch:,} epochs",
    )
    quiet_days = (wiring.clock.now_ms() - last.at_ms) // DAY_MS
    if last.epoch and quiet_days > _QUIET_DAYS:
        yield Finding(
            check="log",
            level="note",
            message=f"the log ends {quiet_days:,} days ago; sums decay by the clock, so a feed "
            "asked for today knows little but the last videos of what went before",
            fix="nothing, where it is an imported past; else see why no events come",
        )
    if waiting:
        yield Finding(
            check="log",
            level="warning",
            message=f"{waiting:,} refused events wait among the dead letters",
            fix="playbill events dead shows why; --repair takes them in",
        )


def _state(wiring: Wiring) -> Iterator[Finding]:
    last = EpochLog(wiring.log()).last()
    state = load_checkpoint(wiring.layout.checkpoints, wiring.settings)
    if isinstance(state, NoCheckpoint):
        level = "note" if last.epoch else "ok"
        message = f"{state.why}; the next start folds the log from its beginning"
        yield Finding(check="state", level=level, message=message)
        return
    behind = last.epoch - state.epoch
    ahead = behind < 0
    yield Finding(
        check="state",
        level="problem" if ahead else "ok",
        message=f"checkpoint at epoch {state.epoch:,}, {abs(behind):,} "
        f"{'ahead of' if ahead else 'behind'} the log; {state.items.count:,} videos",
        fix="restore the log folder: part of it is missing" if ahead else "",
    )


def _bundle(wiring: Wiring) -> Iterator[Finding]:
    store = wiring.bundles()
    digest = store.champion()
    if digest is None:
        yield Finding(
            check="bundle",
            level="note",
            message="no bundle serves yet; feeds come from the popular tier",
            fix="playbill train",
        )
        return
    manifest = store.manifest(digest)
    yield Finding(
        check="bundle",
        level="ok",
        message=f"{digest[:23]} serves, intact, {len(manifest.files)} files",
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
