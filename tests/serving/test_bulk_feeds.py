"""Feeds of many viewers in one request: each is the feed it would have been, or says why not."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.serving_worlds import filled_world, served
from playbill.contracts import MAX_FEEDS_PER_BATCH, FeedRequest, FeedsRequest, ServingSettings
from playbill.core import FOREIGN_REQUEST, InvalidInput, Overloaded, request_key
from playbill.serving.bulk_feeds import BulkFeeds
from playbill.serving.http.requests import decode

BUDGET_S = 10.0
WORLD = filled_world()


def parsed(**body) -> FeedsRequest:
    return decode(json.dumps(body).encode(), FeedsRequest)


def bulk_over(live, pause=None):
    """Return bulk feeds whose pauses move the world's clock and end at once."""

    async def ticking(seconds):
        live.world.clock.seconds += seconds
        if pause is not None:
            pause()

    settings = ServingSettings(bulk_budget_s=int(BUDGET_S), cool_down_s=3)
    return BulkFeeds(live.service.feed, live.state, live.world.clock, settings, ticking)


def answered(live, pause=None, **body):
    return asyncio.run(bulk_over(live, pause).answer(parsed(**body)))


entries = st.one_of(
    st.sampled_from([f"fan{n}" for n in range(12)]),
    st.fixed_dictionaries(
        {"user_id": st.sampled_from([f"fan{n}" for n in range(12)])},
        optional={
            "size": st.integers(1, 50),
            "region": st.sampled_from(["north", "south"]),
            "surface": st.sampled_from(["home", "clips"]),
            "exclude": st.lists(st.sampled_from([f"v{n}" for n in range(60)]), max_size=5),
            "personalised": st.booleans(),
            "priority": st.sampled_from(["interactive", "prefetch"]),
        },
    ),
)


@law(40)
@given(
    asked=st.lists(entries, min_size=1, max_size=8),
    size=st.integers(1, 50),
    region=st.sampled_from([None, "north", "south"]),
    record=st.booleans(),
)
def test_each_feed_is_what_it_would_have_been_alone(asked, size, region, record):
    together, alone = served(WORLD), served(WORLD)
    found = answered(together, feeds=asked, size=size, region=region, record=record)
    shared = {"size": size, "region": region}
    for entry, outcome in zip(asked, found.feeds, strict=True):
        fields = {"user_id": entry} if isinstance(entry, str) else entry
        expected = alone.service.feed(FeedRequest(**{**shared, **fields}), recorded=record)
        assert (outcome.user_id, outcome.feed) == (fields["user_id"], expected)
        assert outcome.problem is None
    assert (found.answered, found.left_out) == (len(asked), 0)
    assert len(together.kept.records) == (len(asked) if record else 0)


def test_feeds_that_are_shown_later_leave_no_trace_and_their_impressions_count():
    live = served(WORLD)
    reply = answered(live, feeds=["fan1"], size=5).feeds[0].feed
    assert live.kept.records == []
    assert request_key(reply.request_id) & FOREIGN_REQUEST
    assert not request_key(live.service.feed(FeedRequest(user_id="fan1")).request_id) >> 63
    live.users._gone = True
    assert live.service.feed(FeedRequest(user_id="fan2")).tier.value == "popular"


def test_a_viewer_who_is_named_twice_gets_two_feeds():
    found = answered(served(WORLD), feeds=["fan1", "fan1"])
    first, second = (outcome.feed for outcome in found.feeds)
    assert first.request_id != second.request_id
    assert first.items
    assert second.items


BAD = [
    (7, "invalid_input", "feeds[1]"),
    (None, "invalid_input", "feeds[1]"),
    ([], "invalid_input", "feeds[1]"),
    ("", "invalid_input", "feeds[1].user_id"),
    ("x" * 129, "invalid_input", "feeds[1].user_id"),
    ({}, "invalid_input", "feeds[1].user_id"),
    ({"user_id": 3}, "invalid_input", "feeds[1].user_id"),
    ({"user_id": "u", "size": 51}, "invalid_input", "feeds[1].size"),
    ({"user_id": "u", "sise": 5}, "invalid_input", "feeds[1]"),
    ({"user_id": "u", "region": "atlantis"}, "undeclared_value", "feeds[1].region"),
    ({"user_id": "u", "surface": "moon"}, "undeclared_value", "feeds[1].surface"),
    ({"user_id": "u", "cursor": "mine"}, "cursor_invalid", "feeds[1].cursor"),
    ({"user_id": "u", "priority": "now"}, "invalid_input", "feeds[1].priority"),
]


