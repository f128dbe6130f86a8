"""``playbill reference``: the pages that say what there is, written from the code itself.

What a page says of a setting, a field or a drill is the text below it in the source, so a page
is stale exactly when the code moved; a test and ``--check`` say so.
"""

import ast
import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import inspect as shapes

from playbill import contracts
from playbill.cli import shared
from playbill.cli.shared import EXIT_NO, explained, out
from playbill.contracts import PROBLEMS, REASONS, REJECTIONS, FeedRequest, Settings, Tier
from playbill.features import definitions
from playbill.features.definitions import FEATURES, Fact, FactKind, Rate, Scope, Signal, Volume
from playbill.features.layout import SLOTS
from playbill.serving.http.keys import SCOPES
from playbill.serving.http.openapi import OPERATIONS, Operation

MESSAGES = (
    contracts.FeedRequest,
    contracts.FeedReply,
    contracts.FeedItem,
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
    Operation(path="/openapi.json", method="get", scope=None, summary="This page, for programs."),
)
_NOTE = "<!-- Written by `playbill reference --write docs`. Change the code, not this page. -->"
_TAKEN = 202


def reference(
    write: Annotated[Path | None, typer.Option(help="Folder to write the pages into.")] = None,
    check: Annotated[Path | None, typer.Option(help="Folder whose pages must be current.")] = None,
) -> None:
    """Write the reference pages from the code, or say which ones are stale; exit 1 if any is."""
    from playbill.cli.main import app

    with explained():
        stale = []
        for name, text in pages(app).items():
            if write is not None:
                write.mkdir(parents=True, exist_ok=True)
                (write / name).write_text(text, "utf-8")
            if check is not None and not _holds(check / name, text):
                stale.append(name)
            out.print(f"{name}{'  is stale: run make docs' if name in stale else ''}")
        if stale:
            raise typer.Exit(EXIT_NO)


def pages(app: typer.Typer) -> dict[str, str]:
    """Return every reference page by file name."""
    return {
        "settings.md": settings_page(),
        "http.md": http_page(),
        "commands.md": commands_page(app),
        "features.md": features_page(),
    }


def settings_page() -> str:
    """Return the page of all settings: path, type, range, default, meaning."""
    parts = [
        "# Settings",
        "One file, `playbill.toml` in the home folder. It is read when a process starts; restart "
        "`playbill up` after a change. Every key has a default. A key that does not exist is "
        "refused, and the message names the nearest one that does.",
        *_settings_of(Settings, "", "Top level"),
        "## Environment",
        _table(
            ("variable", "what it says"),
            [
                ("`PLAYBILL_HOME`", "the home folder, where `--home` is not given"),
                ("`PLAYBILL_KEYS`", "the folder of keys; `keys` in the home folder when unset"),
            ],
        ),
    ]
    return _page(parts)


def _settings_of(struct: Any, path: str, heading: str) -> Iterator[str]:
    texts = texts_below(struct)
    rows: list[tuple[str, ...]] = []
    tables: list[tuple[str, Any]] = []
    for field in msgspec.structs.fields(struct):
        shape = shapes.type_info(field.type)
        name = f"{path}{field.name}"
        if isinstance(shape, shapes.StructType):
            tables.append((name, shape.cls))
        else:
            kind, span = _words(shape)
            default = msgspec.json.encode(field.default).decode()
            rows.append((f"`{name}`", kind, span, f"`{default}`", texts.get(field.name, "")))
    yield f"## {heading}"
    yield _summary(struct)
    yield _table(("setting", "type", "range", "default", "meaning"), rows)
    for name, inner in tables:
        yield from _settings_of(inner, f"{name}.", f"[{name}]")


