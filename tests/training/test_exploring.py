"""Rows that chance placed teach what merit never shows."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbill.contracts import TrainingSettings
from playbill.features import FEATURE_NAMES
from playbill.models import TASKS
from playbill.training import RowScorer
from playbill.training.exploring import LARGEST, weights_of
from playbill.training.metrics import auc
from playbill.training.ranker_training import train_ranker

CLICK, LONG_VIEW = TASKS.index("click"), TASKS.index("long_view")
FIRST, SECOND = (FEATURE_NAMES.index(name) for name in ("item_age", "item_duration"))


@given(
    st.lists(st.sampled_from([0.0, 1e-6, 1e-4, 1e-3, 0.01, 0.4, 0.9, 1.0]), min_size=1),
    st.floats(0.1, 50.0),
)
def test_what_chance_placed_weighs_as_asked_and_all_else_one(rows, propensity, weight):
    some = replace(
        rows.only(np.arange(len(propensity)) % len(rows)),
        propensity=np.array(propensity, np.float32),
    )
    weights = weights_of(some, np.arange(len(some)), TrainingSettings(explored_weight=weight))
    chance = (some.propensity > 0.0) & (some.propensity < 0.5)
    assert weights_of(some, np.arange(len(some)), TrainingSettings()) is None
    if not chance.any():
        assert weights is None
        return
    assert (weights[~chance] == 1.0).all()
    assert weights[chance].mean() == pytest.approx(weight, rel=1e-4)
    assert np.isfinite(weights).all()
    assert weights[chance].max() <= LARGEST * np.median(weights[chance]) * (1.0 + 1e-5)
    order = np.argsort(some.propensity[chance])
    assert (np.diff(weights[chance][order]) <= 1e-6 * weight).all()


def fed_by_itself(rows):
    """Return rows of feeds that show what an old ranker liked, but for a few that chance placed.

    Two features make clicks. What merit shows is good by the first, so that there they go against
    each other; only what chance placed shows both as they are.
    """
    rows = rows.only(np.tile(np.arange(len(rows)), 8))
    random = np.random.default_rng(5)
    first, second = random.normal(size=(2, len(rows))).astype(np.float32)
    chance = random.random(len(rows)) < 0.08
    hidden = random.normal(size=len(rows)).astype(np.float32)
    second = np.where(chance, second, -hidden + 0.3 * second).astype(np.float32)
    liked = 1.2 * second + np.where(chance, 0.0, 2.4 * hidden)
    dense = np.zeros_like(rows.dense)
    dense[:, FIRST], dense[:, SECOND] = first, second
    labels = rows.labels.copy()
    labels[:, CLICK] = random.random(len(rows)) < 1.0 / (1.0 + np.exp(-liked - 0.5 * first))
    labels[:, LONG_VIEW] = labels[:, CLICK]
    return replace(
        rows,
        dense=dense,
        labels=labels,
        known=np.ones_like(rows.known),
        propensity=np.where(chance, 0.001, 0.92).astype(np.float32),
    )


def test_a_ranker_taught_by_chance_too_knows_what_merit_hides(rows, split, quickly, histories):
    shown = fed_by_itself(rows)
    later = split.report(shown.at_ms) & (shown.propensity < 0.5)
    found = {}
    for weight in (None, 30.0):
        training = msgspec.structs.replace(quickly.training, explored_weight=weight)
        asked = msgspec.structs.replace(quickly, training=training)
        trained = train_ranker(shown, split, asked, None)
        scorer = RowScorer.of(trained.graph, trained.interests, histories, 1)
        some = shown.only(later)
        found[weight] = auc(some.labels[:, CLICK], scorer(some)[:, CLICK])
    assert found[30.0] > found[None] + 0.1


def test_where_nothing_is_weighed_no_byte_changes(rows, split, quickly):
    training = msgspec.structs.replace(quickly.training, explored_weight=5.0)
    weighed = msgspec.structs.replace(quickly, training=training)
    by_merit = replace(rows, propensity=np.ones(len(rows), np.float32))
    graphs = [train_ranker(by_merit, split, asked, None).graph for asked in (quickly, weighed)]
    assert graphs[0] == graphs[1]


def test_the_propensity_of_a_row_is_the_one_that_was_logged(dataset, rows):
    found = dataset.columns("row_id", "propensity").sort_by("row_id")
    said = found["propensity"].fill_null(1.0).to_numpy()
    assert rows.propensity.tolist() == said.astype(np.float32).tolist()
