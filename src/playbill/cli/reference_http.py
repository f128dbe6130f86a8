"""docs/http.md: routes, scopes, messages, tiers, reasons and error codes."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect as shapes

from playbill import contracts
from playbill.cli.describing import marked, page, summary, table, texts_below, words
from playbill.contracts import PROBLEMS, REASONS, REJECTIONS, SCOPES, FeedRequest, Tier
from playbill.serving.http.openapi import OPERATIONS, Operation

MESSAGES = (
    contracts.FeedRequest,
    contracts.FeedReply,
    contracts.FeedItem,
    contracts.FeedsRequest,
    contracts.FeedsReply,
    contracts.FeedOutcome,
    contracts.Event,
    contracts.EventsReply,
    contracts.RejectedEvent,
    contracts.Video,
    contracts.VideosReply,
    contracts.VideoView,
    contracts.User,
    contracts.UsersReply,
    contracts.Status,
    contracts.ProblemReply,
    contracts.Problem,
)
"""Every message of the HTTP interface, in the order in which the page explains them."""

_TOOLS = (
    Operation(path="/metrics", method="get", scope="metrics", summary="Counters for Prometheus."),
    Operation(
        path="/openapi.json",
        method="get",
        scope=None,
        summary="This page, for programs.",
        reply={"type": "object"},
    ),
)
_TAKEN = 202
_PORTS = (
    "Feeds, writes, reads and the console answer on `http.port`. The collector, on "
    "`http.collector_port`, answers the routes marked *both* and no others. Bodies are JSON with "
    "`content-type: application/json`. The same facts for programs: `/openapi.json`."
)
_KEYS = (
    "Without `api_keys` in the settings every route is open. With one, a request needs the header "
    "`authorization: Bearer KEY`, and the key needs the route's scope; else the answer is "
    "`unauthorised` or `forbidden`."
)
_QUERY = (
    "Ranges and meanings: [FeedRequest](#feedrequest). `exclude` takes ids separated by commas, "
    "and may repeat. No other parameter is taken."
)


def http_page() -> str:
    """Return the page of routes, scopes, messages, tiers, reasons and error codes."""
    rows = [(f"`{code}`", str(status), marked(text)) for code, (status, text) in PROBLEMS.items()]
    tiers = texts_below(Tier)
    parts = [
        "# HTTP",
        _PORTS,
        _KEYS,
        "## Routes",
        table(("route", "port", "scope", "what it does"), [_route_row(o) for o in _operations()]),
        "## Scopes",
        table(("scope", "opens"), [(f"`{scope}`", _opened(scope)) for scope in SCOPES]),
        "## Each route",
        *(part for operation in _operations() for part in _route(operation)),
        "## Messages",
        *(part for message in MESSAGES for part in _message(message)),
        "## Tiers",
        "Best first. The reply always names one.",
        table(("tier", "meaning"), [(f"`{t.value}`", marked(tiers[t.name])) for t in Tier]),
        "## Reasons",
        "`reasons` in a feed reply: why this tier, and everything else that was not as usual.",
        table(("reason", "meaning"), [(f"`{r}`", marked(text)) for r, text in REASONS.items()]),
        "## Problems",
        'Every reply that is not a success is `{"error": {"code", "message", "hint", "field"}}`.',
        table(("code", "status", "meaning"), rows),
        "## Rejections",
        "Why one event of a batch was not taken; the others of the batch were.",
        table(("code", "meaning"), [(f"`{c}`", marked(t)) for c, t in REJECTIONS.items()]),
    ]
    return page(parts)


def _operations() -> Sequence[Operation]:
    return (*OPERATIONS, *_TOOLS)


def _route_row(operation: Operation) -> tuple[str, ...]:
    both = operation.status == _TAKEN or operation.path.count("/") == 1
    scope = f"`{operation.scope}`" if operation.scope else "open"
    return (_named(operation), "both" if both else "feeds", scope, operation.summary)


def _opened(scope: str) -> str:
    return ", ".join(_named(o) for o in _operations() if o.scope == scope)


def _named(operation: Operation) -> str:
    return f"`{operation.method.upper()} {operation.path}`"


def _route(operation: Operation) -> Iterator[str]:
    yield f"### {operation.method.upper()} {operation.path}"
    yield operation.summary
    rows = [
        (f"`{p['name']}`", p["in"], _schema(p["schema"]), "yes" if p["required"] else "")
        for p in operation.parameters
    ]
    if operation.query:
        rows += [
            (f"`{field.name}`", "query", words(shapes.type_info(field.type))[0], _needed(field))
            for field in msgspec.structs.fields(FeedRequest)
        ]
    if rows:
        yield table(("parameter", "in", "type", "needed"), rows)
    if operation.query:
        yield _QUERY
    lines = []
    if operation.body is not None:
        lines.append(f"- Body: {_schema(operation.body)}.")
    lines.append(f"- Success: {operation.status}, {_schema(operation.reply) or 'text'}.")
    if operation.problems:
        lines.append("- Problems: " + ", ".join(f"`{code}`" for code in operation.problems) + ".")
    yield "\n".join(lines)


def _schema(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "oneOf" in schema:
        return " or ".join(_schema(one) for one in schema["oneOf"])
    if schema.get("type") == "array":
        most = f"at most {schema['maxItems']:,} " if "maxItems" in schema else ""
        return f"a list of {most}{_schema(schema['items'])}"
    if "properties" in schema:
        inner = (f"`{name}` ({_schema(one)})" for name, one in schema["properties"].items())
        return (
            "objects with " + ", ".join(inner) if len(schema["properties"]) > 1 else "".join(inner)
        )
    if "minimum" in schema:
        return f"{schema['type']}, {schema['minimum']} to {schema['maximum']}"
    return "a JSON object" if schema.get("type") == "object" else str(schema.get("type", ""))


def _message(message: Any) -> Iterator[str]:
    yield f"### {message.__name__}"
    yield summary(message)
    texts = texts_below(message)
    rows = []
    for field in msgspec.structs.fields(message):
        shape = shapes.type_info(field.type)
        kind, span = words(shape)
        if field.required and isinstance(shape, shapes.UnionType) and shape.includes_none:
            kind += " or null"
        what = f"{kind}, {span}" if span else kind
        rows.append((f"`{field.name}`", what, _needed(field), marked(texts.get(field.name, ""))))
    yield table(("field", "type", "needed", "meaning"), rows)


def _needed(field: Any) -> str:
    return "yes" if field.required else ""
