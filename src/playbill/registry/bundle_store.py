"""Bundles in a folder, named by the digest of their manifest; a pointer names the champion."""

import re
import shutil
import stat
from pathlib import Path

import msgspec

from playbill.contracts import BUNDLE_FORMAT, MANIFEST_FILE, Manifest
from playbill.core import (
    DependencyUnavailable,
    InvalidInput,
    NotFound,
    canonical_json,
    content_digest,
    file_digest,
    replace_file,
    sync_folder,
)
from playbill.registry.witness import Look, Witness

_POINTER = "champion"
_VERIFIED = "verified"
_SHORT = 16
_NAME = re.compile(r"[0-9a-f]{16}")


def verify_bundle(folder: Path, digest: str, look: Look | None = None) -> Manifest:
    """Return the manifest of a bundle whose every byte is as it was sealed.

    Args:
        folder: the bundle's.
        digest: what names it.
        look: what is known of its files; None reads every byte.

    Raises:
        InvalidInput: the manifest is not the one the digest names, a file is missing, altered,
            not listed or cannot be read, or the format is one this version does not know.
    """
    try:
        text = (folder / MANIFEST_FILE).read_bytes()
    except OSError as error:
        raise _broken(folder, f"its manifest cannot be read: {error.strerror}") from error
    if content_digest(text) != digest:
        raise _broken(folder, f"its manifest is not the one of {digest}")
    try:
        known = msgspec.json.decode(text, type=_Format).format
        if known != BUNDLE_FORMAT:
            raise _broken(folder, f"format {known}; this version reads {BUNDLE_FORMAT}")
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(folder, f"its manifest cannot be read: {error}") from error
    try:
        _compare(folder, manifest, look or Look({}))
    except OSError as error:
        what = Path(error.filename).name if error.filename else "a file"
        raise _broken(folder, f"{what} cannot be read: {error.strerror}") from error
    return manifest


class BundleStore:
    """The bundles of one home.

    Args:
        folder: where they lie.
        home: the home's id; without one, no bundle that names a home is served.
        boot: tells this start of the machine from others; a bundle is then read once a start, and
            each time its files changed. None reads it each time.
    """

    def __init__(self, folder: Path, home: str | None = None, boot: str | None = None) -> None:
        self._folder = folder
        self._home = home
        self._witness = Witness(folder / _VERIFIED, boot)

    def add(self, draft: Path, manifest: Manifest) -> str:
        """Seal a draft folder and move it in; return its digest.

        ``manifest.files`` is filled here, from what lies in the folder.

        Raises:
            InvalidInput: something in it is no plain file.
            OSError: the disk refused; the store is as it was.
        """
        names = sorted(_files(draft))
        for name in names:
            if not _is_plain(draft / name):
                raise InvalidInput(f"{name} is no plain file; copy what it stands for", field=name)
        files = digests_of(draft)
        sealed = msgspec.structs.replace(manifest, files=files)
        text = canonical_json(msgspec.to_builtins(sealed))
        (draft / MANIFEST_FILE).write_bytes(text)
        digest = content_digest(text)
        _synchronise(draft)
        if not self._folder.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self._folder.parent)
        target = self.path(digest)
        if target.exists():
            try:
                verify_bundle(target, digest)
            except InvalidInput:
                shutil.rmtree(target)
            else:
                shutil.rmtree(draft)
                return digest
        draft.rename(target)
        sync_folder(self._folder)
        return digest

    def path(self, digest: str) -> Path:
        """Return where a bundle lies, whether or not it is there."""
        return self._folder / digest.removeprefix("sha256:")[:_SHORT]

    def promote(self, digest: str) -> None:
        """Make a bundle the champion, after verifying it; a power cut cannot undo it.

        Raises:
            NotFound: there is no such bundle.
            InvalidInput: it is not intact, or of another home.
            OSError: the disk refused.
        """
        self.manifest(digest)
        replace_file(self._folder / _POINTER, digest.encode())

    def champion(self) -> str | None:
        """Return the digest that serves, None when no bundle was ever promoted.

        Raises:
            DependencyUnavailable: the pointer is there and cannot be read.
        """
        try:
            return (self._folder / _POINTER).read_text("utf-8").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise DependencyUnavailable(
                f"the pointer to the champion cannot be read: {error}",
                hint=f"let this user read bundles/{_POINTER}, or promote a bundle again",
            ) from error

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest of an intact bundle.

        Raises:
            NotFound: there is no such bundle.
            InvalidInput: it is not intact, or of another home.
        """
        path = self.path(digest)
        if not _NAME.fullmatch(path.name) or not path.is_dir():
            raise NotFound(
                f"there is no bundle {digest}", hint="playbill models lists those there are"
            )
        return self.verify(digest)

    def verify(self, digest: str) -> Manifest:
        """Return the manifest of a bundle that this home may serve.

        Raises:
            InvalidInput: it is not there, not intact, or was made in another home, where authors
                and topics have other numbers.
        """
        path = self.path(digest)
        with self._witness.looking(path) as look:
            manifest = verify_bundle(path, digest, look)
        if manifest.home is not None and manifest.home != self._home:
            here = f"this is home {self._home}" if self._home else "this home has no id yet"
            raise InvalidInput(
                f"bundle {path.name} is not served: it was made in home {manifest.home}, whose "
                f"authors and topics have other numbers; {here}",
                code="bundle_refused",
                hint="train one on this home's own log: playbill train",
            )
        return manifest

    def digests(self) -> list[str]:
        """Return the digests of all bundles, oldest first by creation.

        One whose manifest is damaged, or cannot be read, is listed by what its folder's name says
        of its digest.
        """
        found = []
        for path in self._folder.glob(f"*/{MANIFEST_FILE}"):
            try:
                text = path.read_bytes()
            except OSError:
                text = b""
            digest = content_digest(text)
            if self.path(digest) != path.parent:
                digest = "sha256:" + path.parent.name
            try:
                created = msgspec.json.decode(text, type=_Made).created_at_ms
            except (msgspec.DecodeError, UnicodeDecodeError):
                created = 0
            found.append((created, digest))
        return [digest for _, digest in sorted(found)]


def digests_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a bundle or a draft, by name, the manifest left out."""
    return {name: file_digest(folder / name) for name in sorted(_files(folder))}


def _compare(folder: Path, manifest: Manifest, look: Look) -> None:
    """Return if what lies in a folder is what its manifest lists, to the byte."""
    found = _files(folder)
    if found != manifest.files.keys():
        odd = ", ".join(sorted(found ^ manifest.files.keys()))
        raise _broken(folder, f"files missing or not listed: {odd}")
    for name, expected in manifest.files.items():
        if not _is_plain(folder / name) or look.digest(folder, name) != expected:
            raise _broken(folder, f"{name} was altered")


class _Format(msgspec.Struct):
    format: int


class _Made(msgspec.Struct):
    created_at_ms: int


def _files(folder: Path) -> set[str]:
    """Return everything in a folder but folders and the manifest, links to folders included."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    } - {MANIFEST_FILE}


def _is_plain(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _synchronise(folder: Path) -> None:
    """Put every file and every name in a folder on the disk."""
    for path in [*folder.rglob("*"), folder]:
        sync_folder(path)


def _broken(folder: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"bundle {folder.name} is not served: {why}",
        code="bundle_refused",
        hint="train again or restore the bundle; the last good one keeps serving",
    )
