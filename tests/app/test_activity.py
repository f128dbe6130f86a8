"""Who is most active: the same as sorting everybody, in the memory of those chosen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law, open_catalogue
from laws.feature_worlds import World, user_key
from playbill.app.activity import _HALF_LIFE_MS, _SHOWN, most_active
from playbill.core import DAY_MS
from playbill.features import empty_user

NOW_MS = 1_700_000_000_000
people = st.dictionaries(
    st.binary(min_size=16, max_size=16),
    st.tuples(st.integers(0, 5), st.integers(0, 40)),
    max_size=20,
)


def row(shown: int, days_ago: int) -> bytes:
    user = empty_user()
    user["slots"][0, _SHOWN] = shown
    user["landmark_ms"] = NOW_MS - days_ago * DAY_MS
    return user.tobytes()


@law(60)
@given(people=people, count=st.integers(0, 25))
def test_the_most_active_are_those_that_sorting_everybody_finds(people, count):
    rows = [(user, row(*seen)) for user, seen in sorted(people.items())]
    now = {
        user: np.float32(shown) * np.exp2(-days * DAY_MS / _HALF_LIFE_MS)
        for user, (shown, days) in people.items()
    }
    everybody = sorted(people, key=lambda user: (now[user], user), reverse=True)
    assert most_active(rows, count, NOW_MS) == everybody[:count]


def test_whoever_was_shown_more_comes_first():
    world = World()
    open_catalogue(world)
    for viewer, feeds in (("ann", 1), ("bob", 3), ("cleo", 2)):
        for _ in range(feeds):
            world.serve(viewer, ["v0", "v1"])
    world.step()
    found = most_active(world.users.rows(), 2, world.clock.now_ms())
    assert found == [user_key("bob"), user_key("cleo")]
