"""A bundle, loaded: sessions, weights and vectors, mapped read-only. No torch."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import Manifest
from playbill.core import InvalidInput
from playbill.features import FEATURE_NAMES, ItemTables, features_digest
from playbill.models import TASKS, ContentTower, LightScorer, Ranker, UserTower, history_inputs
from playbill.retrieval import VectorIndex

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_UNUSABLE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    msgspec.DecodeError,
)


class BundleVectors:
    """Item vectors by row: trained ones from the bundle, the content tower's for newer videos.

    ``row_of_place`` (N,) is the row of each place of the index, -1 for a video not in item state.
    """

    def __init__(self, index: VectorIndex, keys: npt.NDArray[np.uint64], vectors: Floats) -> None:
        self.index = index
        self.row_of_place: Rows = np.full(len(index.keys), -1, np.int64)
        self._trained = vectors
        self._trained_places = _Places(keys)
        self._index_places = _Places(np.asarray(index.keys))
        self._by_row: Floats = np.zeros((0, vectors.shape[1]), np.float32)
        self._filled = 0

    def extend(self, tables: ItemTables, tower: ContentTower) -> None:
        """Give every row of item state a vector; costs what was added since the last call."""
        count = len(tables.items)
        if count <= self._filled:
            return
        if count > len(self._by_row):
            grown = np.zeros((max(count, 2 * len(self._by_row), 1024), self._by_row.shape[1]))
            grown[: self._filled] = self._by_row[: self._filled]
            self._by_row = grown.astype(np.float32)
        new = np.arange(self._filled, count)
        keys = tables.items["key"][new]
        place = self._trained_places.find(keys)
        trained = place >= 0
        self._by_row[new[trained]] = self._trained[place[trained]]
        if not trained.all():
            self._by_row[new[~trained]] = tower.vectors(tables.items[new[~trained]])
        place = self._index_places.find(keys)
        self.row_of_place[place[place >= 0]] = new[place >= 0]
        self._filled = count

    def vectors(self, rows: Rows) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return (C, D) vectors and (C,) True where a row has one."""
        known = (rows >= 0) & (rows < self._filled)
        if not self._filled:
            return np.zeros((len(rows), self._trained.shape[1]), np.float32), known
        found = self._by_row[np.where(known, rows, 0)]
        found[~known] = 0.0
        return found, known


class _Places:
    """Where each of N distinct keys stands."""

    def __init__(self, keys: npt.NDArray[np.uint64]) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def find(self, keys: npt.NDArray[np.uint64]) -> Rows:
        """Return (M,) the place of each key, -1 where it is not there."""
        if not len(self._sorted):
            return np.full(len(keys), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._order[at], -1)


@dataclass(frozen=True, slots=True)
class BundleModel:
    """A ``RankingModel`` over a verified bundle folder."""

    digest: str
    manifest: Manifest
    value_weights: Floats
    table: BundleVectors
    tower: ContentTower
    popular: dict[int, npt.NDArray[np.uint64]]
    _ranker: Ranker
    _user_tower: UserTower
    _light: LightScorer

    @classmethod
    def load(cls, folder: Path, digest: str, manifest: Manifest) -> "BundleModel":
        """Open a verified bundle.

        Raises:
            InvalidInput: it was trained on other features, or a part of it cannot be used.
        """
        if manifest.features != features_digest() or manifest.feature_names != list(FEATURE_NAMES):
            raise _refused(folder, "it was trained on other feature definitions than this version")
        try:
            vectors = np.load(folder / "item_vectors.npy", mmap_mode="r", allow_pickle=False)
            keys = np.load(folder / "item_keys.npy", allow_pickle=False)
            lists = msgspec.json.decode((folder / "popular.json").read_bytes())
            return cls(
                digest,
                manifest,
                np.array([manifest.value_weights[task] for task in TASKS], np.float32),
                BundleVectors(VectorIndex.load(folder / "index"), keys, vectors),
                ContentTower.load(folder / "content_tower.npz"),
                {int(code): np.array(found, np.uint64) for code, found in lists.items()},
                Ranker.load(folder / "ranker.onnx", len(FEATURE_NAMES)),
                UserTower.load(folder / "user_tower.onnx"),
                LightScorer.load(folder / "light.npz"),
            )
        except _UNUSABLE as error:
            raise _refused(folder, str(error)) from error
        except InvalidInput as error:
            raise _refused(folder, error.message) from error

    def user_vector(self, user: npt.NDArray[np.void]) -> Floats | None:
        """Return the (D,) vector of a (1,) ``USER_RECORD``, None when it is not finite."""
        vectors, weights = history_inputs(user, lambda rows: self.table.vectors(rows)[0])
        found = self._user_tower.vector(vectors, weights)
        return found if np.isfinite(found).all() else None

    def light(self, features: Floats) -> Floats:
        """Return (C,) approximate utility of (C, F) features."""
        return self._light.score(features)

    def heavy(self, features: Floats, categories: npt.NDArray[np.int64]) -> Floats:
        """Return (C, 4) calibrated probabilities of ``TASKS``."""
        return self._ranker.score(features, categories)


def _refused(folder: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"bundle {folder.name} is not served: {why}",
        code="bundle_refused",
        hint="train again with this version",
    )
