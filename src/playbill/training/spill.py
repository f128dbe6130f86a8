"""Arrays that may be larger than memory: in an unnamed file, of which memory holds what is read.

Source: docs/decisions/0044-rows-beyond-memory-lie-in-a-file.md
"""

import math
import mmap
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.core import DependencyUnavailable

Floats = npt.NDArray[np.float32]


def empty_floats(shape: tuple[int, int], most_bytes: float, folder: Path) -> Floats:
    """Return an array of ``shape`` to be filled, in memory or, beyond ``most_bytes``, in a file.

    The file has no name: it goes with the array, however the process ends. Its room is taken at
    once, so a full disk is met here and not while the array is filled.

    Raises:
        DependencyUnavailable: the folder has no room for it, or cannot be written.
    """
    size = math.prod(shape) * np.dtype(np.float32).itemsize
    if size <= most_bytes or not size:
        return np.empty(shape, np.float32)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)
            mapped = mmap.mmap(file.fileno(), size)
    except OSError as error:
        raise DependencyUnavailable(
            f"there is no room in {folder} for {size / 2**30:.1f} GiB of features: {error}",
            hint="free space, or raise training.rows_in_memory_gib if there is memory",
        ) from error
    # A step reads rows from all over: what lies around each is not wanted.
    mapped.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(mapped, np.float32).reshape(shape)
