"""Reading what clients send, within bounds."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request

from playbill.contracts import FeedRequest
from playbill.core import InvalidInput, nearest_name
from playbill.events.decoding import problem_of

T = TypeVar("T")
_FEED_PARAMETERS = [field.name for field in msgspec.structs.fields(FeedRequest)]
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return a JSON body's bytes.

    Raises:
        InvalidInput: it is declared as something else than JSON, is too large, or never came
            whole.
    """
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if media.lower() != "application/json":
        raise InvalidInput(
            f"the body is declared as {media[:60]!r}; expected application/json",
            code="unsupported_media",
            hint="send the header content-type: application/json",
        )
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _too_large(most_bytes)
    parts = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most_bytes:
                raise _too_large(most_bytes)
            parts.append(part)
    except ClientDisconnect as error:
        raise InvalidInput("the connection ended before the body did") from error
    return b"".join(parts)


def decode(body: bytes, kind: type[T]) -> T:
    """Return a body as a message.

    Raises:
        InvalidInput: it is no JSON, or not of that kind; the field is named.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        message, field = problem_of(error)
        raise InvalidInput(message, field=field, hint="see /openapi.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(
            problem_of(error)[0], code="invalid_json", hint="send one JSON value in UTF-8"
        ) from None


def decode_one_or_many(body: bytes, kind: type[T], most: int) -> Sequence[T]:
    """Return the messages of a body that is one object or a list of them.

    Raises:
        InvalidInput: as ``decode``, or there are more than ``most``.
    """
    if body.lstrip()[:1] != b"[":
        return [decode(body, kind)]
    many: list[T] = decode(body, list[kind])  # type: ignore[valid-type]
    if len(many) > most:
        raise InvalidInput(
            f"the list has {len(many):,} entries; at most {most:,} fit", hint="send several"
        )
    return many


def feed_request_of_query(query: bytes) -> FeedRequest:
    """Return the feed request that a query string spells.

    Raises:
        InvalidInput: an unknown or repeated parameter, or a value outside its range.
    """
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidInput(
            f"the query string cannot be read: {error}", hint="percent-encode it as UTF-8"
        ) from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in _FEED_PARAMETERS:
            raise InvalidInput(
                f"there is no parameter {name[:60]!r}." + nearest_name(name, _FEED_PARAMETERS),
                code="unknown_parameter",
                field=name[:60],
                hint="parameters: " + ", ".join(_FEED_PARAMETERS),
            )
        if name == "exclude":
            fields.setdefault("exclude", []).extend(filter(None, value.split(",")))
        elif name in fields:
            raise InvalidInput(f"parameter {name!r} is given twice", field=name)
        else:
            fields[name] = _BOOLEANS.get(value, value) if name == "personalised" else value
    try:
        return msgspec.convert(fields, FeedRequest, strict=False)
    except msgspec.ValidationError as error:
        message, field = problem_of(error)
        raise InvalidInput(message, field=field, hint="see /openapi.json") from None


def _too_large(most_bytes: int) -> InvalidInput:
    return InvalidInput(
        f"the body is larger than {most_bytes:,} bytes",
        code="body_too_large",
        hint="send smaller batches",
    )
