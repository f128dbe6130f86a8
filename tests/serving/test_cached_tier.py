"""The cached tier: the list this worker served last, else the one made ahead."""

import numpy as np
import pytest

from laws.feature_worlds import PSEUDONYMS, video
from laws.serving_worlds import filled_world, served
from playbill.contracts import FeedRequest, Tier, User
from playbill.core import HOUR_MS, key64
from playbill.features import VISIBLE
from playbill.retrieval import SOURCE_CODES
from playbill.serving.ahead import Ahead
from playbill.serving.lists_ahead import ListsAhead, write_lists

NAMES = [f"v{n}" for n in (30, 31, 32, 33, 34)]


@pytest.fixture
def world():
    return filled_world()


@pytest.fixture
def live(world, tmp_path):
    """A service under pressure, with a list for ann and one for the north made ahead."""
    live = served(world)
    write_lists(
        tmp_path / "ahead.lists",
        created_at_ms=world.clock.now_ms(),
        bundle="sha256:" + "a" * 64,
        size=5,
        viewers={PSEUDONYMS.user("ann"): (keys(NAMES), np.full(5, SOURCE_CODES["similar"]))},
        regions=[[keys(["v59", "v58", "v57"]), keys([])], [keys([]), keys(["v50"])]],
        region_size=3,
    )
    live.state.ahead.lists = ListsAhead.open(tmp_path / "ahead.lists")
    live.state.ahead.rows_by_place = {(1, 1): np.array([59, 58, 57]), (2, 2): np.array([50])}
    live.state.affordable = Tier.CACHED
    return live


def keys(names):
    return np.array([key64(name) for name in names], np.uint64)


def shown(live, user="ann", **fields):
    reply = live.service.feed(FeedRequest(user_id=user, **fields))
    return reply.tier.value, [item.video_id for item in reply.items], reply


def test_a_worker_that_never_met_a_viewer_serves_the_list_made_ahead(live):
    tier, names, reply = shown(live)
    assert (tier, names) == ("cached", NAMES)
    assert reply.reasons == ["new_user", "pressure"]
    assert {item.source for item in reply.items} == {"similar"}
    assert {item.propensity for item in reply.items} == {1.0}
    ((head, listed),) = live.kept.records
    assert int(head["tier"][0]) == 2
    assert listed["video"].tolist() == keys(NAMES).tolist()


def test_the_list_that_this_worker_served_last_comes_first(live):
    live.state.affordable = Tier.FULL
    _, last, _ = shown(live, size=3)
    live.state.affordable = Tier.CACHED
    assert shown(live, size=3)[:2] == ("cached", last)


def test_what_may_not_be_shown_is_left_out_of_it_at_reply_time(live, world):
    world.take_down("v30")
    world.post(video("v31", "author11", ("tea",), regions=["south"]))
    world.post(video("v32", "author12", ("tea",), age_rating=18))
    world.tell(User(user_id="ann", age=12))
    world.step()
    assert shown(live, exclude=["v33"], region="north")[1] == ["v34"]


def test_a_viewer_without_a_list_gets_the_region_s(live):
    assert shown(live, "bob")[0] == "popular"


def test_whoever_wants_no_personalisation_gets_no_list_of_their_own(live):
    live.state.affordable = Tier.FULL
    shown(live)
    live.state.affordable = Tier.CACHED
    assert shown(live, personalised=False)[0] == "popular"


def test_the_user_store_gone_the_list_made_ahead_is_served(live):
    live.state.affordable = Tier.FULL
    live.users._gone = True
    tier, names, reply = shown(live)
    assert (tier, names) == ("cached", NAMES)
    assert "user_store_unavailable" in reply.reasons


@pytest.mark.parametrize(("hours", "stale"), [(5, False), (7, True)])
def test_lists_past_their_age_are_named(live, world, hours, stale):
    world.clock.advance(hours * HOUR_MS)
    for user in ("ann", "bob"):
        assert ("lists_stale" in shown(live, user)[2].reasons) == stale


def test_the_region_s_list_made_ahead_is_mixed_into_what_it_watches(live):
    live.state.affordable = Tier.POPULAR
    _, names, _ = shown(live, "bob", size=12, region="north", surface="home")
    regular = names[::2]
    assert regular[0] == "v59"
    assert regular[2] == "v58"
    assert regular[1] in {f"v{n}" for n in range(10)}
    assert "v50" in shown(live, "bob", size=12, region="south", surface="clips")[1]


def test_a_video_that_nobody_knows_any_more_is_left_out(live, world):
    live.state.ahead = Ahead(live.state.ahead.lists)
    row = world.row("v34")
    world.items.items["flags"][row] &= ~np.uint8(VISIBLE)
    del world.users._texts[next(k for k in world.users._texts if k[1:] == bigend("v33"))]
    assert shown(live)[1] == ["v30", "v31", "v32"]


def bigend(name):
    return key64(name).to_bytes(8, "big")
