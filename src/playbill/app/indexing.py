"""A bundle's index, with the row of each place and a report on what it finds."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

QUALITY_FILE = "quality.json"


def write_index(
    folder: Path,
    vectors: "npt.NDArray[np.float32]",
    items: "npt.NDArray[np.void]",
    rows: "npt.NDArray[np.int64]",
    viewers: "npt.NDArray[np.float32]",
    *,
    seed: int,
    regions: int,
    now_ms: int,
    on_progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Write the index of (N, 64) unit vectors and return its quality.

    Args:
        folder: where it goes.
        vectors: of N visible videos.
        items: (N,) records of the videos.
        rows: (N,) rows of the videos in item state.
        viewers: (Q, 64) vectors of viewers whose neighbours are looked for.
        seed: of the clustering.
        regions: how many are declared.
        now_ms: from which the videos' ages count.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: vectors that are not finite.
    """
    import numpy as np

    from playbill.retrieval import VectorIndex, inverted
    from playbill.retrieval.quality import index_quality

    keys = items["key"]
    index = VectorIndex.build(vectors, keys, seed, on_progress)
    index.save(folder)
    order = np.argsort(keys)
    places = order[np.searchsorted(keys[order], index.keys)]
    row_of_place = rows[places].astype(np.int32)
    np.save(folder / "rows.npy", row_of_place, allow_pickle=False)
    np.save(folder / "places.npy", inverted(row_of_place), allow_pickle=False)
    quality = index_quality(index, vectors, items, viewers, regions=regions, now_ms=now_ms)
    (folder / QUALITY_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(quality)))
    return quality
