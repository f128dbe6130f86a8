"""HTTP as bytes on a connection: whatever comes, a stated outcome, no 5xx, one error shape.

What is HTTP gets a problem. Bytes that are none are answered by status only, and the connection is
closed; so is one that says nothing for too long.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from wire import Line, Reply, head

from live_home import LiveHome
from playbill.contracts import PROBLEMS

LIMITS = """
[http]
head_s = 0.6
body_s = 0.4
max_head_bytes = 2048
max_headers = 16
max_body_bytes = 1000
"""
HOST = "host: localhost"
JSON = "content-type: application/json"
EVENTS = "POST /v1/events HTTP/1.1"
NOTHING = b'{"events":[]}'


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    server = LiveHome(tmp_path_factory.mktemp("sockets") / "home")
    server.configure(LIMITS)
    server.start()
    yield server
    server.stop()


def asked(live: LiveHome, data: bytes) -> Reply:
    with Line(live.port) as line:
        return line.say(data).reply()


def test_a_connection_is_kept_for_the_next_request(live: LiveHome) -> None:
    with Line(live.port) as line:
        for _ in range(3):
            reply = line.say(head("GET /livez HTTP/1.1", HOST)).reply()
            assert (reply.status, "connection" in reply.headers) == (200, False)


def test_requests_sent_ahead_are_answered_in_order(live: LiveHome) -> None:
    paths = ["/livez", "/nowhere", "/v1/feed?user_id=u", "/readyz"]
    with Line(live.port) as line:
        line.say(b"".join(head(f"GET {path} HTTP/1.1", HOST) for path in paths))
        assert [line.reply().status for _ in paths] == [200, 404, 200, 200]


def test_a_client_that_wants_to_close_is_let_go(live: LiveHome) -> None:
    with Line(live.port) as line:
        line.say(head("GET /livez HTTP/1.1", HOST, "connection: close"))
        assert line.reply().headers["connection"] == "close"
        assert line.ended()


def test_http_1_0_is_answered_and_closed(live: LiveHome) -> None:
    with Line(live.port) as line:
        assert line.say(head("GET /livez HTTP/1.0")).reply().status == 200
        assert line.ended()


@pytest.mark.parametrize(
    "said", [b"", b"GET /livez HTT", b"GET /livez HTTP/1.1\r\nhost: a\r\nx: "], ids=repr
)
def test_a_connection_that_brings_no_whole_head_is_closed(live: LiveHome, said: bytes) -> None:
    with Line(live.port) as line:
        line.say(said)
        assert line.ended()


def test_a_kept_connection_that_asks_no_more_is_closed(live: LiveHome) -> None:
    with Line(live.port) as line:
        line.say(head("GET /livez HTTP/1.1", HOST)).reply()
        assert line.ended()


@pytest.mark.parametrize("begun", [b"", b'{"events"'], ids=repr)
def test_a_body_that_does_not_come_is_408_and_closed(live: LiveHome, begun: bytes) -> None:
    with Line(live.port) as line:
        line.say(head(EVENTS, HOST, JSON, "content-length: 500") + begun)
        reply = line.reply()
        assert (reply.status, reply.code) == (408, "body_too_slow")
        assert reply.headers["connection"] == "close"
        assert line.ended()


def test_a_chunked_body_that_goes_on_for_ever_is_408(live: LiveHome) -> None:
    with Line(live.port) as line:
        line.say(head(EVENTS, HOST, JSON, "transfer-encoding: chunked") + b"1\r\n{\r\n")
        assert line.reply().code == "body_too_slow"
        assert line.ended()


@pytest.mark.parametrize(
    "lines",
    [
        [f"GET /{'a' * 3_000} HTTP/1.1", HOST],
        [f"GET /livez?{'a' * 3_000} HTTP/1.1", HOST],
        ["GET /livez HTTP/1.1", HOST, "x: " + "a" * 3_000],
        ["GET /livez HTTP/1.1", HOST, *(f"x{n}: a" for n in range(40))],
    ],
    ids=["path", "query", "header", "headers"],
)
def test_a_head_beyond_the_bounds_is_431_with_a_problem(live: LiveHome, lines: list[str]) -> None:
    with Line(live.port) as line:
        reply = line.say(head(*lines)).reply()
        assert (reply.status, reply.code) == (431, "head_too_large")
        assert line.ended()


@pytest.mark.parametrize(
    "lines",
    [
        ["GET /livez HTTP/1.1", HOST, "x: " + "a" * 200_000],
        ["GET /livez HTTP/1.1", HOST, *(f"x{n}: a" for n in range(150))],
    ],
    ids=["header", "headers"],
)
def test_a_head_far_beyond_the_bounds_is_431_without_one(live: LiveHome, lines: list[str]) -> None:
    with Line(live.port) as line:
        reply = line.say(head(*lines)).reply()
        assert (reply.status, reply.body, reply.headers["connection"]) == (431, b"", "close")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
        b"GET /livez\r\n\r\n",
        head("GET /livez HTTP/1.1", "host : a"),
        head("GET /livez HTTP/1.1", HOST, "x: a\x00b"),
        head("GET /livez HTTP/1.1", HOST, "x: a", " folded"),
        head(EVENTS, HOST, JSON, "content-length: 3", "content-length: 4") + b"{}  ",
        head(EVENTS, HOST, JSON, "content-length: 2, 2") + b"{}",
        head(EVENTS, HOST, JSON, "content-length: -2") + b"{}",
        head(EVENTS, HOST, JSON, "content-length: +2") + b"{}",
        head(EVENTS, HOST, JSON, "content-length: 9" + "9" * 30) + b"{}",
        head(EVENTS, HOST, JSON, "transfer-encoding: gzip") + b"{}",
        head(EVENTS, HOST, JSON, "transfer-encoding: chunked, gzip") + b"{}",
    ],
    ids=[
        "tls", "http-0.9", "space", "nul", "folded", "two-lengths", "list-of-lengths", "negative",
        "signed", "enormous", "gzip", "gzip-last",
    ],
)  # fmt: skip
def test_what_is_no_http_is_400_without_a_body_and_closed(live: LiveHome, data: bytes) -> None:
    with Line(live.port) as line:
        reply = line.say(data).reply()
        assert (reply.status, reply.body, reply.headers["connection"]) == (400, b"", "close")
        assert "server" not in reply.headers


@pytest.mark.parametrize("begins", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], ids=["http-2"])
def test_another_protocol_is_closed(live: LiveHome, begins: bytes) -> None:
    with Line(live.port) as line:
        assert line.say(begins).ended()


def test_the_same_length_twice_is_that_length(live: LiveHome) -> None:
    length = f"content-length: {len(NOTHING)}"
    assert asked(live, head(EVENTS, HOST, JSON, length, length) + NOTHING).status == 202


@pytest.mark.parametrize("first", ["length", "coding"])
def test_chunks_count_where_a_length_contradicts_them_and_the_connection_is_closed(
    live: LiveHome, first: str
) -> None:
    both = ["content-length: 3", "transfer-encoding: chunked"]
    chunk = f"{len(NOTHING):x}\r\n".encode() + NOTHING + b"\r\n0\r\n\r\n"
    with Line(live.port) as line:
        lines = both if first == "length" else both[::-1]
        reply = line.say(head(EVENTS, HOST, JSON, *lines) + chunk).reply()
        assert (reply.status, reply.headers["connection"]) == (202, "close")
        assert line.ended()


def test_a_chunked_body_is_taken_whole(live: LiveHome) -> None:
    chunks = b"".join(b"1;note=x\r\n" + bytes([byte]) + b"\r\n" for byte in NOTHING)
    data = head(EVENTS, HOST, JSON, "transfer-encoding: chunked") + chunks + b"0\r\n\r\n"
    with Line(live.port) as line:
        assert line.say(data).reply().status == 202
        assert line.say(head("GET /livez HTTP/1.1", HOST)).reply().status == 200


def test_chunks_that_are_none_are_400(live: LiveHome) -> None:
    with Line(live.port) as line:
        line.say(head(EVENTS, HOST, JSON, "transfer-encoding: chunked") + b"zz\r\n{}\r\n")
        reply = line.reply()
        assert (reply.status, reply.code) == (400, "invalid_input")
        assert line.ended()


def test_chunks_beyond_the_bound_are_413(live: LiveHome) -> None:
    chunk = b"400\r\n" + b" " * 1_024 + b"\r\n"
    with Line(live.port) as line:
        line.say(head(EVENTS, HOST, JSON, "transfer-encoding: chunked") + chunk)
        reply = line.reply()
        assert (reply.status, reply.code) == (413, "body_too_large")
        assert reply.headers["connection"] == "close"


def test_a_client_that_asks_first_is_told_to_go_on(live: LiveHome) -> None:
    length = f"content-length: {len(NOTHING)}"
    with Line(live.port) as line:
        line.say(head(EVENTS, HOST, JSON, length, "expect: 100-continue"))
        assert line.reply(bodiless=True).status == 100
        assert line.say(NOTHING).reply().status == 202


def test_a_client_that_asks_first_is_spared_a_body_that_is_too_large(live: LiveHome) -> None:
    with Line(live.port) as line:
        line.say(head(EVENTS, HOST, JSON, "content-length: 5000", "expect: 100-continue"))
        reply = line.reply()
        assert (reply.status, reply.code) == (413, "body_too_large")
        assert line.ended()


def test_an_expectation_nobody_knows_is_ignored(live: LiveHome) -> None:
    length = f"content-length: {len(NOTHING)}"
    assert asked(live, head(EVENTS, HOST, JSON, length, "expect: luck") + NOTHING).status == 202


def test_a_body_that_ends_early_is_nobody_s_error(live: LiveHome) -> None:
    errors = live.board().total("errors")
    with Line(live.port) as line:
        line.say(head(EVENTS, HOST, JSON, "content-length: 500") + b"{")
        line.socket.shutdown(socket.SHUT_WR)
        line.socket.recv(65_536)
    assert live.get("/livez")[0] == 200
    assert live.board().total("errors") == errors


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/trending", "/v1/feed?user_id=u"])
def test_a_head_is_answered_like_a_get_without_the_body(live: LiveHome, path: str) -> None:
    with Line(live.port) as line:
        told = line.say(head(f"HEAD {path} HTTP/1.1", HOST)).reply(bodiless=True)
        assert told.headers["content-type"] == "application/json"
        full = line.say(head(f"GET {path} HTTP/1.1", HOST)).reply()
        assert (told.status, full.status) == (200, 200)
        assert told.headers.get("content-length") in (None, full.headers["content-length"])


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/livez", {"get", "head", "options"}),
        ("/v1/feed", {"get", "head", "post", "options"}),
        ("/v1/events", {"post", "options"}),
        ("/v1/videos/v", {"get", "head", "delete", "options"}),
    ],
)
def test_other_methods_are_told_which_ones_there_are(
    live: LiveHome, path: str, allowed: set[str]
) -> None:
    with Line(live.port) as line:
        for method in ("PUT", "BREW", "TRACE", "PATCH"):
            reply = line.say(head(f"{method} {path} HTTP/1.1", HOST)).reply()
            assert (reply.status, reply.code) == (405, "method_not_allowed")
            assert set(reply.headers["allow"].split(", ")) == allowed
        options = line.say(head(f"OPTIONS {path} HTTP/1.1", HOST)).reply()
        assert (options.status, options.body) == (204, b"")
        assert set(options.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "request_line",
    [
        "OPTIONS * HTTP/1.1",
        "GET //v1/feed HTTP/1.1",
        "GET /v1/trending/ HTTP/1.1",
        "GET /%00%ff HTTP/1.1",
        "CONNECT example.test:443 HTTP/1.1",
    ],
)
def test_an_odd_target_is_a_route_that_is_not_there(live: LiveHome, request_line: str) -> None:
    reply = asked(live, head(request_line, HOST))
    assert (reply.status, reply.code) == (404, "not_found")


def test_a_wish_for_another_protocol_is_answered_in_this_one(live: LiveHome) -> None:
    wish = ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"]
    key = "sec-websocket-key: MTIzNDU2Nzg5MDEyMzQ1Ng=="
    assert asked(live, head("GET /livez HTTP/1.1", HOST, *wish, key)).status == 200


@pytest.mark.parametrize("path", ["/", "/console"])
def test_the_console_is_found_without_a_word_of_the_host_that_was_asked(
    live: LiveHome, path: str
) -> None:
    reply = asked(live, head(f"GET {path} HTTP/1.1", "host: elsewhere.test"))
    assert (reply.status, reply.headers["location"]) == (307, "/console/")


def test_every_refusal_is_counted_by_its_code(live: LiveHome) -> None:
    before = live.board().refusals()
    live.get("/nowhere")
    after = live.board().refusals()
    assert {code for code in after if after[code] != before[code]} == {"not_found"}
    assert set(after) == set(PROBLEMS)
    text = live.pool.request("GET", live.url + "/metrics").data.decode()
    assert f'playbill_refusals_total{{code="not_found"}} {after["not_found"]:.1f}' in text
