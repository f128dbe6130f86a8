"""What a showing foretells, surface by surface, and what is made of it."""

import numpy as np
import pytest

from laws.feature_stories import open_catalogue
from laws.feature_worlds import World, tables_of
from playbill.core import DAY_MS
from playbill.features import FEATURE_NAMES, Assembler
from playbill.features.checkpoint import load_checkpoint, save_checkpoint, state_digest
from playbill.features.definitions import Signal
from playbill.features.surface_rates import HALF_LIFE_MS, PRIORS, STRENGTH, SurfaceRates

HOME, CLIPS = 1, 2


def happened(*events):
    """Return the surfaces and signals of (surface, signal) pairs."""
    signals = np.zeros((len(events), len(Signal)), np.float32)
    signals[np.arange(len(events)), [signal for _, signal in events]] = 1.0
    return np.array([surface for surface, _ in events], np.uint8), signals


def test_an_unknown_surface_is_taken_for_a_usual_one():
    foretold = SurfaceRates().foretold()
    assert foretold.dtype == np.float32
    assert foretold.tolist() == [pytest.approx(PRIORS)] * 256


def test_what_happens_on_a_surface_tells_of_that_surface_alone():
    rates = SurfaceRates()
    shown = [(HOME, Signal.IMPRESSION)] * 900 + [(CLIPS, Signal.IMPRESSION)] * 400
    clicks = [(HOME, Signal.CLICK)] * 90 + [(CLIPS, Signal.CLICK)] * 300
    rates.absorb(*happened(*shown, *clicks, (CLIPS, Signal.LONG_VIEW)), DAY_MS)
    foretold = rates.foretold()
    assert foretold[HOME, 0] == pytest.approx((90 + 0.3 * STRENGTH) / (900 + STRENGTH))
    assert foretold[CLIPS, 0] == pytest.approx((300 + 0.3 * STRENGTH) / (400 + STRENGTH))
    assert foretold[CLIPS, 1] == pytest.approx((1 + 0.2 * STRENGTH) / (400 + STRENGTH))
    assert foretold[3] == pytest.approx(PRIORS)


def test_half_is_forgotten_with_every_half_life():
    rates = SurfaceRates()
    rates.absorb(*happened(*[(HOME, Signal.IMPRESSION)] * 80), DAY_MS)
    rates.absorb(*happened((HOME, Signal.CLICK)), DAY_MS + HALF_LIFE_MS)
    assert rates.sums[HOME].tolist() == [40.0, 1.0, 0.0]


def test_outcomes_without_showings_foretell_one_at_most():
    rates = SurfaceRates()
    rates.absorb(*happened(*[(HOME, Signal.CLICK)] * 5_000), DAY_MS)
    assert rates.foretold()[HOME].tolist() == [1.0, pytest.approx(PRIORS[1])]


def test_a_click_weighs_more_where_few_are_foretold():
    world = World()
    open_catalogue(world)
    world.step()
    for surface, name in ((HOME, "home"), (CLIPS, "clips")):
        for number in range(60):
            world.serve(f"somebody{number}", ["v0", "v1"], surface=surface)
            if name == "clips" or number % 6 == 0:
                world.act(world.event("click", f"somebody{number}", "v0", surface=name))
    world.step()
    for viewer, surface, name in (("ann", HOME, "home"), ("bob", CLIPS, "clips")):
        for _ in range(4):
            world.serve(viewer, ["v2", "v3"], surface=surface)
            world.act(world.event("click", viewer, "v3", surface=name))
    world.step()
    lift, rate = (FEATURE_NAMES.index(f"user_click_{kind}_14d") for kind in ("lift", "rate"))
    ann, bob = (_read(world, viewer) for viewer in ("ann", "bob"))
    assert ann[rate] == pytest.approx(bob[rate], rel=1e-5)
    assert ann[lift] > 1.2 * bob[lift] > 0.0
    world.assert_replay_is_live()


def _read(world, viewer):
    rows, row = np.array([0]), world.viewer(viewer)
    return Assembler().read(tables_of(world.state), rows, row, world.state.at_ms)[0].tolist()


def test_a_checkpoint_brings_them_back(tmp_path):
    world = World()
    open_catalogue(world)
    world.serve("ann", ["v0", "v1"], surface=CLIPS)
    world.act(world.event("click", "ann", "v1", surface="clips"))
    world.step()
    save_checkpoint(tmp_path, world.state)
    found = load_checkpoint(tmp_path, world.settings)
    assert state_digest(found) == state_digest(world.state)
    assert found.surfaces.foretold().tolist() == world.state.surfaces.foretold().tolist()
    assert found.surfaces.sums[CLIPS].tolist() == [2.0, 1.0, 0.0]
    found.surfaces.sums[CLIPS, 1] += 1.0
    assert state_digest(found) != state_digest(world.state)
