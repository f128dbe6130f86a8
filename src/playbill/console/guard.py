"""Only a form of our own page is obeyed, and only when it is small.

Double submit: the token of a form must equal a cookie that other sites can neither read nor
send. It needs no memory, so any process can check what any other one rendered.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from playbill.core import InvalidInput

COOKIE = "playbill_console"
MAX_FORM_BYTES = 131_072
_MAX_FORM_FIELDS = 32
_FORM_TYPE = "application/x-www-form-urlencoded"
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One browser's secret: it proves that a form is ours and seals what the browser keeps."""

    token: str
    is_new: bool


def visit_of(request: Request) -> Visit:
    """Return the browser's secret, a new one where it brings none."""
    token = request.cookies.get(COOKIE, "")
    if _TOKEN.fullmatch(token):
        return Visit(token=token, is_new=False)
    return Visit(token=secrets.token_urlsafe(_TOKEN_BYTES), is_new=True)


def remember(response: Response, request: Request, visit: Visit) -> None:
    """Give a new secret to the browser."""
    if visit.is_new:
        response.set_cookie(
            COOKIE,
            visit.token,
            path=request.scope.get("root_path") or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )


async def posted_form(request: Request, visit: Visit) -> dict[str, str]:
    """Return the fields of a form that this browser got from us.

    Raises:
        InvalidInput: the form came from elsewhere, is older than the browser's secret, is too
            large or is not a form.
    """
    _check_origin(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM_TYPE:
        raise InvalidInput(
            f"the form has the type {media_type or 'none'!r}; expected {_FORM_TYPE}",
            code="unsupported_media",
        )
    fields = _fields(await _bounded_body(request))
    if not hmac.compare_digest(fields.get("token", "").encode(), visit.token.encode()):
        raise _refused("the form's token is not the one of this browser's cookie")
    return fields


def _check_origin(request: Request) -> None:
    """Refuse what a browser says came from another site.

    Our pages send no referrer, and for a plain form that makes browsers write ``Origin: null``;
    so ``null`` says nothing by itself, and ``Sec-Fetch-Site`` and the token decide.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise _refused(f"the browser says that the form came from {site!r}")
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return
    if urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise _refused("the form came from another origin")


def _refused(why: str) -> InvalidInput:
    return InvalidInput(
        f"{why}; nothing was sent",
        code="forbidden",
        hint="load the console again and repeat the action there",
    )


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise InvalidInput(
                f"the form is larger than {MAX_FORM_BYTES:,} bytes", code="body_too_large"
            )
    return bytes(body)


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS)
    except ValueError:
        raise InvalidInput(
            f"the form is not UTF-8 or has more than {_MAX_FORM_FIELDS} fields",
            hint="load the console again and repeat the action there",
        ) from None
    return dict(pairs)
