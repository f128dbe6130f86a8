"""A bug of ours on any route: counted, logged with its place, and answered in the one shape."""

import asyncio

import pytest
from http_asked import api_over, get
from starlette.requests import Request
from starlette.routing import Route

from playbill.core import BrokenContract, DependencyUnavailable, InvalidInput, Overloaded
from playbill.serving import Board
from playbill.serving.http.requests import read_body

SECRET = "what-the-client-sent"


class NoStore:
    def texts(self, keys):
        return [None for _ in keys]


def board(tmp_path):
    return Board(tmp_path / "board", create=False)


def raising(error):
    def answer(message):
        raise error

    async def page(request):
        raise error

    return {"answer": answer, "pages": [Route("/page", page)]}


@pytest.mark.parametrize("error", [ValueError(SECRET), BrokenContract(SECRET)])
@pytest.mark.parametrize("path", ["/page", "/v1/feed"])
def test_a_bug_is_counted_logged_with_its_place_and_answered_by_500(tmp_path, caplog, error, path):
    api = api_over(NoStore(), tmp_path, **raising(error))
    status, headers, reply = get(api, path, f"user_id={SECRET}")
    assert status == 500
    assert headers[b"content-type"] == b"application/json"
    assert reply["error"]["code"] == "internal_error"
    assert "counted and logged" in reply["error"]["message"]
    assert (board(tmp_path).total("errors"), board(tmp_path).total("refused")) == (1, 0)
    (line,) = caplog.messages
    assert line.startswith("a request broke: ")
    assert f"{__file__}:" in line
    assert SECRET not in line + str(reply)


@pytest.mark.parametrize(
    ("error", "status"), [(InvalidInput("no"), 400), (DependencyUnavailable("gone"), 503)]
)
@pytest.mark.parametrize("path", ["/page", "/v1/feed"])
def test_what_is_no_bug_is_refused_and_not_logged(tmp_path, caplog, error, status, path):
    api = api_over(NoStore(), tmp_path, **raising(error))
    assert get(api, path, "user_id=u")[0] == status
    assert (board(tmp_path).total("errors"), board(tmp_path).total("refused")) == (0, 1)
    assert caplog.messages == []


def test_a_prefetch_that_gives_way_is_told_when_to_come_back(tmp_path):
    error = Overloaded("people wait", code="gave_way", retry_after_s=7)
    api = api_over(NoStore(), tmp_path, **raising(error))
    status, headers, reply = get(api, "/v1/feed", "user_id=u&priority=prefetch")
    assert (status, headers[b"retry-after"]) == (503, b"7")
    assert reply["error"]["code"] == "gave_way"


@pytest.mark.parametrize(
    "size", ["0", "101", "-1", "many", "0000000019999999", "1" + "0" * 5_000, "٣"]
)
def test_a_size_outside_its_range_is_refused_however_it_is_written(tmp_path, size):
    api = api_over(NoStore(), tmp_path)
    status, _, reply = get(api, "/v1/trending", f"size={size}")
    assert (status, reply["error"]["field"]) == (400, "size")


@pytest.mark.parametrize("size", ["1", "100", "020"])
def test_a_size_in_its_range_is_taken(tmp_path, size):
    assert get(api_over(NoStore(), tmp_path), "/v1/trending", f"size={size}")[0] == 200


def test_a_client_that_goes_away_is_no_bug_of_ours():
    async def receive():
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "headers": []}, receive)
    with pytest.raises(InvalidInput, match="ended before the body did"):
        asyncio.run(read_body(request, 10))
