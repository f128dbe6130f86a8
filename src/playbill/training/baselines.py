"""What a ranker must beat: simple ones, taught on the same rows and scored on the same rows."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from playbill.contracts import Settings
from playbill.features import FEATURE_NAMES
from playbill.models import TASKS, Ranker
from playbill.models.calibration import fit_platt, shifts_of, sigmoid
from playbill.training.available import require_extra
from playbill.training.dataset import Rows
from playbill.training.metrics import log_losses
from playbill.training.progress import OnProgress, within
from playbill.training.ranker_training import taught_tasks, train_ranker
from playbill.training.row_scorer import Scorer
from playbill.training.split import Split

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CATEGORY_COLUMNS = ("surface", "region", "topic")
ITEM_RATES = {
    "click": "item_click_rate_14d",
    "long_view": "item_long_view_rate_14d",
    "like": "item_like_rate_14d",
    "negative": "item_negative_rate_14d",
}
POPULARITY = "item_impressions_14d"
TREES = tuple(
    {"num_leaves": leaves, "min_data_in_leaf": fewest}
    for leaves in (15, 31, 63)
    for fewest in (50, 200)
)
"""Shapes that the boosted trees choose from, by the log loss of the rows that validate."""
MOST_TREES = 600
PATIENCE = 40
"""Trees without a better validation loss, after which no more are added."""
_TREE_RATE = 0.05
_LONGEST = 1_000_000
"""Newest rows that the trees learn from."""


def fit_baselines(
    rows: Rows,
    split: Split,
    settings: Settings,
    on_progress: OnProgress | None = None,
    *,
    shapes: Iterable[dict[str, int]] = TREES,
) -> dict[str, Scorer]:
    """Return baselines by name: popularity, item_rate, logistic and lightgbm.

    All read what the ranker reads; the last two learn from the rows that train and are chosen and
    calibrated on those that validate, as the ranker is. A task with one class only is scored with
    its rate.

    Args:
        rows: of all parts; those that report are not looked at.
        split: which rows train and which validate.
        settings: seed, threads, and the recipe that the logistic regression shares.
        on_progress: told of the stages "logistic" and "lightgbm".
        shapes: of trees to choose from.

    Raises:
        DependencyUnavailable: LightGBM is not installed.
    """
    require_extra(("lightgbm",))
    logistic = train_ranker(
        rows, split, settings, None, require=(), hidden=(), on_progress=_renamed(on_progress)
    )
    score = Ranker.load(logistic.graph, len(FEATURE_NAMES), threads=settings.training.threads).score
    return {
        "popularity": _of_columns(dict.fromkeys(TASKS, POPULARITY)),
        "item_rate": _of_columns(ITEM_RATES),
        "logistic": lambda rows: score(rows.dense, rows.categories),
        "lightgbm": _boosted_trees(rows, split, settings, on_progress, tuple(shapes)),
    }


def _renamed(on_progress: OnProgress | None) -> OnProgress | None:
    return None if on_progress is None else lambda stage, share: on_progress("logistic", share)


def _of_columns(names: dict[str, str]) -> Scorer:
    """Return a scorer that reads one feature a task."""
    columns = [FEATURE_NAMES.index(names[task]) for task in TASKS]

    return lambda rows: rows.dense[:, columns]


def _boosted_trees(
    rows: Rows,
    split: Split,
    settings: Settings,
    on_progress: OnProgress | None,
    shapes: tuple[dict[str, int], ...],
) -> Scorer:
    """Return LightGBM, a forest a task, each of the shape and size that validates best."""
    train = np.flatnonzero(split.train(rows.at_ms))[-_LONGEST:]
    validate = np.flatnonzero(split.validate(rows.at_ms))
    taught = taught_tasks(rows, train) & rows.known[validate].any(axis=0)
    report = within(on_progress, "lightgbm")
    inputs = [_columns(rows.dense[part], rows.categories[part]) for part in (train, validate)]
    found: list[Callable[[Floats], npt.NDArray[np.float64]]] = []
    for k in range(len(TASKS)):
        known = [rows.known[part, k] for part in (train, validate)]
        labels = [
            rows.labels[part, k][of] for part, of in zip((train, validate), known, strict=True)
        ]
        if taught[k]:
            asked = [each[of] for each, of in zip(inputs, known, strict=True)]
            found.append(_forest(asked, labels, settings, shapes))
        else:
            found.append(_constant(float((labels[0].sum() + 1.0) / (len(labels[0]) + 2.0))))
        report((k + 1) / len(TASKS))

    def score(rows: Rows) -> Floats:
        together = _columns(rows.dense, rows.categories)
        return np.stack([each(together) for each in found], axis=1).astype(np.float32)

    return score


def _columns(dense: Floats, categories: Ints) -> Floats:
    return np.concatenate([dense, categories.astype(np.float32)], axis=1)


def _constant(p: float) -> Callable[[Floats], npt.NDArray[np.float64]]:
    return lambda inputs: np.full(len(inputs), p)


def _forest(
    inputs: list[Floats],
    labels: list[npt.NDArray[np.bool_]],
    settings: Settings,
    shapes: tuple[dict[str, int], ...],
) -> Callable[[Floats], npt.NDArray[np.float64]]:
    """Return the calibrated forest of one task; ``inputs`` and ``labels`` train and validate."""
    tried = [_grown(inputs, labels, shape, settings) for shape in shapes]
    losses = [log_losses(labels[1], np.asarray(each.predict(inputs[1]))).mean() for each in tried]
    best = tried[int(np.argmin(losses))]
    raw = np.asarray(best.predict(inputs[1], raw_score=True))
    scale, shift = fit_platt(raw.astype(np.float32), labels[1])
    count = len(settings.surfaces) + 1
    shifts = shifts_of(
        (scale * raw + shift).astype(np.float32), labels[1], _surfaces(inputs[1], count), count
    )

    def score(among: Floats) -> npt.NDArray[np.float64]:
        logits = scale * np.asarray(best.predict(among, raw_score=True)) + shift
        return sigmoid(logits + shifts[_surfaces(among, count)])

    return score


def _surfaces(inputs: Floats, count: int) -> Ints:
    """Return (N,) surface codes of columns put together, 0 for one that is not declared."""
    codes: Ints = inputs[:, len(FEATURE_NAMES)].astype(np.int64)
    return np.where((codes >= 0) & (codes < count), codes, 0)


def _grown(
    inputs: list[Floats],
    labels: list[npt.NDArray[np.bool_]],
    shape: dict[str, int],
    settings: Settings,
) -> "lightgbm.Booster":
    import lightgbm

    recipe: dict[str, Any] = {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": _TREE_RATE,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "cat_smooth": 20.0,
        "seed": settings.training.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.training.threads,
        "verbosity": -1,
        **shape,
    }
    train = lightgbm.Dataset(
        inputs[0],
        labels[0].astype(np.float32),
        feature_name=[*FEATURE_NAMES, *CATEGORY_COLUMNS],
        categorical_feature=list(CATEGORY_COLUMNS),
        params=recipe,
    )
    validate = train.create_valid(inputs[1], labels[1].astype(np.float32), params=recipe)
    return lightgbm.train(
        recipe,
        train,
        num_boost_round=MOST_TREES,
        valid_sets=[validate],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
