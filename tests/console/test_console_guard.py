import pytest
from console_browsing import Browser, Page, Reply
from console_served import mounted
from fake_backend import FakeBackend

from playbill.console.guard import COOKIE, MAX_FORM_BYTES
from playbill.console.headers import POLICY
from playbill.contracts import RejectedEvent
from playbill.core import (
    FixedClock,
)

FEED = "/console/?user_id=u-ada&size=8"
PATHS = (
    "/console/",
    FEED,
    "/console/status",
    "/console/viewer?user_id=u-ada",
    "/console/trace?user_id=u-ada",
    "/console/no-such-page",
    "/console/?user_id=u-ada&size=999",
    "/console/static/page.css",
)


def like(browser: Browser, page: Page, headers: dict[str, str] | None = None) -> Reply:
    return browser.post(
        browser.action(page), {**page.fields("acts"), "act": "like.0"}, headers or {}
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_reply_carries_the_security_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers

    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")


def test_cookie_is_strict_hidden_from_scripts_and_bound_to_the_console(
    backend: FakeBackend, clock: FixedClock
) -> None:
    plain = Browser(mounted(backend, clock)).get("/console/").headers["set-cookie"].lower()
    secure = Browser(mounted(backend, clock), scheme="https").get("/console/").headers["set-cookie"]

    assert plain.startswith(COOKIE)
    for attribute in ("samesite=strict", "httponly", "path=/console"):
        assert attribute in plain
    assert "secure" not in plain
    assert "; secure" in secure.lower()


def test_cookie_is_kept_once_given(browser: Browser) -> None:
    browser.get("/console/")

    assert "set-cookie" not in browser.get("/console/").headers


@pytest.mark.parametrize("cookie", ["", "short", "x" * 500, "y" * 42 + "!"])
def test_cookie_that_is_not_ours_is_replaced(browser: Browser, cookie: str) -> None:
    browser.cookies[COOKIE] = cookie

    assert "set-cookie" in browser.get("/console/").headers


def test_two_workers_answer_each_others_forms(backend: FakeBackend, clock: FixedClock) -> None:
    browser = Browser(mounted(backend, clock))
    page = browser.get(FEED).page
    browser.app = mounted(backend, clock)

    assert like(browser, page).status == 303
    assert len(backend.events) == 1


@pytest.mark.parametrize("token", [None, "", "x" * 43, "é"])
def test_form_without_the_cookies_token_sends_nothing(
    browser: Browser, backend: FakeBackend, token: str | None
) -> None:
    page = browser.get(FEED).page
    fields = {**page.fields("acts"), "act": "like.0"}
    fields.pop("token")
    if token is not None:
        fields["token"] = token

    reply = browser.post(browser.action(page), fields)

    assert reply.status == 403
    assert "forbidden" in reply.page.by_id("problem").text
    assert backend.events == []


def test_form_without_the_cookie_sends_nothing(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get(FEED).page
    browser.cookies.clear()

    assert like(browser, page).status == 403
    assert backend.events == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "http://playbill.test.evil.test"},
        {"origin": "http://playbill.test:81"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_form_of_another_origin_sends_nothing(
    browser: Browser, backend: FakeBackend, headers: dict[str, str]
) -> None:
    page = browser.get(FEED).page

    assert like(browser, page, headers).status == 403
    assert backend.events == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://playbill.test", "sec-fetch-site": "same-origin"},
        {"origin": "https://PLAYBILL.test"},
        # A plain form of a page that sends no referrer.
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "null"},
    ],
)
def test_form_of_our_own_page_is_obeyed(
    browser: Browser, backend: FakeBackend, headers: dict[str, str]
) -> None:
    page = browser.get(FEED).page

    assert like(browser, page, headers).status == 303
    assert len(backend.events) == 1


def test_form_that_is_too_large_is_refused(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get(FEED).page

    reply = browser.post(browser.action(page), {**page.fields("acts"), "act": "x" * MAX_FORM_BYTES})

    assert reply.status == 413
    assert "body_too_large" in reply.page.by_id("problem").text


def test_form_with_too_many_fields_is_refused(browser: Browser) -> None:
    page = browser.get(FEED).page

    reply = browser.post(browser.action(page), {f"field{each}": "1" for each in range(99)})

    assert reply.status == 400


def test_form_of_another_type_is_refused(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get(FEED).page

    reply = like(browser, page, {"content-type": "text/plain"})

    assert reply.status == 415
    assert backend.events == []


@pytest.mark.parametrize(
    "act", ["", "like", "like.", "like.8", "like.-1", "report.0", "like.0.0", "LIKE.0", "x" * 999]
)
def test_act_that_is_on_no_button_is_refused(
    browser: Browser, backend: FakeBackend, act: str
) -> None:
    page = browser.get(FEED).page

    reply = browser.post(browser.action(page), {**page.fields("acts"), "act": act})

    assert reply.status == 400
    assert backend.events == []


def test_topic_that_is_not_in_the_feed_is_refused(browser: Browser) -> None:
    page = browser.get(FEED).page

    reply = browser.post(browser.action(page), {**page.fields("acts"), "topic": "falconry"})

    assert reply.status == 400
    assert "falconry" in reply.page.by_id("problem").text


@pytest.mark.parametrize("now", ["", "AAAA", "é", "=" * 99, "A" * 40_000])
def test_feed_that_was_tampered_with_is_refused(
    browser: Browser, backend: FakeBackend, now: str
) -> None:
    page = browser.get(FEED).page

    reply = browser.post(browser.action(page), {**page.fields("acts"), "now": now, "act": "like.0"})

    assert reply.status == 400
    assert backend.events == []


def test_refused_event_is_told(browser: Browser, backend: FakeBackend) -> None:
    backend.rejects = RejectedEvent(index=0, code="event_too_old", message="at is too old")
    page = browser.get(FEED).page

    reply = like(browser, page)

    assert reply.status == 400
    assert "at is too old" in reply.page.by_id("problem").text
    assert "event_too_old" in reply.page.by_id("problem").text
