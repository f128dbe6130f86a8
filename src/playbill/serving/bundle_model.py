"""A bundle, loaded: sessions, weights and vectors, mapped read-only. No torch."""

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import Manifest
from playbill.core import InvalidInput
from playbill.features import FEATURE_NAMES, Rest, features_digest, touch
from playbill.models import (
    TASKS,
    VIEWER_INPUTS,
    ContentTower,
    EightBits,
    Interests,
    LightScorer,
    ServedRanker,
    ServedUserTower,
)
from playbill.retrieval import CatalogueVectors, Transitions, VectorIndex, VectorTable

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Record = npt.NDArray[np.void]

_log = logging.getLogger("playbill")
_USER_VECTORS = 10_000
_ROW_FILES = ("rows", "places")
_UNUSABLE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    msgspec.DecodeError,
)


@dataclass(frozen=True, slots=True)
class BundleModel:
    """A ``RankingModel`` over a verified bundle folder."""

    digest: str
    manifest: Manifest
    value_weights: Floats
    vectors: CatalogueVectors
    tower: ContentTower
    popular: dict[int, npt.NDArray[np.uint64]]
    _ranker: ServedRanker
    _interests: Interests
    _user_tower: ServedUserTower
    _light: LightScorer
    _user_vectors: OrderedDict[bytes, Floats] = field(default_factory=OrderedDict)

    @classmethod
    def load(
        cls, folder: Path, digest: str, manifest: Manifest, rest: Rest = lambda: None
    ) -> "BundleModel":
        """Open a verified bundle, with rests between its parts.

        Raises:
            InvalidInput: it was trained on other features, or a part of it cannot be used.
        """
        if manifest.features != features_digest() or manifest.feature_names != list(FEATURE_NAMES):
            raise _refused(folder, "it was trained on other feature definitions than this version")
        try:
            index = VectorIndex.load(folder / "index")
            rest()
            rows, places = (_numbers(folder / "index" / f"{name}.npy") for name in _ROW_FILES)
            if len(rows) != len(index.keys) or places.max(initial=-1) >= len(index.keys):
                raise _refused(folder, f"{len(rows):,} rows for {len(index.keys):,} places")
            transitions = Transitions.load(folder / "transitions")
            if len(transitions.starts) > 1 + len(rows):
                raise _refused(folder, f"transitions of more than its {len(rows):,} places")
            lists = msgspec.json.decode((folder / "popular.json").read_bytes())
            rest()
            ranges = EightBits.load(folder)
            ranker = ServedRanker.load(folder / "ranker.onnx", VIEWER_INPUTS, ranges, rest)
            rest()
            user_tower = ServedUserTower.load(folder / "user_tower.onnx", rest)
            if ranges is not None and not ranker.eight_bits:
                _log.info("%s is served in float32: products of bytes overflow here", folder.name)
            return cls(
                digest,
                manifest,
                np.array([manifest.value_weights[task] for task in TASKS], np.float32),
                CatalogueVectors(index, rows, places, transitions),
                ContentTower.load(folder / "content_tower.npz"),
                {int(code): np.array(found, np.uint64) for code, found in lists.items()},
                ranker,
                Interests.load(folder),
                user_tower,
                LightScorer.load(folder / "light.npz"),
            )
        except _UNUSABLE as error:
            raise _refused(folder, str(error)) from error
        except InvalidInput as error:
            raise _refused(folder, error.message) from error

    @property
    def table(self) -> VectorTable:
        """Return item vectors and their index."""
        return self.vectors

    def touch(self, rest: Rest = lambda: None) -> None:
        """Look at every page of what is mapped, so that no feed is the first to; for a thread."""
        self.vectors.touch(rest)
        touch(self._interests.codes, rest=rest)

    def user_vector(self, user: npt.NDArray[np.void]) -> Floats | None:
        """Return the (D,) vector of a (1,) ``USER_RECORD``, None when it is not finite.

        The vectors of the last 10,000 different histories are kept.
        """
        history = user["history"].tobytes() + user["history_action"].tobytes()
        known = self._user_vectors.get(history)
        if known is not None:
            self._user_vectors.move_to_end(history)
            return known
        found = self._user_tower.vector(user, self._looked_up)
        if found is None:
            return None
        self._user_vectors[history] = found
        if len(self._user_vectors) > _USER_VECTORS:
            self._user_vectors.popitem(last=False)
        return found

    def _looked_up(self, rows: npt.NDArray[np.int64]) -> Floats:
        return self.vectors.vectors(rows)[0]

    def light(self, features: Floats) -> Floats:
        """Return (C,) approximate utility of (C, F) features."""
        return self._light.score(features)

    def heavy(
        self, features: Floats, places: Ints, categories: Ints, rows: Ints, user: Record
    ) -> Floats:
        """Return (C, 4) calibrated probabilities of ``TASKS`` for one request's candidates."""
        asked = self._interests.ranker_input(features, places, rows, user)
        return self._ranker.score(asked, categories)


def _numbers(path: Path) -> npt.NDArray[np.int32]:
    """Map (N,) numbers that are -1 or more.

    Raises:
        ValueError: the file holds something else.
    """
    found = np.load(path, mmap_mode="r", allow_pickle=False)
    if found.ndim != 1 or found.dtype != np.int32 or found.min(initial=-1) < -1:
        raise ValueError(f"{path.name} does not hold the numbers of rows or places")
    return np.asarray(found)


def _refused(folder: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"bundle {folder.name} is not served: {why}",
        code="bundle_refused",
        hint="train again with this version",
    )
