"""Whole numbers as the processor's instruction for their products reads them."""

from typing import Any

import numpy as np
import numpy.typing as npt

ROWS, COLUMNS = 4, 64
"""Of a tile: sixteen registers of sixteen sums."""
PER_BYTE, PER_WORD = 4, 2
"""Inputs that one lane of a register multiplies at once: bytes, and words of sixteen bits."""
_LINE = 64


def packed(weight: npt.NDArray[Any], per: int) -> npt.NDArray[Any]:
    """Return (B, I / per, 64, per) of (I, O) weights, as tiles read them, B blocks of 64 outputs.

    Inputs and outputs that lack to whole lanes and blocks are zeros. The memory begins with a line
    of the cache, so that no register is loaded from two.
    """
    inputs, outputs = (
        -(-size // to) for size, to in zip(weight.shape, (per, COLUMNS), strict=True)
    )
    whole = np.zeros((inputs * per, outputs * COLUMNS), weight.dtype)
    whole[: weight.shape[0], : weight.shape[1]] = weight
    blocks = whole.reshape(inputs, per, outputs, COLUMNS).transpose(2, 0, 3, 1)
    room = np.empty(blocks.nbytes + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    found = room[start : start + blocks.nbytes].view(weight.dtype).reshape(blocks.shape)
    found[...] = blocks
    return found
