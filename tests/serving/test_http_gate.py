"""What every request passes before a route is looked for, and what replies say of themselves."""

import asyncio
import hashlib
import json
from types import SimpleNamespace

import msgspec
import pytest
from http_asked import api_over
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from playbill.contracts import HttpSettings, Rate, RateSettings
from playbill.core import BrokenContract, FixedClock
from playbill.serving import Board
from playbill.serving.http.gate import Gate
from playbill.serving.http.keys import ApiKeys
from playbill.serving.http.rates import Rates
from playbill.serving.http.requests import read_body

KEY = "the-key"


class NoStore:
    def texts(self, keys):
        return [None for _ in keys]


class Client:
    """Requests through a gate, as the server below would hand them over."""

    def __init__(self, tmp_path, *, http=None, **parts):
        self.api = api_over(NoStore(), tmp_path, **parts)
        self.board = Board(tmp_path / "board", create=False)
        self.gate = Gate(self.api, http or HttpSettings(), self.board.row(0))

    async def ask(self, method, path, *, headers=(), query="", receive=None, sent=None):
        sent = [] if sent is None else sent

        async def nothing():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "headers": list(headers),
        }
        await self.gate(scope, receive or nothing, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), body

    def once(self, *args, **named):
        return asyncio.run(self.ask(*args, **named))


def code(body):
    return json.loads(body)["error"]["code"]


def posts(handler):
    return [Route("/page", handler, methods=["POST"])]


async def hello(request):
    return PlainTextResponse("hello")


@pytest.mark.parametrize(
    "headers", [[(b"x", b"a" * 2_000)], [(b"x", b"")] * 9, [(b"a" * 1_100, b"")]], ids=str
)
def test_a_head_that_is_too_large_is_refused_and_the_connection_closed(tmp_path, headers):
    http = HttpSettings(max_head_bytes=1_024, max_headers=8)
    client = Client(tmp_path, http=http, pages=[Route("/page", hello)])
    status, told, body = client.once("GET", "/page", headers=headers)
    assert (status, code(body)) == (431, "head_too_large")
    assert told[b"connection"] == b"close"
    assert client.board.refusals()["head_too_large"] == 1


def test_a_path_and_a_query_count_as_head(tmp_path):
    client = Client(tmp_path, http=HttpSettings(max_head_bytes=1_024))
    assert client.once("GET", "/" + "a" * 1_024)[0] == 431
    assert client.once("GET", "/livez", query="a" * 1_024)[0] == 431


def test_a_head_at_its_bound_is_taken(tmp_path):
    http = HttpSettings(max_head_bytes=1_024, max_headers=8)
    client = Client(tmp_path, http=http, pages=[Route("/page", hello)])
    headers = [(b"x", b"")] * 7 + [(b"y", b"a" * (1_024 - len("/page") - 8))]
    assert client.once("GET", "/page", headers=headers)[0] == 200


def test_one_more_than_may_be_under_way_is_refused_and_a_get_never(tmp_path):
    release = asyncio.Event()

    async def waits(request):
        await release.wait()
        return PlainTextResponse("done")

    pages = [*posts(waits), Route("/get", hello)]
    client = Client(tmp_path, http=HttpSettings(max_under_way=2), pages=pages)

    async def story():
        held = [asyncio.create_task(client.ask("POST", "/page")) for _ in range(2)]
        while client.gate.under_way < 2:
            await asyncio.sleep(0)
        refused = await client.ask("POST", "/page")
        answered = await client.ask("GET", "/get")
        release.set()
        return refused, answered, [await one for one in held], await client.ask("POST", "/page")

    (status, told, body), answered, held, later = asyncio.run(story())
    assert (status, code(body), told[b"retry-after"]) == (503, "too_busy", b"1")
    assert [one[0] for one in (answered, *held, later)] == [200] * 4
    assert client.gate.under_way == 0
    assert client.board.refusals()["too_busy"] == 1


def test_a_request_that_breaks_is_under_way_no_more(tmp_path):
    async def breaks(request):
        raise ValueError

    client = Client(tmp_path, pages=posts(breaks))
    with pytest.raises(ValueError):
        client.once("POST", "/page")
    assert client.gate.under_way == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bug_of_ours_is_answered_once_and_is_no_refusal(tmp_path, method):
    def breaks(message):
        raise BrokenContract("a secret")

    async def body():
        return {"type": "http.request", "body": b'{"user_id":"u"}', "more_body": False}

    client = Client(tmp_path, answer=breaks)
    sent = []
    with pytest.raises(BrokenContract):
        client.once(method, "/v1/feed", query="user_id=u", receive=body, sent=sent)
    assert [message.get("status") for message in sent] == [500, None]
    assert (client.board.total("errors"), client.board.total("refused")) == (1, 0)


def test_a_body_that_is_not_whole_in_time_is_refused(tmp_path):
    async def reads(request):
        await read_body(request, 10)

    async def never():
        await asyncio.Event().wait()

    client = Client(tmp_path, http=HttpSettings(body_s=0.1), pages=posts(reads))
    status, told, body = client.once("POST", "/page", receive=never)
    assert (status, code(body)) == (408, "body_too_slow")
    assert told[b"connection"] == b"close"
    assert client.board.refusals()["body_too_slow"] == 1


def test_the_disk_may_take_longer_than_a_body(tmp_path):
    """Only what the client owes is bounded; a whole batch waits for its place in the log."""

    async def reads_and_waits(request):
        await read_body(request, 10)
        await asyncio.sleep(0.2)
        return PlainTextResponse("stored")

    client = Client(tmp_path, http=HttpSettings(body_s=0.1), pages=posts(reads_and_waits))
    assert client.once("POST", "/page")[0] == 200