def http_page() -> str:
    """Return the page of routes, scopes, messages, tiers, reasons and error codes."""
    rows = [(f"`{code}`", str(status), _marked(text)) for code, (status, text) in PROBLEMS.items()]
    tiers = texts_below(Tier)
    parts = [
        "# HTTP",
        "Feeds, writes, reads and the console answer on `http.port`. The collector on "
        "`http.collector_port` answers the routes marked *both*, and no others. Bodies are JSON "
        "with `content-type: application/json`. The same facts for programs: `/openapi.json`.",
        "Without `api_keys` in the settings every route is open. With one, a request needs the "
        "header `authorization: Bearer KEY` and the key needs the route's scope.",
        "## Routes",
        _table(("route", "port", "scope", "what it does"), [_route_row(o) for o in _operations()]),
        "## Scopes",
        _table(("scope", "opens"), [(f"`{scope}`", _opened(scope)) for scope in SCOPES]),
        "## Each route",
        *(part for operation in _operations() for part in _route(operation)),
        "## Messages",
        *(part for message in MESSAGES for part in _message(message)),
        "## Tiers",
        "Best first. The reply always names one.",
        _table(("tier", "meaning"), [(f"`{t.value}`", _marked(tiers[t.name])) for t in Tier]),
        "## Reasons",
        "`reasons` in a feed reply: why this tier, and everything else that was not as usual.",
        _table(("reason", "meaning"), [(f"`{r}`", _marked(text)) for r, text in REASONS.items()]),
        "## Problems",
        'Every reply that is not a success is `{"error": {"code", "message", "hint", "field"}}`.',
        _table(("code", "status", "meaning"), rows),
        "## Rejections",
        "Why one event of a batch was not taken; the others of the batch were.",
        _table(("code", "meaning"), [(f"`{c}`", _marked(t)) for c, t in REJECTIONS.items()]),
    ]
    return _page(parts)


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
            (f"`{field.name}`", "query", _words(shapes.type_info(field.type))[0], _needed(field))
            for field in msgspec.structs.fields(FeedRequest)
        ]
    if rows:
        yield _table(("parameter", "in", "type", "needed"), rows)
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
        most = f" of at most {schema['maxItems']:,}" if "maxItems" in schema else ""
        return f"a list{most} {_schema(schema['items'])}"
    if "properties" in schema:
        return "; ".join(f"`{n}`: {_schema(one)}" for n, one in schema["properties"].items())
    if "minimum" in schema:
        return f"{schema['type']}, {schema['minimum']} to {schema['maximum']}"
    return "a JSON object" if schema.get("type") == "object" else str(schema.get("type", ""))


def _message(message: Any) -> Iterator[str]:
    yield f"### {message.__name__}"
    yield _summary(message)
    texts = texts_below(message)
    rows = []
    for field in msgspec.structs.fields(message):
        kind, span = _words(shapes.type_info(field.type))
        what = f"{kind}, {span}" if span else kind
        rows.append((f"`{field.name}`", what, _needed(field), _marked(texts.get(field.name, ""))))
    yield _table(("field", "type", "needed", "meaning"), rows)


def _needed(field: Any) -> str:
    return "yes" if field.required else ""


def commands_page(app: typer.Typer) -> str:
    """Return the page of all commands with their options, and the exit codes."""
    codes = texts_below(shared)
    rows = [
        (str(getattr(shared, name)), text) for name, text in codes.items() if name[:5] == "EXIT_"
    ]
    parts = [
        "# Commands",
        "Every command explains itself with `--help`. Those with `--json` print one JSON value "
        "for programs on standard output; progress and errors go to standard error.",
        "## Exit codes",
        _table(("code", "meaning"), [("0", "It went well, and the answer is yes."), *rows]),
    ]
    for name, call, hidden in commands(app):
        parts += [f"## playbill {name}", inspect.getdoc(call) or ""]
        if hidden:
            parts.append("For people who work on Playbill; `playbill --help` leaves it out.")
        options = [_option_row(option) for option in options_of(call)]
        if options:
            parts.append(_table(("option", "type", "default", "meaning"), options))
        for option in options_of(call):
            parts += _choices(option)
    return _page(parts)


@dataclass(frozen=True, slots=True)
class Option:
    """One argument or option of a command: how it is written, and what it takes."""

    names: tuple[str, ...]
    kind: Any
    default: Any
    help: str


