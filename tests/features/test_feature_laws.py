"""Laws of every definition, told once: they hold for whatever the list of features becomes."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import VIEWERS, law, stories, tell
from laws.feature_worlds import PSEUDONYMS, World
from playbill.core import HOUR_MS
from playbill.features import FEATURE_NAMES, Assembler, tables_of
from playbill.features.reference import NaiveState

ROUNDING = 2e-5
"""At most 100 events a sum, each rounded twice to 24 bits: 200 x 2^-24 = 1.2e-5, no cancelling."""


def _world(story) -> World:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        tell(world, story)
    return world


def _naive(world: World) -> NaiveState:
    naive = NaiveState(world.settings)
    for content in world.contents():
        naive.absorb(content)
    return naive


def _read(world: World, viewer: str, at_ms: int) -> np.ndarray:
    rows = np.arange(world.state.items.count)
    return Assembler().read(tables_of(world.state), rows, world.viewer(viewer), at_ms)


@law(60)
@given(story=stories(), later_ms=st.sampled_from([0, 1, HOUR_MS, 90 * 24 * HOUR_MS]))
def test_streaming_equals_the_naive_definition_for_every_feature(story, later_ms):
    world = _world(story)
    naive = _naive(world)
    at_ms = world.state.at_ms + later_ms
    keys = world.state.items.used()["key"].tolist()
    for viewer in (*VIEWERS, "eve"):
        features = _read(world, viewer, at_ms)
        expected = [naive.read(PSEUDONYMS.user(viewer), key, at_ms) for key in keys]
        for name, column in zip(FEATURE_NAMES, features.T, strict=True):
            np.testing.assert_allclose(
                column, [values[name] for values in expected], ROUNDING, 1e-6, err_msg=name
            )
