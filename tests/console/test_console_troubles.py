import pytest
from console_browsing import Browser
from fake_backend import FakeBackend

from playbill.core import (
    BrokenContract,
    DependencyUnavailable,
    InvalidInput,
    NotFound,
    Overloaded,
    PlaybillError,
)

FEED = "/console/?user_id=u-ada&size=8"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("no such region 'atlantis'", code="undeclared_value", hint="use one"), 400),
        (NotFound("no such thing", hint="look elsewhere"), 404),
        (DependencyUnavailable("the store is closed", hint="try again"), 503),
        (PlaybillError("odd", code="a_new_code", hint="wait"), 503),
        (PlaybillError("full", code="item_capacity", hint="raise the setting"), 503),
    ],
)
@pytest.mark.parametrize("path", [FEED, "/console/trace?user_id=u-ada"])
def test_error_of_the_server_is_told_with_its_code_and_hint(
    browser: Browser, backend: FakeBackend, error: PlaybillError, status: int, path: str
) -> None:
    backend.raises = error

    reply = browser.get(path)

    assert reply.status == status
    problem = reply.page.by_id("problem").text
    for text in (error.message, error.code, error.hint):
        assert text in problem
    assert b"Traceback" not in reply.body
    assert reply.page.by_id("user_id").attributes["value"] == "u-ada"


def test_overload_says_when_to_come_back(browser: Browser, backend: FakeBackend) -> None:
    backend.raises = Overloaded("the queue is full", retry_after_s=7, hint="come back")

    reply = browser.get(FEED)

    assert reply.status == 429
    assert reply.headers["retry-after"] == "7"


def test_bug_of_ours_is_not_hidden_by_the_console(browser: Browser, backend: FakeBackend) -> None:
    backend.raises = BrokenContract("two rows for one candidate")

    with pytest.raises(BrokenContract, match="two rows"):
        browser.get(FEED)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("size=0", "size"),
        ("size=51", "size"),
        ("size=many", "size"),
        ("surface=" + "x" * 129, "surface"),
        ("personalised=perhaps", "personalised"),
        ("user_id=" + "u" * 129, "user_id"),
    ],
)
def test_field_out_of_range_is_named(
    browser: Browser, backend: FakeBackend, query: str, field: str
) -> None:
    reply = browser.get(f"/console/?user_id=u-ada&{query}")

    assert reply.status == 400
    assert f"field {field}" in reply.page.by_id("problem").text
    assert backend.requests == []


def test_unknown_page_is_not_found(browser: Browser) -> None:
    reply = browser.get("/console/rollouts")

    assert reply.status == 404
    assert "not_found" in reply.page.by_id("problem").text
