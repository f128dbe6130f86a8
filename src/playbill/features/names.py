"""What feeds call a video: ids by row, beside the records, so that no feed asks a store for them.

Source: docs/decisions/0048-feeds-name-videos-by-row.md
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from playbill.features.layout import NAME_BYTES, VIDEO_NAME

Names = npt.NDArray[np.bytes_]

_FIRST_ROWS = 1 << 12


class VideoNames:
    """Ids in UTF-8 by row; empty where one is too long, or ends in zeros: a store knows those."""

    def __init__(self) -> None:
        self.names: Names = np.zeros(_FIRST_ROWS, VIDEO_NAME)

    def put(self, rows: npt.NDArray[np.int64], ids: Sequence[str]) -> None:
        """Write the ids of (N,) rows down; a row keeps its id for good."""
        count = int(rows.max(initial=-1)) + 1
        if count > len(self.names):
            self.restore(self.names, count)
        self.names[rows] = [_short(name.encode()) for name in ids]

    def restore(self, names: Names, count: int = 0) -> None:
        """Stand where others stood, with room for so many."""
        size = _FIRST_ROWS
        while size < max(len(names), count):
            size *= 2
        self.names = np.zeros(size, VIDEO_NAME)
        self.names[: len(names)] = names


def _short(name: bytes) -> bytes:
    """Return an id that fits and comes back as it is: zeros at its end would be taken for none."""
    return name if len(name) <= NAME_BYTES and not name.endswith(b"\0") else b""
