"""Files that a power cut cannot take back once a call has returned."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

DRAFT_SUFFIX = ".draft"
"""What a file is called beside its place until it is whole; one left by a crash is overwritten."""


def replace_file(path: Path, data: bytes | Callable[[BinaryIO], object], mode: int = 0o600) -> None:
    """Replace a file in one step: it and its name are on the disk before this returns.

    Readers see the old content or the new one, never a part. For one writer of a path at a time.

    Args:
        path: in a folder that is there.
        data: the whole content, or what writes it.
        mode: of a new file; the process's mask does not widen it.

    Raises:
        OSError: the disk refused. Before the replacement nothing changed and no draft is left;
            where only the folder could not be synchronised, the new content is there but may not
            outlive a power cut.
    """
    draft = path.with_name(path.name + DRAFT_SUFFIX)
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                data(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Put the names in a folder, or the bytes of one file, on the disk.

    Raises:
        OSError: the disk refused.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
