"""What one request asks of a machine, counted from the shapes of what it goes through."""

import math
from dataclasses import dataclass
from pathlib import Path

import msgspec

from playbill.contracts import ServingSettings
from playbill.features import FEATURE_NAMES, ITEM_RECORD, USER_RECORD
from playbill.features.layout import GROUP_RECORD, HISTORY
from playbill.models import CATEGORIES, VIEWER_INPUTS
from playbill.models.curves import STRETCHES
from playbill.models.onnx_wire import Graph
from playbill.retrieval import NEAR_AMONG, SIMILAR_SEEDS, VectorIndex

_LINE_BYTES = 64
_GATE_SPARE = 1.25
"""Hits that are looked up for each that is wanted."""
_OPERATIONS_PER_FEATURE = 4
_OPERATIONS_PER_STRETCH = 6


class Work(msgspec.Struct, frozen=True):
    """One request.

    Operations on float32 numbers or on 8-bit codes, bytes read in order, and cache lines read at
    random places.
    """

    flop: float
    stream_bytes: float
    random_lines: float


@dataclass(frozen=True, slots=True)
class Shapes:
    """Sizes that a request's work follows from.

    ``scorer`` is the number of weights in matrices, ``scorer_once`` how many of them are the
    viewer's, and used once a request; ``tower`` how many products the user tower adds up;
    ``candidates`` how many are scored, on average.
    """

    index: VectorIndex
    scorer: int
    scorer_once: int
    tower: int
    candidates: float
    serving: ServingSettings

    def work(self) -> Work:
        """Return what one request asks for."""
        serving, width = self.serving, self.index.codes.shape[1]
        scanned, centres = self._looked_at(serving.ann_quota)
        beside = self._looked_at(max(1, serving.similar_quota // SIMILAR_SEEDS))
        scanned += SIMILAR_SEEDS * beside[0] + NEAR_AMONG
        centres += SIMILAR_SEEDS * beside[1]
        features = self.candidates * len(FEATURE_NAMES)
        heavy = min(serving.heavy_rows, self.candidates)
        flop = (
            2.0 * heavy * (self.scorer - self.scorer_once)
            + 2.0 * self.scorer_once
            + 2.0 * self.tower
            + 2.0 * width * (scanned + centres)
            + (2.0 + _OPERATIONS_PER_FEATURE) * features
            + _OPERATIONS_PER_STRETCH * STRETCHES * heavy * VIEWER_INPUTS.count(False)
        )
        streamed = (
            (width + 8) * scanned + (width + 4) * centres + 4.0 * self.scorer + 8.0 * features
        )
        record_lines = (ITEM_RECORD.itemsize + GROUP_RECORD.itemsize) / _LINE_BYTES
        gated = _GATE_SPARE * (serving.ann_quota + serving.similar_quota)
        interests = heavy + HISTORY
        lines = record_lines * self.candidates + gated + interests
        lines += USER_RECORD.itemsize / _LINE_BYTES
        return Work(flop, streamed, lines)

    def _looked_at(self, count: int) -> tuple[float, float]:
        """Return how many videos and how many centres a search for ``count`` looks at."""
        index = self.index
        groups, lists = index.effort(count)
        groups, lists = min(groups, len(index.groups)), min(lists, len(index.centroids))
        per_list = len(index.keys) / len(index.centroids)
        per_group = len(index.centroids) / len(index.groups)
        return lists * per_list, len(index.groups) + groups * per_group


def weights_of(graph: Path) -> int:
    """Return how many numbers the matrices of an exported network hold."""
    import onnx

    model = onnx.load(str(graph))
    multiplied = {
        name for node in model.graph.node if node.op_type == "Gemm" for name in node.input
    }
    sizes = [
        tensor.dims[0] * tensor.dims[1]
        for tensor in model.graph.initializer
        if len(tensor.dims) == 2 and tensor.name in multiplied
    ]
    return int(sum(sizes))


def products_of(user_tower: Path, videos: int) -> int:
    """Return how many products of two numbers a user tower adds up for a history of some videos."""
    import onnx

    model = onnx.load(str(user_tower))
    for part in model.graph.input:
        part.type.tensor_type.shape.dim[0].dim_value = videos
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True, strict_mode=True).graph
    shapes = {tensor.name: list(tensor.dims) for tensor in inferred.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        shapes[value.name] = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
    return sum(
        math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
        for node in inferred.node
        if node.op_type in ("Gemm", "MatMul")
    )


def weights_once_of(ranker: Path) -> int:
    """Return how many of those numbers an exported ranker needs once a request: the viewer's.

    Raises:
        InvalidInput: the file is no graph.
    """
    constants = Graph.read(ranker.read_bytes()).constants
    codes = (len(CATEGORIES) - 1) * constants["embeddings"].shape[1]
    return int((sum(VIEWER_INPUTS) + codes) * constants["weight_0"].shape[1])
