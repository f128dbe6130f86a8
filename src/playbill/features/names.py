"""What feeds call a video: ids by row, beside the records, so that no feed asks a store for them.

Source: docs/decisions/0048-feeds-name-videos-by-row.md
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from playbill.features.layout import NAME_BYTES, VIDEO_NAME, room_for

Names = npt.NDArray[np.bytes_]


class VideoNames:
    """Ids in UTF-8 by row; empty where one is too long, or ends in zeros: a store knows those."""

    def __init__(self) -> None:
        self.names: Names = np.zeros(room_for(0), VIDEO_NAME)

    def put(self, rows: npt.NDArray[np.int64], ids: Sequence[str]) -> None:
        """Write the ids of (N,) rows down; a row keeps its id for good."""
        count = int(rows.max(initial=-1)) + 1
        if count > len(self.names):
            grown = np.zeros(room_for(count), VIDEO_NAME)
            grown[: len(self.names)] = self.names
            self.names = grown
        self.names[rows] = [_short(name.encode()) for name in ids]

    def restore(self, names: Names) -> None:
        """Stand where others stood, over these very names."""
        self.names = names


def _short(name: bytes) -> bytes:
    """Return an id that fits and comes back as it is: zeros at its end would be taken for none."""
    return name if len(name) <= NAME_BYTES and not name.endswith(b"\0") else b""
