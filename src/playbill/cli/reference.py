"""``playbill reference``: the pages that say what there is, written from the code itself.

What a page says of a setting, a field or a drill is the text below it in the source, so a page
is stale exactly when the code moved; a test and ``--check`` say so.
"""

import enum
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import inspect as shapes

from playbill.cli.describing import page, summary, table, texts_below, words
from playbill.cli.reference_commands import commands_page
from playbill.cli.reference_http import http_page
from playbill.cli.shared import EXIT_NO, explained, out
from playbill.contracts import Settings
from playbill.features import definitions
from playbill.features.definitions import FEATURES, Fact, FactKind, Rate, Scope, Signal, Volume
from playbill.features.layout import SLOTS

_SETTINGS = (
    "One file, `playbill.toml` in the home folder. It is read when a process starts, so restart "
    "`playbill up` after a change. Every key has a default. A key that does not exist is refused, "
    "and the message names the nearest one that does."
)


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
        _SETTINGS,
        *_settings_of(Settings, "", "Top level"),
        "## Environment",
        table(
            ("variable", "what it says"),
            [
                ("`PLAYBILL_HOME`", "the home folder, where `--home` is not given"),
                ("`PLAYBILL_KEYS`", "the folder of keys; `keys` in the home folder when unset"),
            ],
        ),
    ]
    return page(parts)


def _settings_of(struct: Any, path: str, heading: str) -> Iterator[str]:
    texts, defaults = texts_below(struct), struct()
    rows: list[tuple[str, ...]] = []
    tables: list[tuple[str, Any]] = []
    for field in msgspec.structs.fields(struct):
        shape = shapes.type_info(field.type)
        name = f"{path}{field.name}"
        if isinstance(shape, shapes.StructType):
            tables.append((name, shape.cls))
        else:
            inner = shape.value_type if isinstance(shape, shapes.DictType) else None
            kind, span = words(shape)
            if isinstance(inner, shapes.StructType):
                kind = "table of tables, as below"
                tables.append((f"{name}.NAME", inner.cls))
            default = msgspec.json.encode(getattr(defaults, field.name)).decode()
            rows.append((f"`{name}`", kind, span, f"`{default}`", texts.get(field.name, "")))
    yield f"## {heading}"
    yield summary(struct, whole=True)
    yield table(("setting", "type", "range", "default", "meaning"), rows)
    for one in _values(struct):
        yield f"### {one.__name__}"
        yield summary(one)
        yield table(("key", "type", "range", "meaning"), list(_keys_of(one)))
    for name, inner in tables:
        yield from _settings_of(inner, f"{name}.", f"[{name}]")


def _values(struct: Any) -> list[Any]:
    """Return the tables that stand as values of settings, each once."""
    found: dict[Any, None] = {}
    for field in msgspec.structs.fields(struct):
        for one in getattr(shapes.type_info(field.type), "types", ()):
            if isinstance(one, shapes.StructType):
                found[one.cls] = None
    return list(found)


def _keys_of(struct: Any) -> Iterator[tuple[str, ...]]:
    texts = texts_below(struct)
    for field in msgspec.structs.fields(struct):
        yield (f"`{field.name}`", *words(shapes.type_info(field.type)), texts[field.name])


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
        table(
            ("feature", "scope", "kind", "of", "half-life", "read as"),
            [_feature_row(feature) for feature in FEATURES],
        ),
        "## Kinds",
        *(f"**{_word(kind)}.** {summary(kind, whole=True)}" for kind in (Rate, Volume, Fact)),
        "## Signals",
        "What one event adds.",
        table(("signal", "adds"), [(_word(one), signals[one.name]) for one in Signal]),
        "## Scopes",
        "Whose sums they are. Where a scope has a note, that is how a video reads it.",
        table(("scope", "note"), [(_word(one), scopes.get(one.name, "")) for one in Scope]),
        "## What is remembered",
        (
            f"{len(remembered)} decayed sums: every one halves in its half-life. See "
            "[decision 0005](decisions/0005-decayed-sums-with-a-landmark-of-their-own-row.md)."
        ),
        table(("scope", "sum of", "half-life"), remembered),
    ]
    return page(parts)


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


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text