@pytest.mark.parametrize("path", ["/livez", "/v1/feed", "/v1/videos/x", "/nowhere", "/v1/events"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "BREW", "OPTIONS"])
def test_every_reply_is_kept_private_and_names_no_version(tmp_path, method, path):
    async def livez(request):
        return PlainTextResponse("yes")

    health = SimpleNamespace(livez=livez, readyz=livez, metrics=livez)
    client = Client(tmp_path, health=health)
    status, told, body = client.once(method, path)
    assert told[b"server"] == b"playbill"
    if status >= 400:
        assert told[b"cache-control"] == b"no-store"
        assert told[b"x-content-type-options"] == b"nosniff"
        assert code(body)


def test_while_it_drains_each_reply_closes_its_connection(tmp_path):
    client = Client(tmp_path, pages=[Route("/page", hello)])
    assert b"connection" not in client.once("GET", "/page")[1]
    client.gate.draining = True
    assert client.once("GET", "/page")[1][b"connection"] == b"close"


def feeds(tmp_path, **rates):
    keys = ApiKeys({hashlib.sha256(KEY.encode()).hexdigest(): ("feed",)})
    made = []

    def answer(message):
        made.append(message)
        return {"items": []}

    held = Rates(RateSettings(**rates), len(keys), FixedClock(1_000_000))
    return Client(tmp_path, keys=keys, rates=held, answer=answer), made


GOOD = [(b"authorization", b"Bearer " + KEY.encode())]


def test_a_key_that_asks_too_fast_is_told_when_to_return_and_what_its_rate_is(tmp_path):
    client, made = feeds(tmp_path, feed=Rate(per_s=0.5, burst=2))
    ask = lambda: client.once("GET", "/v1/feed", query="user_id=u", headers=GOOD)  # noqa: E731
    first, second, third = ask(), ask(), ask()
    assert [reply[0] for reply in (first, second, third)] == [200, 200, 429]
    assert first[1][b"ratelimit"] == b'"feed";r=1;t=2'
    assert second[1][b"ratelimit"] == b'"feed";r=0;t=4'
    assert third[1][b"ratelimit-policy"] == b'"feed";q=2;w=4'
    assert third[1][b"retry-after"] == b"2"
    assert code(third[2]) == "rate_limited"
    assert client.board.refusals()["rate_limited"] == 1
    assert len(made) == 2


def test_routes_of_the_framework_have_the_same_rates(tmp_path):
    client, _ = feeds(tmp_path, feed=Rate(per_s=0.5, burst=1))
    ask = lambda: client.once("GET", "/v1/trending", headers=GOOD)  # noqa: E731
    status, told, _ = ask()
    assert (status, told[b"ratelimit"]) == (200, b'"feed";r=0;t=2')
    assert ask()[0] == 429


def test_whoever_guesses_keys_is_slowed_down_and_nobody_else_is(tmp_path):
    client, _ = feeds(tmp_path, anonymous=Rate(per_s=0.1, burst=3))
    ask = lambda headers: client.once("GET", "/v1/feed", query="user_id=u", headers=headers)  # noqa: E731
    wrong = [(b"authorization", b"Bearer guess")]
    assert [ask(wrong)[0] for _ in range(5)] == [401, 401, 401, 429, 429]
    assert ask([])[0] == 429
    assert ask(GOOD)[0] == 200


def test_no_key_is_told_how_to_bring_one(tmp_path):
    client, _ = feeds(tmp_path)
    status, told, _ = client.once("GET", "/v1/feed", query="user_id=u")
    assert (status, told[b"www-authenticate"]) == (401, b"Bearer")


def test_a_head_of_a_feed_makes_none(tmp_path):
    """Nobody sees it, and a feed that is made is recorded as shown."""
    client, made = feeds(tmp_path)
    status, told, body = client.once("HEAD", "/v1/feed", query="user_id=u", headers=GOOD)
    assert (status, body, made) == (200, b"", [])
    assert told[b"content-type"] == b"application/json"
    assert client.once("HEAD", "/v1/feed", query="nobody=u", headers=GOOD)[0] == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "BREW"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/feed", "GET, HEAD, POST, OPTIONS"),
        ("/v1/videos/x/similar", "GET, HEAD, OPTIONS"),
        ("/v1/feed/preview", "OPTIONS, POST"),
    ],
)
def test_another_method_is_refused_with_those_that_there_are(tmp_path, method, path, allowed):
    client, _ = feeds(tmp_path)
    status, told, body = client.once(method, path, headers=GOOD)
    assert (status, code(body)) == (405, "method_not_allowed")
    assert set(told[b"allow"].decode().split(", ")) == set(allowed.split(", "))
    status, told, body = client.once("OPTIONS", path)
    assert (status, body) == (204, b"")
    assert set(told[b"allow"].decode().split(", ")) == set(allowed.split(", "))


def test_a_path_with_two_routes_allows_the_methods_of_both(tmp_path):
    delete = Route("/v1/videos/{video_id}", hello, methods=["DELETE"])
    told = Client(tmp_path, pages=[delete]).once("BREW", "/v1/videos/x")[1]
    assert set(told[b"allow"].split(b", ")) == {b"GET", b"HEAD", b"DELETE", b"OPTIONS"}


def test_settings_of_a_rate_are_refused_outside_their_range():
    for wrong in ({"per_s": 0, "burst": 1}, {"per_s": 1, "burst": 0}, {"per_s": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"feed": wrong}, RateSettings)
