"""Whatever a client sends: no 5xx, one error shape, and a stated outcome."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from live_home import LiveHome
from playbill.contracts import PROBLEMS, REJECTIONS


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    server = LiveHome(tmp_path_factory.mktemp("bad") / "home").start()
    server.post_videos(20)
    yield server
    server.stop()


def now_ms() -> int:
    return int(time.time() * 1000)


def assert_problem(status: int, reply: dict[str, Any], code: str) -> None:
    assert set(reply) == {"error"}, reply
    problem = reply["error"]
    assert problem["code"] == code
    assert PROBLEMS[code][0] == status
    assert problem["message"]
    assert set(problem) <= {"code", "message", "hint", "field"}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_requests_made_from_the_openapi_document_find_no_5xx_and_no_other_error_shape(
    live: LiveHome, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(live.url + "/openapi.json")
    for operation in schema.get_all_operations():
        found = operation.ok()
        takes_input = {"parameters", "requestBody"} & found.definition.raw.keys()
        if mode is GenerationMode.NEGATIVE and not takes_input:
            continue
        case_strategy = found.as_strategy(mode)

        @settings(
            max_examples=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=case_strategy)
        def attack(case: Any) -> None:
            response = case.call(base_url=live.url)
            assert response.status_code < 500, (case.as_curl_command(), response.text)
            if response.status_code >= 400:
                problem = response.json()["error"]
                assert problem["code"] in PROBLEMS

        attack()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b'{"events": NaN}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"events": 3}', "invalid_input"),
        (b"[]", "invalid_input"),
        (b"{}", "invalid_input"),
        (b'{"events": ' + json.dumps([{}] * 1001).encode() + b"}", "invalid_input"),
    ],
    ids=["empty", "cut", "not-utf8", "nan", "deep", "number", "list", "nothing", "too-many"],
)
def test_a_body_that_is_no_batch_is_refused_whole(live: LiveHome, body: bytes, code: str) -> None:
    status, reply = live.post("/v1/events", body)
    if body == b"[" * 100_000:
        assert status == 400
        assert reply["error"]["code"] in ("invalid_json", "invalid_input")
    else:
        assert_problem(status, reply, code)


def test_a_ten_megabyte_body_is_refused_without_being_read(live: LiveHome) -> None:
    for path in ("/v1/events", "/v1/videos", "/v1/users", "/v1/feed", "/v1/feed/preview"):
        status, reply = live.post(path, b" " * 10_000_000)
        assert_problem(status, reply, "body_too_large")


def good(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"good-{number}-{now_ms()}",
        "type": "like",
        "user_id": "u",
        "video_id": "v1",
        "at": now_ms(),
        **changes,
    }


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (good(1, at=now_ms() + 3_600_000), "event_from_future"),
        (good(2, at=now_ms() - 30 * 86_400_000), "event_too_old"),
        (good(3, user_id="u" * 129), "invalid_event"),
        (good(4, user_id=7), "invalid_event"),
        (good(5, at="yesterday"), "invalid_event"),
        (good(6, at="2026-01-01T00:00:00"), "invalid_event"),
        (good(7, position=-1), "invalid_event"),
        (good(8, watch_ms=10**12), "invalid_event"),
        (good(9, request_id="zz"), "invalid_event"),
        (good(10, surface="nowhere"), "undeclared_value"),
        (good(11, type="watch"), "watch_missing"),
        (good(12, type="follow", video_id=None), "author_missing"),
        (good(13, video_id=None), "video_missing"),
        (good(14, type=["like"], padding="x" * 20_000), "event_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["event_id"].rsplit("-", 1)[0],
)
def test_one_bad_event_is_named_and_the_others_are_taken(
    live: LiveHome, event: dict[str, Any], code: str
) -> None:
    status, reply = live.post("/v1/events", {"events": [good(0), event, good(20)]})
    assert status == 202
    assert reply["accepted"] == 2
    assert [(bad["index"], bad["code"]) for bad in reply["rejected"]] == [(1, code)]
    assert code in REJECTIONS


def test_an_event_sent_twice_in_a_batch_is_a_duplicate(live: LiveHome) -> None:
    event = good(30)
    _, reply = live.post("/v1/events", {"events": [event, event, good(31)]})
    assert (reply["accepted"], reply["duplicates"], reply["rejected"]) == (2, 1, [])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "invalid_input"),
        ("user_id=", "invalid_input"),
        ("user_id=a&size=0", "invalid_input"),
        ("user_id=a&size=many", "invalid_input"),
        ("user_id=a&size=51", "invalid_input"),
        ("user_id=a&user_id=b", "invalid_input"),
        ("user=a", "unknown_parameter"),
        ("user_id=%FF", "invalid_input"),
        ("user_id=a&surface=nowhere", "undeclared_value"),
        ("user_id=a&region=mars", "undeclared_value"),
        ("user_id=a&cursor=abc", "cursor_invalid"),
        ("user_id=" + "a" * 129, "invalid_input"),
        ("user_id=a&personalised=perhaps", "invalid_input"),
    ],
)
def test_a_bad_feed_request_is_refused_with_its_field(
    live: LiveHome, query: str, code: str
) -> None:
    reply = live.pool.request("GET", f"{live.url}/v1/feed?{query}")
    assert_problem(reply.status, json.loads(reply.data), code)


def test_a_form_is_not_json(live: LiveHome) -> None:
    reply = live.pool.request(
        "POST",
        live.url + "/v1/events",
        body=b"a=1",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert_problem(reply.status, json.loads(reply.data), "unsupported_media")


def test_nothing_of_all_this_stops_the_feed(live: LiveHome) -> None:
    assert live.feed("after-everything")["items"]
