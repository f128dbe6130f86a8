"""What a viewer did lately as a small vector, crossed with each candidate's.

Source: docs/decisions/0034-interests-are-a-mean-crossed-with-the-candidate.md
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.features import FEATURE_NAMES, VIEWER_FEATURES
from playbill.models.arrays import read_arrays
from playbill.models.interest_kernel import fill_crossed, fill_ranker_input

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

INTERESTS = 8
"""Coordinates of a viewer's interests, and of a video in the same space."""
DEEDS = 256
"""Values that a byte of ``history_action`` bits may have."""
RANKER_INPUTS = len(FEATURE_NAMES) + 2 * INTERESTS
"""Features, interests, crossed interests: the columns that a ranker is asked with."""
VIEWER_INPUTS = (*VIEWER_FEATURES, *(True,) * INTERESTS, *(False,) * INTERESTS)
"""Which of them are the same for every candidate of a request."""
CODES_FILE, DEEDS_FILE = "interest_codes.npy", "interests.npz"
_LARGEST_CODE = 127


@dataclass(frozen=True, slots=True)
class Interests:
    """Videos and deeds in the space of interests.

    ``codes`` (I, 8) int8 by row, in steps, zeros for videos nobody learned of; ``step`` what one
    is worth; ``deeds`` (256, 8) by ``history_action`` bits.
    """

    codes: npt.NDArray[np.int8]
    step: np.float32
    deeds: Floats

    @classmethod
    def of(cls, videos: Floats, deeds: Floats) -> "Interests":
        """Return videos (I, 8) rounded to 127 steps either way, and (256, 8) deeds as they are."""
        largest = max(float(np.abs(videos).max(initial=0.0)), 1e-9)
        step = np.float32(largest / _LARGEST_CODE)
        return cls(np.rint(videos / step).astype(np.int8), step, deeds.astype(np.float32))

    @classmethod
    def load(cls, folder: Path) -> "Interests":
        """Map those of a bundle's folder.

        Raises:
            InvalidInput: a file is missing, damaged, or holds something else.
        """
        step, deeds = read_arrays(folder / DEEDS_FILE, ("step", "deeds"), "table of interests")
        try:
            codes = np.load(folder / CODES_FILE, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InvalidInput(
                f"{CODES_FILE} cannot be read: {error}", hint="train again or restore the bundle"
            ) from error
        shapes = codes.shape[1:], codes.dtype, deeds.shape, step.shape
        if shapes != ((INTERESTS,), np.int8, (DEEDS, INTERESTS), ()) or not (
            np.isfinite(deeds).all() and np.isfinite(step)
        ):
            raise InvalidInput(
                f"{folder.name} holds interests of shapes {shapes}, or numbers that are not "
                f"finite; (I, {INTERESTS}) codes of a byte and ({DEEDS}, {INTERESTS}) deeds fit",
                hint="train again or restore the bundle",
            )
        return cls(np.asarray(codes), np.float32(step), deeds.astype(np.float32))

    def save(self, folder: Path) -> None:
        """Write both files; the same numbers give the same bytes."""
        np.save(folder / CODES_FILE, self.codes, allow_pickle=False)
        np.savez(folder / DEEDS_FILE, step=self.step, deeds=self.deeds)

    def ranker_input(
        self, features: Floats, places: Ints, rows: Ints, user: npt.NDArray[np.void]
    ) -> Floats:
        """Return (C, F + 16) what the ranker is asked about C candidates of one viewer.

        Args:
            features: (N, F) raw features.
            places: (C,) where each candidate stands among them.
            rows: (C,) of the candidates.
            user: (1,) ``USER_RECORD``.
        """
        asked = np.empty((len(rows), features.shape[1] + 2 * INTERESTS), np.float32)
        fill_ranker_input(features, places, rows, user, self.codes, self.step, self.deeds, asked)
        return asked

    def crossed(
        self, rows: Ints, videos: npt.NDArray[np.uint32], actions: npt.NDArray[np.uint8]
    ) -> Floats:
        """Return (N, 16) interests and crossed interests, bit for bit as serving has them.

        Args:
            rows: (N,) of the candidates.
            videos: (N, 32) rows of each one's history.
            actions: (N, 32) ``history_action`` bits, 0 where there is no video.
        """
        found = np.empty((len(rows), 2 * INTERESTS), np.float32)
        fill_crossed(rows, videos, actions, self.codes, self.step, self.deeds, found)
        return found


def warm_interests(user: npt.NDArray[np.void]) -> None:
    """Compile what a request calls, for a process that has no bundle yet."""
    codes = np.zeros((1, INTERESTS), np.int8)
    codes.flags.writeable = False
    nothing = Interests(codes, np.float32(0.0), np.zeros((DEEDS, INTERESTS), np.float32))
    none = np.zeros(1, np.int64)
    nothing.ranker_input(np.zeros((1, 2), np.float32), none, none, user)
