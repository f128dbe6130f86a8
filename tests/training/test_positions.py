"""What a place does to an answer is not what the video does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from playbill.features import FEATURE_NAMES
from playbill.models import TASKS
from playbill.training import RowScorer
from playbill.training.metrics import auc
from playbill.training.positions import PLACES, PositionBias
from playbill.training.ranker_training import train_ranker

CLICK, LONG_VIEW = TASKS.index("click"), TASKS.index("long_view")
GOOD, LUCKY = (FEATURE_NAMES.index(name) for name in ("item_age", "item_duration"))
DEPTH = 3.0


def feeds(rows):
    """Return rows in which one feature makes clicks, and another only high places.

    Who stands further down is looked at less, whatever it is.
    """
    rows = rows.only(np.tile(np.arange(len(rows)), 8))
    random = np.random.default_rng(4)
    good, lucky = random.normal(size=(2, len(rows))).astype(np.float32)
    dense = np.zeros_like(rows.dense)
    dense[:, GOOD], dense[:, LUCKY] = good, lucky
    place = np.argsort(np.argsort(-(lucky + 0.3 * random.normal(size=len(rows)))))
    positions = place * 12 // len(rows)
    wanted = random.random(len(rows)) < 1.0 / (1.0 + np.exp(-1.5 * good))
    looked_at = random.random(len(rows)) < np.exp(-positions / DEPTH)
    labels = rows.labels.copy()
    labels[:, CLICK] = labels[:, LONG_VIEW] = wanted & looked_at
    known = np.ones_like(rows.known)
    return replace(rows, dense=dense, labels=labels, positions=positions, known=known), wanted


@pytest.fixture(scope="module")
def world(rows):
    return feeds(rows)


def ranker_of(shown, split, quickly, histories):
    trained = train_ranker(shown, split, quickly, None)
    return trained, RowScorer.of(trained.graph, trained.interests, histories, 1)


def test_with_places_it_learns_what_is_wanted_and_without_what_stood_high(
    world, split, quickly, histories
):
    shown, wanted = world
    later = split.report(shown.at_ms)
    trained, told = ranker_of(shown, split, quickly, histories)
    untold = replace(shown, positions=np.full_like(shown.positions, -1))
    _, blind = ranker_of(untold, split, quickly, histories)
    found = {
        name: auc(wanted[later], scorer(shown.only(later))[:, CLICK])
        for name, scorer in (("told", told), ("blind", blind))
    }
    assert found["told"] > found["blind"] + 0.05
    odds = trained.record["click_odds_by_place"]["home"]
    assert len(odds) == 10
    assert odds[0] == 0.0
    assert odds[9] < odds[5] < odds[1] < 0.0


def test_what_is_shipped_says_how_often_it_happens_all_places_together(
    world, split, quickly, histories
):
    shown, _ = world
    chosen = split.validate(shown.at_ms)
    _, scorer = ranker_of(shown, split, quickly, histories)
    p = scorer(shown.only(chosen))[:, CLICK]
    assert p.sum() / shown.labels[chosen, CLICK].sum() == pytest.approx(1.0, abs=0.02)


def test_where_nobody_said_the_place_nothing_is_learned_of_it(rows, split, quickly, histories):
    untold = replace(rows, positions=np.full_like(rows.positions, -1))
    trained, _ = ranker_of(untold, split, quickly, histories)
    assert trained.record["click_odds_by_place"] == {}


def test_a_place_is_read_by_surface_and_the_last_one_stands_for_all_below():
    bias = PositionBias(3)
    torch.nn.init.normal_(bias.steps)
    surfaces = torch.tensor([1, 2, 2, 2, 3, -1, 1])
    positions = torch.tensor([0, 0, PLACES - 1, 10 * PLACES, 0, 0, -1])
    found = bias(surfaces, positions)
    assert torch.equal(found[0], bias.odds()[1, 0])
    assert torch.equal(found[1], bias.odds()[2, 0])
    assert torch.equal(found[2], bias.odds()[2, -1])
    assert torch.equal(found[3], bias.odds()[2, -1])
    assert (found[4:] == 0.0).all()
