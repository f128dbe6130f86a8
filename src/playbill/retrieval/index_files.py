"""An index on disk: one file an array, mapped, and believed only where all fit together."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput

_KINDS = {
    "groups": ("float32", 2),
    "group_starts": ("int64", 1),
    "centroids": ("float32", 2),
    "starts": ("int64", 1),
    "codes": ("int8", 2),
    "scales": ("float32", 1),
    "keys": ("uint64", 1),
}
FILES = tuple(_KINDS)


def read_arrays(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an index by their names.

    Raises:
        InvalidInput: a file is missing, is no array, or does not fit the others.
    """
    try:
        arrays = {name: _mapped(folder / f"{name}.npy") for name in FILES}
    except (OSError, EOFError, ValueError) as error:
        raise InvalidInput(f"the index in {folder.name} cannot be read: {error}") from error
    misfit = _misfit(arrays)
    if misfit:
        raise InvalidInput(
            f"the index in {folder.name} does not fit together: {misfit}",
            hint="restore the bundle or train again; the last good one keeps serving",
        )
    return arrays


def _misfit(arrays: dict[str, npt.NDArray[Any]]) -> str:
    """Return why a scan could leave these arrays, nothing when it cannot."""
    for name, (kind, axes) in _KINDS.items():
        array = arrays[name]
        if array.dtype != kind or array.ndim != axes or not array.flags.c_contiguous:
            return f"{name} is {array.dtype} of {array.ndim} axes, not {kind} of {axes}"
    codes, scales, keys = arrays["codes"], arrays["scales"], arrays["keys"]
    if not len(codes) == len(scales) == len(keys):
        return f"{len(codes):,}, {len(scales):,} and {len(keys):,} codes, scales and keys"
    widths = {arrays[name].shape[1] for name in ("groups", "centroids", "codes")}
    if len(widths) > 1:
        return f"groups, centroids and codes of the widths {sorted(widths)}"
    groups, lists = len(arrays["groups"]), len(arrays["centroids"])
    return _misfit_of(arrays["group_starts"], groups, lists, "lists of the groups") or _misfit_of(
        arrays["starts"], lists, len(codes), "videos of the lists"
    )


def _misfit_of(starts: npt.NDArray[Any], parts: int, end: int, what: str) -> str:
    if not parts or len(starts) != parts + 1:
        return f"{len(starts):,} starts for the {what}, which are {parts:,}"
    if (int(starts[0]), int(starts[-1])) != (0, end) or (np.diff(starts) < 0).any():
        return f"the {what} do not follow each other from 0 to {end:,}"
    return ""


def _mapped(path: Path) -> npt.NDArray[Any]:
    loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        loaded.close()
        raise ValueError(f"{path.name} is no array")
    return np.asarray(loaded)
