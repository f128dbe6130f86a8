"""The OpenAPI document, made from the contracts."""

from functools import lru_cache
from typing import Any

import msgspec

from playbill import __version__
from playbill.contracts import (
    PROBLEMS,
    Event,
    EventsReply,
    FeedReply,
    FeedRequest,
    FeedsReply,
    FeedsRequest,
    ProblemReply,
    Status,
    User,
    UsersReply,
    Video,
    VideosReply,
    VideoView,
)

_REF = "#/components/schemas/{name}"
_MESSAGES = (
    Event,
    EventsReply,
    FeedRequest,
    FeedReply,
    FeedsRequest,
    FeedsReply,
    Video,
    VideosReply,
    VideoView,
    User,
    UsersReply,
    Status,
    ProblemReply,
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One route and method, for the document and for docs/http.md."""

    path: str
    method: str
    summary: str
    scope: str | None
    body: dict[str, Any] | None = None
    query: bool = False
    parameters: tuple[dict[str, Any], ...] = ()
    status: int = 200
    reply: dict[str, Any] = {}
    problems: tuple[str, ...] = ()


def _ref(message: type[Any]) -> dict[str, Any]:
    return {"$ref": _REF.format(name=message.__name__)}


def _one_or_many(message: type[Any]) -> dict[str, Any]:
    many = {"type": "array", "items": _ref(message), "maxItems": 1000}
    return {"oneOf": [_ref(message), many]}


_VIDEO_ID = {
    "name": "video_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_SIZE = {
    "name": "size",
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "minimum": 1, "maximum": 100},
}
_REGION = {"name": "region", "in": "query", "required": False, "schema": {"type": "string"}}
_NAMED = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["video_id", "position", "title"],
                "properties": {
                    "video_id": {"type": "string"},
                    "position": {"type": "integer"},
                    "title": {"type": "string"},
                },
            },
        }
    },
}
_EVENTS = {
    "type": "object",
    "required": ["events"],
    "properties": {"events": {"type": "array", "items": _ref(Event), "maxItems": 1000}},
}
_ENTRY = {
    "oneOf": [
        {"type": "string", "description": "A ``user_id``."},
        {
            "type": "object",
            "required": ["user_id"],
            "properties": {"user_id": {"type": "string"}},
            "description": "As ``FeedRequest``; what it leaves out is said beside the list.",
        },
    ]
}
_BAD = (
    "invalid_json", "invalid_input", "body_too_slow", "body_too_large", "unsupported_media",
    "too_busy",
)  # fmt: skip
_CURSOR = ("cursor_invalid", "cursor_expired")
_WRITE = (*_BAD, "overloaded", "log_unavailable")
_KEYED = ("unauthorised", "forbidden", "rate_limited")
"""What any route that needs a key may answer."""
_ANY = ("head_too_large",)
"""What any route may answer."""
_OBJECT: dict[str, Any] = {"type": "object"}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        path="/v1/feed", method="get", summary="The next page of a viewer's feed.", scope="feed",
        query=True, reply=_ref(FeedReply),
        problems=("invalid_input", "unknown_parameter", "undeclared_value", *_CURSOR, "gave_way"),
    ),
    Operation(
        path="/v1/feed", method="post", summary="The same, with the request in the body.",
        scope="feed", body=_ref(FeedRequest), reply=_ref(FeedReply),
        problems=(*_BAD, "undeclared_value", *_CURSOR, "gave_way"),
    ),
    Operation(
        path="/v1/feeds", method="post",
        summary="Feeds of up to 500 viewers, each on its own; made between those people wait for.",
        scope="feed", body=_ref(FeedsRequest), reply=_ref(FeedsReply),
        problems=(*_BAD, "overloaded", "gave_way"),
    ),
    Operation(
        path="/v1/feed/preview", method="post", scope="control",
        summary="A feed with what each stage did; nothing is recorded.",
        body=_ref(FeedRequest), reply=_OBJECT,
        problems=(*_BAD, "undeclared_value", *_CURSOR),
    ),
    Operation(
        path="/v1/events", method="post", summary="Take up to 1,000 events, durably.",
        scope="events", body=_EVENTS, status=202, reply=_ref(EventsReply), problems=_WRITE,
    ),
    Operation(
        path="/v1/videos", method="post", summary="Post or replace videos.", scope="catalogue",
        body=_one_or_many(Video), status=202, reply=_ref(VideosReply),
        problems=(*_WRITE, "undeclared_value", "video_key_taken", "item_capacity"),
    ),
    Operation(
        path="/v1/videos/{video_id}", method="get", summary="One catalogue entry.",
        scope="catalogue", parameters=(_VIDEO_ID,), reply=_ref(VideoView),
        problems=("not_found", "user_store_unavailable"),
    ),
    Operation(
        path="/v1/videos/{video_id}", method="delete", summary="Take a video out of every feed.",
        scope="catalogue", parameters=(_VIDEO_ID,), status=202, reply=_ref(VideosReply),
        problems=("invalid_input", "overloaded", "log_unavailable", "too_busy"),
    ),
    Operation(
        path="/v1/videos/{video_id}/similar", method="get", summary="Videos nearest to one.",
        scope="feed", parameters=(_VIDEO_ID, _SIZE), reply=_NAMED,
        problems=("invalid_input", "not_found", "user_store_unavailable"),
    ),
    Operation(
        path="/v1/trending", method="get", summary="What a region watches most now.",
        scope="feed", parameters=(_SIZE, _REGION), reply=_NAMED,
        problems=("invalid_input", "undeclared_value"),
    ),
    Operation(
        path="/v1/users", method="post", summary="Tell facts of viewers.", scope="catalogue",
        body=_one_or_many(User), status=202, reply=_ref(UsersReply),
        problems=(*_WRITE, "undeclared_value"),
    ),
    Operation(
        path="/v1/status", method="get", summary="How the deployment is doing.",
        scope="metrics", reply=_ref(Status),
    ),
    Operation(path="/livez", method="get", summary="The process lives.", scope=None, reply=_OBJECT),
    Operation(
        path="/readyz", method="get", summary="The port takes work.", scope=None, reply=_OBJECT,
        problems=("draining",),
    ),
)  # fmt: skip
"""Every documented operation; ``/metrics`` and ``/openapi.json`` serve tools."""


@lru_cache(maxsize=1)
def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of this version."""
    _, components = msgspec.json.schema_components(_MESSAGES, ref_template=_REF)
    components["FeedsRequest"]["properties"]["feeds"]["items"] = _ENTRY
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Playbill", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.method
        + operation.path.replace("/", "_").replace("{", "").replace("}", ""),
        "summary": operation.summary,
        "responses": {
            str(operation.status): {
                "description": operation.summary,
                "content": {"application/json": {"schema": operation.reply}},
            }
        },
    }
    parameters = list(operation.parameters)
    if operation.query:
        parameters += _query_parameters()
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": operation.body}},
        }
    if operation.scope:
        described["security"] = [{}, {"key": []}]
    codes = [*operation.problems, *(_KEYED if operation.scope else ()), *_ANY]
    for code in codes:
        status, text = PROBLEMS[code]
        described["responses"].setdefault(
            str(status),
            {
                "description": text,
                "content": {"application/json": {"schema": _ref(ProblemReply)}},
            },
        )
    return described


def _query_parameters() -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components((FeedRequest,), ref_template=_REF)
    schema = components["FeedRequest"]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema["required"],
            "schema": {key: value for key, value in field.items() if key != "default"},
        }
        for name, field in schema["properties"].items()
    ]