@pytest.mark.parametrize(
    ("entry", "code", "field"), BAD, ids=[str(entry)[:30] for entry, *_ in BAD]
)
def test_a_bad_entry_is_named_and_harms_no_other(entry, code, field):
    found = answered(served(WORLD), feeds=["fan1", entry, "fan2"])
    assert [outcome.feed is not None for outcome in found.feeds] == [True, False, True]
    problem = found.feeds[1].problem
    assert (problem.code, problem.field) == (code, field)
    assert problem.message
    assert (found.answered, found.left_out) == (2, 0)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"feeds": []},
        {"feeds": ["u"] * (MAX_FEEDS_PER_BATCH + 1)},
        {"feeds": ["u"], "size": 0},
        {"feeds": ["u"], "user_ids": []},
        {"feeds": "u"},
    ],
    ids=str,
)
def test_a_body_that_is_no_list_of_entries_is_refused_whole(body):
    with pytest.raises(InvalidInput):
        parsed(**body)


def test_nothing_is_begun_while_people_wait_and_all_of_it_afterwards():
    live = served(WORLD)
    live.state.prefetch = None
    turns = []

    def over_after_a_while():
        turns.append(len(live.kept.records))
        if len(turns) == 5:
            live.state.prefetch = live.state.affordable

    found = answered(live, over_after_a_while, feeds=["fan1", "fan2"], record=True)
    assert found.answered == 2
    assert turns[:5] == [0] * 5


def test_what_pressure_leaves_no_time_for_is_named():
    live = served(WORLD)

    def begins_after_the_first():
        if live.kept.records:
            live.state.prefetch = None

    names = ["fan1", {"user_id": ""}, "fan2", "fan3"]
    found = answered(live, begins_after_the_first, feeds=names, record=True)
    assert [outcome.problem and outcome.problem.code for outcome in found.feeds] == [
        None,
        "invalid_input",
        "gave_way",
        "gave_way",
    ]
    assert (found.answered, found.left_out) == (1, 2)


def test_what_is_too_much_for_the_time_is_named():
    live = served(WORLD)

    def slow():
        live.world.clock.seconds += 0.4 * BUDGET_S

    found = answered(live, slow, feeds=["fan1", "fan2", "fan3", "fan4"])
    assert [outcome.problem and outcome.problem.code for outcome in found.feeds] == [
        None,
        None,
        "out_of_time",
        "out_of_time",
    ]


def test_when_not_one_entry_can_be_begun_the_request_comes_back_later():
    live = served(WORLD)
    live.state.prefetch = None
    with pytest.raises(Overloaded, match="none of 2 entries") as refusal:
        answered(live, feeds=["fan1", "fan2"])
    assert (refusal.value.code, refusal.value.retry_after_s) == ("gave_way", 3)


def test_people_wait_for_one_entry_at_most_however_many_bulk_requests_there_are():
    """A person's request that arrives between two entries is answered before the next one."""
    live = served(WORLD)
    order = []

    def offer(message, *, recorded):
        order.append("entry")
        asyncio.get_running_loop().call_soon(order.append, "person")
        return live.service.feed(message, recorded=recorded)

    async def all_at_once():
        bulk = BulkFeeds(offer, live.state, live.world.clock, ServingSettings())
        names = [f"fan{n}" for n in range(6)]
        replies = [bulk.answer(parsed(feeds=names)) for _ in range(5)]
        return await asyncio.gather(*replies, return_exceptions=True)

    *taken, refused = asyncio.run(all_at_once())
    assert [reply.answered for reply in taken] == [6] * 4
    assert isinstance(refused, Overloaded)
    assert refused.code == "overloaded"
    assert order == ["entry", "person"] * 24