def commands(app: typer.Typer, before: str = "") -> Iterator[tuple[str, Callable[..., Any], bool]]:
    """Yield (name, function, whether it is hidden) of every command, groups' included."""
    for command in app.registered_commands:
        if command.callback is not None:
            yield f"{before}{command.name}", command.callback, bool(command.hidden)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{before}{group.name} ")


def options_of(call: Callable[..., Any]) -> Iterator[Option]:
    """Yield a command's arguments and options, in order."""
    hints = typing.get_type_hints(call, include_extras=True)
    for name, parameter in inspect.signature(call).parameters.items():
        kind, *notes = typing.get_args(hints[name])
        info: Any = notes[0]
        word = name.strip("_").replace("_", "-")
        if isinstance(info, typer.models.ArgumentInfo):
            names: tuple[str, ...] = (word.upper(),)
        else:
            names = tuple(info.param_decls or ())
            if not names:
                names = (f"--{word}", f"--no-{word}") if kind is bool else (f"--{word}",)
        yield Option(names, kind, parameter.default, info.help or "")


def _option_row(option: Option) -> tuple[str, ...]:
    kind = option.kind
    if isinstance(kind, types.UnionType):
        kind = next(one for one in typing.get_args(kind) if one is not types.NoneType)
    words = {bool: "switch", int: "integer", float: "number", Path: "path", str: "text"}
    if typing.get_origin(kind) is list:
        written = "text, may repeat"
    elif issubclass(kind, enum.Enum):
        written = "one of " + ", ".join(f"`{one.value}`" for one in kind)
    else:
        written = words[kind]
    default = "needed" if option.default is inspect.Parameter.empty else f"`{option.default}`"
    names = " / ".join(f"`{name}`" for name in option.names)
    return (names, written, "" if option.default in (None, False) else default, option.help)


def _choices(option: Option) -> Iterator[str]:
    if isinstance(option.kind, type) and issubclass(option.kind, enum.Enum):
        texts = texts_below(option.kind)
        rows = [(f"`{one.value}`", texts[one.name]) for one in option.kind if one.name in texts]
        if rows:
            yield _table((option.names[0], "meaning"), rows)


def features_page() -> str:
    """Return the page of all features: scope, what they remember, how they are read."""
    scopes, signals = texts_below(Scope), texts_below(Signal)
    remembered = [
        (_word(scope), _word(slot.signal), _lasting(slot.half_life_s))
        for scope in Scope
        for slot in SLOTS[scope]
    ]
    parts = [
        "# Features",
        " ".join((inspect.getdoc(definitions) or "").split("\n\n", 1)[1].split()),
        f"There are {len(FEATURES)}, in the order of their columns.",
        _table(
            ("feature", "scope", "kind", "of", "half-life", "read as"),
            [_feature_row(feature) for feature in FEATURES],
        ),
        "## Kinds",
        *(f"**{_word(kind)}.** {_summary(kind, whole=True)}" for kind in (Rate, Volume, Fact)),
        "## Signals",
        "What one event adds.",
        _table(("signal", "adds"), [(_word(one), signals[one.name]) for one in Signal]),
        "## Scopes",
        "Whose sums they are. Where a scope has a note, that is how a video reads it.",
        _table(("scope", "note"), [(_word(one), scopes.get(one.name, "")) for one in Scope]),
        "## What is remembered",
        f"{len(remembered)} decayed sums: every one halves in its half-life. See "
        "[decision 0005](decisions/0005-decayed-sums-with-a-landmark-of-their-own-row.md).",
        _table(("scope", "sum of", "half-life"), remembered),
    ]
    return _page(parts)


