"""A bundle, loaded: sessions, weights and vectors, mapped read-only. No torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from playbill.contracts import Manifest
from playbill.core import DependencyUnavailable, InvalidInput
from playbill.features import FEATURE_NAMES, ItemTables, features_digest
from playbill.models.content_tower import ContentTower
from playbill.models.user_history import history_inputs
from playbill.ranking import TASKS
from playbill.retrieval import VectorIndex

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_ORT_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.RuntimeException,
    ort_errors.EPFail,
    ort_errors.NotImplemented,
    RuntimeError,
)
_UNUSABLE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    KeyError,
    msgspec.DecodeError,
    *_ORT_ERRORS,
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
        return self._by_row[np.where(known, rows, 0)], known


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
    _ranker: Any
    _user_tower: Any
    _light_weights: Floats
    _light_bias: float

    @classmethod
    def load(cls, folder: Path, digest: str, manifest: Manifest) -> "BundleModel":
        """Open a verified bundle and try it once.

        Raises:
            InvalidInput: it was trained on other features, or a part of it cannot be used.
        """
        if manifest.features != features_digest() or manifest.feature_names != list(FEATURE_NAMES):
            raise InvalidInput(
                f"bundle {folder.name} was trained on other feature definitions than this version",
                code="bundle_refused",
                hint="train again with this version",
            )
        try:
            light = np.load(folder / "light.npz", allow_pickle=False)
            vectors = np.load(folder / "item_vectors.npy", mmap_mode="r", allow_pickle=False)
            keys = np.load(folder / "item_keys.npy", allow_pickle=False)
            lists = msgspec.json.decode((folder / "popular.json").read_bytes())
            model = cls(
                digest,
                manifest,
                np.array([manifest.value_weights[task] for task in TASKS], np.float32),
                BundleVectors(VectorIndex.load(folder / "index"), keys, vectors),
                ContentTower.load(folder / "content_tower.npz"),
                {int(code): np.array(found, np.uint64) for code, found in lists.items()},
                _session(folder / "ranker.onnx"),
                _session(folder / "user_tower.onnx"),
                light["weights"].astype(np.float32),
                float(light["bias"]),
            )
        except _UNUSABLE as error:
            raise InvalidInput(
                f"bundle {folder.name} cannot be opened: {error}", code="bundle_refused"
            ) from error
        width = len(FEATURE_NAMES)
        if model._light_weights.shape != (width,):
            raise InvalidInput(
                f"bundle {folder.name}: the light scorer has {model._light_weights.shape} weights; "
                f"expected ({width},)",
                code="bundle_refused",
            )
        return model

    def user_vector(self, user: npt.NDArray[np.void]) -> Floats | None:
        """Return the (D,) vector of a (1,) ``USER_RECORD``."""
        vectors, weights = history_inputs(user, self.table.vectors)
        try:
            (vector,) = self._user_tower.run(
                None, {"history_vectors": vectors, "history_weights": weights}
            )
        except _ORT_ERRORS as error:
            raise DependencyUnavailable(f"the user tower failed: {error}") from error
        found: Floats = vector[0]
        return found if np.isfinite(found).all() else None

    def light(self, features: Floats) -> Floats:
        """Return (C,) approximate utility of (C, F) features."""
        utility: Floats = features @ self._light_weights + np.float32(self._light_bias)
        return utility

    def heavy(self, features: Floats, categories: npt.NDArray[np.int64]) -> Floats:
        """Return (C, 4) calibrated probabilities of ``TASKS``."""
        try:
            (p_action,) = self._ranker.run(None, {"dense": features, "categories": categories})
        except _ORT_ERRORS as error:
            raise DependencyUnavailable(f"the heavy scorer failed: {error}") from error
        found: Floats = p_action
        return found


def _session(path: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
