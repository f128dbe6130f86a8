"""Bundles in a folder, named by the digest of their manifest; a pointer names the champion."""

import os
import shutil
from pathlib import Path

import msgspec

from playbill.contracts import BUNDLE_FORMAT, MANIFEST_FILE, Manifest
from playbill.core import InvalidInput, NotFound, canonical_json, content_digest, file_digest

_POINTER = "champion"
_SHORT = 16


def verify_bundle(folder: Path, digest: str) -> Manifest:
    """Return the manifest of a bundle whose every byte is as it was sealed.

    Raises:
        InvalidInput: the manifest is not the one the digest names, a file is missing, altered or
            not listed, or the format is one this version does not know.
    """
    try:
        text = (folder / MANIFEST_FILE).read_bytes()
        manifest = msgspec.json.decode(text, type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(folder, f"its manifest cannot be read: {error}") from error
    if content_digest(text) != digest:
        raise _broken(folder, f"its manifest is not the one of {digest}")
    if manifest.format != BUNDLE_FORMAT:
        raise _broken(folder, f"format {manifest.format}; this version reads {BUNDLE_FORMAT}")
    found = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    } - {MANIFEST_FILE}
    if found != manifest.files.keys():
        odd = ", ".join(sorted(found ^ manifest.files.keys()))
        raise _broken(folder, f"files missing or not listed: {odd}")
    for name, expected in manifest.files.items():
        if (folder / name).is_symlink() or file_digest(folder / name) != expected:
            raise _broken(folder, f"{name} was altered")
    return manifest


class BundleStore:
    """The bundles of one home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, draft: Path, manifest: Manifest) -> str:
        """Seal a draft folder and move it in; return its digest.

        ``manifest.files`` is filled here, from what lies in the folder.

        Raises:
            OSError: the disk refused; the store is as it was.
        """
        names = sorted(
            path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file()
        )
        files = {name: file_digest(draft / name) for name in names if name != MANIFEST_FILE}
        sealed = msgspec.structs.replace(manifest, files=files)
        text = canonical_json(msgspec.to_builtins(sealed))
        (draft / MANIFEST_FILE).write_bytes(text)
        digest = content_digest(text)
        _synchronise(draft)
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self.path(digest)
        if target.exists():
            shutil.rmtree(draft)
        else:
            draft.rename(target)
        return digest

    def path(self, digest: str) -> Path:
        """Return where a bundle lies, whether or not it is there."""
        return self._folder / digest.removeprefix("sha256:")[:_SHORT]

    def promote(self, digest: str) -> None:
        """Make a bundle the champion, after verifying it.

        Raises:
            NotFound: there is no such bundle.
            InvalidInput: it is not intact.
        """
        if not self.path(digest).is_dir():
            raise NotFound(
                f"there is no bundle {digest}", hint="playbill models lists those there are"
            )
        verify_bundle(self.path(digest), digest)
        draft = self._folder / f"{_POINTER}.draft"
        with draft.open("w") as file:
            file.write(digest)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / _POINTER)

    def champion(self) -> str | None:
        """Return the digest that serves, None when no bundle was ever promoted."""
        try:
            return (self._folder / _POINTER).read_text().strip() or None
        except OSError:
            return None

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest of an intact bundle."""
        return verify_bundle(self.path(digest), digest)

    def digests(self) -> list[str]:
        """Return the digests of all bundles, oldest first by creation."""
        found = []
        for path in self._folder.glob(f"*/{MANIFEST_FILE}"):
            text = path.read_bytes()
            try:
                created = msgspec.json.decode(text, type=_Made).created_at_ms
            except (msgspec.DecodeError, UnicodeDecodeError):
                created = 0
            found.append((created, content_digest(text)))
        return [digest for _, digest in sorted(found)]


class _Made(msgspec.Struct):
    created_at_ms: int


def _synchronise(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.close(file)


def _broken(folder: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"bundle {folder.name} is not served: {why}",
        code="bundle_refused",
        hint="train again or restore the bundle; the last good one keeps serving",
    )