def _feature_row(feature: definitions.Feature) -> tuple[str, ...]:
    kind = _word(type(feature))
    if isinstance(feature, Fact):
        return (f"`{feature.name}`", "", kind, "", "", texts_below(FactKind)[feature.fact.name])
    lasting = _lasting(feature.half_life_s)
    scope, of = _word(feature.scope), _word(feature.of)
    if isinstance(feature, Volume):
        return (f"`{feature.name}`", scope, kind, of, lasting, f"log(1 + {of})")
    per, prior = _word(feature.per), feature.prior * feature.strength
    read = f"({of} + {prior:g}) / ({per} + {feature.strength:g})"
    return (f"`{feature.name}`", scope, kind, f"{of} per {per}", lasting, read)


def _lasting(seconds: int) -> str:
    hours, days = seconds / definitions.HOURS, seconds / definitions.DAYS
    return f"{days:g} d" if days >= 1 else f"{hours:g} h"


def _word(named: Any) -> str:
    name = named.name if isinstance(named, enum.Enum) else named.__name__
    return str(name).lower().replace("_", " ")


@lru_cache(maxsize=1024)
def texts_below(owner: Any) -> dict[str, str]:
    """Return what the source says below each field of a class, or each constant of a module."""
    module = owner if inspect.ismodule(owner) else sys.modules[owner.__module__]
    tree: Any = ast.parse(inspect.getsource(module))
    if owner is not module:
        (tree,) = (
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and node.name == owner.__name__
        )
    texts: dict[str, str] = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.Assign | ast.AnnAssign) and isinstance(text, ast.Expr):
            target = field.target if isinstance(field, ast.AnnAssign) else field.targets[0]
            if isinstance(text.value, ast.Constant) and isinstance(target, ast.Name):
                texts[target.id] = " ".join(str(text.value.value).split())
    return texts


def _words(shape: Any) -> tuple[str, str]:
    """Return a type in words, and its range in words."""
    match shape:
        case shapes.UnionType():
            inner = [one for one in shape.types if not isinstance(one, shapes.NoneType)]
            named = [_words(one) for one in inner]
            return " or ".join(kind for kind, _ in named), "; ".join(s for _, s in named if s)
        case shapes.ListType() | shapes.VarTupleType():
            kind, _ = _words(shape.item_type)
            return f"list of {kind}", _span(shape.min_length, shape.max_length, "entries")
        case shapes.DictType():
            return f"table of {_words(shape.key_type)[0]} to {_words(shape.value_type)[0]}", ""
        case shapes.StructType():
            return f"[{shape.cls.__name__}](#{shape.cls.__name__.lower()})", ""
        case shapes.EnumType():
            return "one of " + ", ".join(f"`{one.value}`" for one in shape.cls), ""
        case shapes.StrType():
            return "text", _span(shape.min_length, shape.max_length, "characters")
        case shapes.DateTimeType():
            return "RFC 3339 text", ""
        case shapes.BoolType():
            return "true or false", ""
        case shapes.IntType():
            return "integer", _limits(shape)
        case _:
            return "number", _limits(shape)


def _span(least: int | None, most: int | None, noun: str) -> str:
    if most is None:
        return f"at least {least} {noun}" if least else ""
    return f"{least} to {most:,} {noun}" if least else f"at most {most:,} {noun}"


def _limits(shape: Any) -> str:
    least = f"above {shape.gt:,g}" if shape.gt is not None else ""
    least = least or (f"{shape.ge:,}" if shape.ge is not None else "")
    most = f"below {shape.lt:,g}" if shape.lt is not None else ""
    most = most or (f"{shape.le:,}" if shape.le is not None else "")
    if least and most:
        return (
            f"{least} to {most}"
            if shape.gt is None
            else f"{least}, {'at most ' * (shape.lt is None)}{most}"
        )
    return f"at least {least}" if least and shape.gt is None else least or most


def _summary(thing: Any, *, whole: bool = False) -> str:
    text = inspect.getdoc(thing) or ""
    return _marked(" ".join(text.split()) if whole else " ".join(text.split("\n\n")[0].split()))


def _marked(text: str) -> str:
    return text.replace("``", "`")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_marked(c).replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines)


def _page(parts: Sequence[str]) -> str:
    return "\n\n".join([_NOTE, *parts]) + "\n"


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text
