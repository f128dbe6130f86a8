import json

import pytest
from feed_stubs import RESET, StubServer

from playbill.core import Conflict, DependencyUnavailable, InvalidInput, NotFound, Overloaded
from playbill.simulation import PlaybillClient, RetryPolicy

FEED = {
    "request_id": "00000000000000ff",
    "served_at": 1_760_000_000_000,
    "tier": "full",
    "reasons": [],
    "bundle": None,
    "items": [],
    "cursor": None,
}
STATUS = {
    "at_ms": 1,
    "epoch": 3,
    "epoch_age_ms": 0,
    "epoch_lag_ms": 0,
    "videos": 5,
    "authors": 1,
    "topics": 1,
    "bundle": None,
    "bundle_created_at_ms": None,
    "requests_per_s": 0.0,
    "events_per_s": 0.0,
    "latency_p50_ms": None,
    "latency_p95_ms": None,
    "tiers": {},
    "workers": 1,
    "restarts": 0,
}
EVENTS = {"accepted": 1, "duplicates": 0, "rejected": []}


def problem(code):
    return {"error": {"code": code, "message": f"it is {code}", "hint": "do", "field": "size"}}


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client(server, pauses):
    made = PlaybillClient(server.url, api_key="secret", pause=pauses.append, timeout_s=5.0)
    yield made
    made.close()


def test_a_feed_is_asked_for_and_decoded(client, server):
    server.script = [(200, {}, FEED)]
    reply = client.feed(
        "viewer 1", size=12, surface="home", region="emea-west", session_id="s", personalised=False
    )
    assert reply.request_id == "00000000000000ff"
    assert server.seen[0].path == (
        "/v1/feed?user_id=viewer+1&size=12&surface=home&region=emea-west"
        "&session_id=s&personalised=false"
    )
    assert server.seen[0].headers["Authorization"] == "Bearer secret"


def test_the_status_is_asked_for_and_decoded(client, server):
    server.script = [(200, {}, STATUS), (200, {}, {"epoch": 3})]
    assert client.status().epoch == 3
    assert server.seen[0].path == "/v1/status"
    with pytest.raises(DependencyUnavailable, match="not what the API promises"):
        client.status()


def test_the_status_of_a_server_that_is_gone_is_an_error_of_ours(pauses):
    with StubServer() as stub:
        url = stub.url
    with pytest.raises(DependencyUnavailable, match="gave no answer"):
        PlaybillClient(url, pause=pauses.append).status()


def test_writes_are_json_and_return_what_was_taken(client, server):
    server.script = [(202, {}, {"accepted": 2}), (202, {}, {"accepted": 1}), (202, {}, EVENTS)]
    assert client.post_videos([{"video_id": "a"}, {"video_id": "b"}]) == 2
    assert client.post_users([{"user_id": "u"}]) == 1
    assert client.post_events([{"event_id": "e"}]).accepted == 1
    assert [seen.path for seen in server.seen] == ["/v1/videos", "/v1/users", "/v1/events"]
    assert json.loads(server.seen[0].body) == [{"video_id": "a"}, {"video_id": "b"}]
    assert json.loads(server.seen[2].body) == {"events": [{"event_id": "e"}]}
    assert server.seen[2].headers["Content-Type"] == "application/json"


def test_connections_are_kept_open(client, server):
    server.script = [(200, {}, FEED)]
    for _ in range(5):
        client.feed("u")
    assert len({seen.connection for seen in server.seen}) == 1


def test_too_many_requests_are_tried_again_when_the_server_said(client, server, pauses):
    server.script = [
        (429, {"Retry-After": "2"}, problem("overloaded")),
        (429, {"Retry-After": "900"}, problem("overloaded")),
        (429, {}, problem("overloaded")),
        (202, {}, EVENTS),
    ]
    assert client.post_events([{"event_id": "e"}]).accepted == 1
    assert pauses == [2, 5.0, 1]
    assert len({seen.body for seen in server.seen}) == 1


def test_too_many_requests_end_after_the_last_try(client, server, pauses):
    server.script = [(429, {"Retry-After": "3"}, problem("overloaded"))]
    with pytest.raises(Overloaded, match="it is overloaded") as caught:
        client.post_users([{"user_id": "u"}])
    assert caught.value.retry_after_s == 3
    assert len(server.seen) == 4
    assert pauses == [3, 3, 3]


def test_a_broken_connection_is_tried_again(client, server, pauses):
    server.script = [RESET, RESET, (202, {}, EVENTS)]
    assert client.post_events([{"event_id": "e"}]).accepted == 1
    assert pauses == [0.1, 0.2]
    assert len({seen.body for seen in server.seen}) == 1


def test_a_server_that_is_gone_is_named(server, pauses):
    gone = PlaybillClient("http://127.0.0.1:9", pause=pauses.append, retry=RetryPolicy(attempts=2))
    with pytest.raises(DependencyUnavailable, match="gave no answer") as caught:
        gone.feed("u")
    assert caught.value.code == "unreachable"
    assert pauses == [0.1]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_input", InvalidInput),
        (401, "unauthorised", InvalidInput),
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (503, "log_unavailable", DependencyUnavailable),
    ],
)
def test_a_refusal_carries_what_the_server_said(client, server, pauses, status, code, kind):
    server.script = [(status, {}, problem(code))]
    with pytest.raises(kind, match=f"it is {code}") as caught:
        client.post_videos([])
    assert (caught.value.code, caught.value.hint, caught.value.field) == (code, "do", "size")
    assert len(server.seen) == 1
    assert pauses == []


def test_something_else_than_playbill_is_recognised(client, server):
    server.script = [(500, {}, b"<html>"), (200, {}, b"<html>")]
    with pytest.raises(DependencyUnavailable, match="500 without the API's error shape"):
        client.feed("u")
    with pytest.raises(DependencyUnavailable, match="not what the API promises"):
        client.feed("u")


def test_writes_go_to_the_collector(server):
    server.script = [(202, {}, EVENTS)]
    client = PlaybillClient("http://127.0.0.1:9", server.url + "/behind/")
    client.post_events([])
    client.close()
    assert server.seen[0].path == "/behind/v1/events"


def test_a_url_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="is no base URL"):
        PlaybillClient("localhost:8700")


def test_no_try_at_all_is_refused(server):
    client = PlaybillClient(server.url, retry=RetryPolicy(attempts=0))
    with pytest.raises(InvalidInput, match="one try at least"):
        client.feed("u")
