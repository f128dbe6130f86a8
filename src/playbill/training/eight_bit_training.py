"""Whether a ranker may serve with eight-bit layers: ranges from some lists, tried on others.

Source: docs/decisions/0035-eight-bits-between-the-first-layer-and-the-last.md
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from playbill.models import Interests, Ranker
from playbill.models.curves import read_numbers
from playbill.models.eight_bits import EightBits, in_eight_bits
from playbill.models.interests import VIEWER_INPUTS
from playbill.models.onnx_wire import Graph
from playbill.models.served_ranker import layers_of
from playbill.training.dataset import Histories, Rows

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

LEAST_OVERLAP = 0.98
"""Of the first twenty by float32 numbers, so many must be among the first twenty by eight bits."""
FIRST, CANDIDATES = 20, 200
_LISTS, _FEWEST_LISTS = 200, 10
_HELD = 1.0
"""Ranges hold all that was met: a unit that is cut off is worse than one that is coarse."""
_SALT = 0x8B17


@dataclass(frozen=True, slots=True)
class Lists:
    """What a ranker is asked about the candidates of Q viewers.

    ``asked`` (Q, C, I) inputs and ``categories`` (Q, C, 3) codes; what is the viewer's is the same
    in each list.
    """

    asked: Floats
    categories: Ints


def lists_of(rows: Rows, histories: Histories, interests: Interests, seed: int) -> Lists:
    """Return rows put together as lists: a row's viewer and surface with the videos of others.

    Args:
        rows: some that the ranker was not taught.
        histories: of the rows' snapshots.
        interests: of the ranker.
        seed: of the draw.
    """
    random = np.random.default_rng([seed, _SALT])
    count = min(_LISTS, len(rows) // CANDIDATES)
    viewers = random.choice(len(rows), (count, 1), replace=False)
    others = random.permutation(len(rows))[: count * CANDIDATES].reshape(count, -1)
    shape = (count, CANDIDATES)
    asked = np.concatenate(
        [
            rows.dense[others],
            _crossed(rows, np.broadcast_to(viewers, shape), others, histories, interests),
        ],
        axis=2,
    )
    mine = np.flatnonzero(VIEWER_INPUTS[: rows.dense.shape[1]])
    asked[:, :, mine] = rows.dense[viewers][:, :, mine]
    categories = rows.categories[others]
    categories[:, :, :-1] = rows.categories[viewers][:, :, :-1]
    return Lists(asked, categories)


def _crossed(
    rows: Rows, viewers: Ints, others: Ints, histories: Histories, interests: Interests
) -> Floats:
    """Return (Q, C, 16) interests of viewers and how the videos of other rows cross them."""
    snapshots = rows.snapshots[viewers].ravel()
    videos, actions = histories.items[snapshots], histories.actions[snapshots]
    found = interests.crossed(rows.items[others].ravel(), videos, actions)
    return found.reshape(*others.shape, -1)


def fit_eight_bits(
    graph: bytes, lists: Lists, value: Floats
) -> tuple[EightBits | None, dict[str, Any]]:
    """Return the ranges a ranker may serve with, None for float32 only, and why.

    Every other list says how large hidden units get; the others are ranked both ways.

    Args:
        graph: the exported ranker.
        lists: what it is asked.
        value: (4,) utilities of ``TASKS``.
    """
    said = {"first": FIRST, "needed": LEAST_OVERLAP, "lists": len(lists.asked) // 2}
    parts = Graph.read(graph)
    constants, count = parts.constants, layers_of(parts)
    weights = [constants[f"weight_{place}"] for place in range(count)]
    biases = [constants[f"bias_{place}"] for place in range(count)]
    if len(weights) < 3 or len(lists.asked) < _FEWEST_LISTS:
        return None, {**said, "overlap": None, "carried": False}
    ranker = Ranker.load(graph, lists.asked.shape[2])
    sums = _first_sums(constants, lists)
    ranges = EightBits.of(_hidden(sums[::2], weights, biases), _HELD)
    between = ranges.between(weights, biases[1:-1])
    shares = []
    for place in range(1, len(sums), 2):
        exact = ranker.score(lists.asked[place], lists.categories[place])
        shift = _of_surfaces(constants, lists.categories[place])
        first = sums[place] / ranges.ranges[0]
        coarse = in_eight_bits(first, between, weights[-1], biases[-1] + shift)
        shares.append(_shared(exact @ value, coarse @ value))
    overlap = float(np.mean(shares))
    carried = overlap >= LEAST_OVERLAP
    return ranges if carried else None, {**said, "overlap": round(overlap, 4), "carried": carried}


def _first_sums(constants: dict[str, npt.NDArray[Any]], lists: Lists) -> Floats:
    """Return (Q, C, W) sums of the first layer, as the graph has them before it cuts off."""
    x = np.stack([read_numbers(constants, asked) for asked in lists.asked])
    known = (lists.categories >= 0) & (lists.categories < constants["sizes"])
    codes = np.where(known, lists.categories, 0) + constants["offsets"]
    embedded = constants["embeddings"][codes].reshape(*codes.shape[:2], -1)
    found: Floats = (
        np.concatenate([x, embedded], axis=2) @ constants["weight_0"] + constants["bias_0"]
    )
    return found


def _of_surfaces(constants: dict[str, npt.NDArray[Any]], categories: Ints) -> Floats:
    """Return (C, O) what calibration adds on the surface of each of C candidates."""
    shifts: Floats = constants["shifts"]
    surfaces = categories[:, 0]
    return shifts[np.where((surfaces >= 0) & (surfaces < len(shifts)), surfaces, 0)]


def _hidden(sums: Floats, weights: list[Floats], biases: list[Floats]) -> list[Floats]:
    """Return (N, W) hidden units of each layer but the last two, given sums of the first."""
    found = [np.maximum(sums, 0.0).reshape(-1, sums.shape[2])]
    for weight, bias in zip(weights[1:-2], biases[1:-2], strict=True):
        found.append(np.maximum(found[-1] @ weight + bias, 0.0))
    return found


def _shared(exact: Floats, coarse: Floats) -> float:
    """Return the share of the first twenty by (C,) utilities that the first by others have."""
    first, other = (np.argsort(-of, kind="stable")[:FIRST] for of in (exact, coarse))
    return len(np.intersect1d(first, other)) / len(first)
