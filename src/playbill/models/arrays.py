"""Arrays of a bundle's file, or a plain refusal."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput


def read_arrays(path: Path, names: tuple[str, ...], what: str) -> list[npt.NDArray[Any]]:
    """Return the named arrays of an ``.npz`` file, in order.

    Args:
        path: the file.
        names: arrays that must be there.
        what: what the file is meant to be, for the refusal.

    Raises:
        InvalidInput: the file is missing, damaged, or lacks an array.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return [file[name] for name in names]
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        raise InvalidInput(
            f"{path.name} is no {what}: {error}", hint="train again or restore the bundle"
        ) from error
