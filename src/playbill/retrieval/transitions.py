"""What viewers take after what, as it is served: mapped, read-only, shared by all workers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput

Arrays = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]

_KINDS = {"starts": "int64", "followers": "int32", "weights": "float32"}


@dataclass(frozen=True, slots=True)
class Transitions:
    """Followers of each of N videos, strongest first.

    ``starts`` (N + 1,): those of video n stand from ``starts[n]`` to ``starts[n + 1]`` in
    ``followers`` (E,), numbers of videos, and ``weights`` (E,), above 0.
    """

    starts: npt.NDArray[np.int64]
    followers: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]

    @classmethod
    def none(cls) -> "Transitions":
        """Return those of no video."""
        empty = cls(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
        for array in empty.arrays:
            array.flags.writeable = False
        return empty

    @property
    def arrays(
        self,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return them as kernels take them."""
        return self.starts, self.followers, self.weights

    @classmethod
    def load(cls, folder: Path) -> "Transitions":
        """Map what ``save`` wrote; none where the folder is not there.

        Raises:
            InvalidInput: a file is missing or no array, or the arrays do not fit together.
        """
        if not folder.is_dir():
            return cls.none()
        try:
            arrays = {
                name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in _KINDS
            }
        except (OSError, EOFError, ValueError) as error:
            raise InvalidInput(f"{folder.name} cannot be read: {error}") from error
        for name, kind in _KINDS.items():
            if arrays[name].dtype != kind or arrays[name].ndim != 1:
                raise InvalidInput(f"{folder.name}/{name}.npy does not hold a row of {kind}")
        found = cls(*(np.asarray(arrays[name]) for name in _KINDS))
        found.check(folder.name)
        return found

    def check(self, name: str) -> None:
        """Return if no lookup can leave the arrays.

        Raises:
            InvalidInput: one could.
        """
        edges, videos = len(self.followers), len(self.starts) - 1
        if videos < 0 or len(self.weights) != edges:
            raise InvalidInput(f"{name} has {edges:,} followers and {len(self.weights):,} weights")
        follow = (int(self.starts[0]), int(self.starts[-1])) == (0, edges)
        if not follow or (np.diff(self.starts) < 0).any():
            raise InvalidInput(f"{name}: the parts do not follow each other from 0 to {edges:,}")
        if edges and not 0 <= self.followers.min() <= self.followers.max() < videos:
            raise InvalidInput(f"{name} names followers beyond its {videos:,} videos")

    def save(self, folder: Path) -> None:
        """Write one file an array; the same arrays give the same bytes."""
        folder.mkdir()
        for name in _KINDS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)

    def renumbered(self, numbers: npt.NDArray[np.int64], size: int) -> "Transitions":
        """Return them by other numbers of the videos; those without a number are left out.

        Args:
            numbers: (N,) the new number of each video, -1 for none; no two are the same.
            size: how many new numbers there are.
        """
        leading = np.repeat(numbers, np.diff(self.starts))
        after = numbers[self.followers]
        kept = np.flatnonzero((leading >= 0) & (after >= 0))
        kept = kept[np.argsort(leading[kept], kind="stable")]
        starts = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(leading[kept], minlength=size), out=starts[1:])
        return Transitions(starts, after[kept].astype(np.int32), self.weights[kept])
