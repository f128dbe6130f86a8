"""A browser without a screen: calls the console in-process, keeps its cookie, reads its HTML."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp

VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    ancestors: list["Element"]
    text: str = ""


class Page(HTMLParser):
    """The elements of one page, in order, each with its text and ancestors."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {[element.tag for element in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes, list(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        element = self._open.pop()
        assert element.tag == tag, f"</{tag}> closes <{element.tag}>"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == text for name, text in attributes.items())
        ]

    def with_class(self, name: str) -> list[Element]:
        return [each for each in self.elements if name in each.attributes.get("class", "").split()]

    def by_id(self, name: str) -> Element:
        found = [each for each in self.elements if each.attributes.get("id") == name]
        assert len(found) == 1, f"{len(found)} elements have the id {name!r}"
        return found[0]

    def fields(self, form: str) -> dict[str, str]:
        """Return the hidden fields of a form, by its id or class."""
        return {
            each.attributes["name"]: each.attributes["value"]
            for each in self.all("input", type="hidden")
            if form in (each.ancestors[-1].attributes.get(key) for key in ("id", "class"))
        }


def words_of(page: Page, name: str) -> list[str]:
    """Return the text of each element of a class, spaces evened out."""
    return [" ".join(element.text.split()) for element in page.with_class(name)]


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def page(self) -> Page:
        return Page(self.body.decode())


@dataclass
class Browser:
    """Asks an application like a browser that has one tab and no scripts."""

    app: ASGIApp
    host: str = "playbill.test"
    scheme: str = "http"
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        return asyncio.run(self._ask("GET", url, b"", headers or {}))

    def post(
        self, url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Reply:
        typed = {"content-type": "application/x-www-form-urlencoded"}
        body = urlencode(fields).encode()
        return asyncio.run(self._ask("POST", url, body, {**typed, **(headers or {})}))

    def follow(self, reply: Reply) -> Reply:
        assert reply.status == 303, reply.body
        return self.get(reply.headers["location"])

    def press(self, page: Page, name: str, value: str) -> Reply:
        """Press a button of the cards and follow where it leads."""
        return self.follow(self.post(self.action(page), {**page.fields("acts"), name: value}))

    def next_feed(self, page: Page) -> Reply:
        return self.get(f"/console/?{urlencode(page.fields('next'))}")

    @staticmethod
    def action(page: Page) -> str:
        return page.by_id("acts").attributes["action"]

    async def _ask(self, method: str, url: str, body: bytes, extra: Mapping[str, str]) -> Reply:
        headers = {"host": self.host, **extra}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        parts = urlsplit(url)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "root_path": "",
            "query_string": parts.query.encode(),
            "headers": [(key.lower().encode(), text.encode()) for key, text in headers.items()],
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 5000),
        }
        messages: list[Any] = []
        unread = [body]

        async def receive() -> dict[str, Any]:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            # This browser never hangs up, so whoever listens for that listens in vain.
            await asyncio.Event().wait()
            raise AssertionError("never set")

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        return self._reply(messages)

    def _reply(self, messages: list[Any]) -> Reply:
        start = messages[0]
        headers = {key.decode().lower(): text.decode() for key, text in start["headers"]}
        for name, morsel in SimpleCookie(headers.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
        body = b"".join(message.get("body", b"") for message in messages[1:])
        return Reply(start["status"], headers, body)
