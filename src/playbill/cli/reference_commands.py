"""docs/commands.md: every command with its options, and the exit codes."""

import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from playbill.cli import shared
from playbill.cli.describing import page, table, texts_below


def commands_page(app: typer.Typer) -> str:
    """Return the page of all commands with their options, and the exit codes."""
    codes = texts_below(shared)
    rows = [
        (str(getattr(shared, name)), text) for name, text in codes.items() if name[:5] == "EXIT_"
    ]
    parts = [
        "# Commands",
        (
            "Every command explains itself with `--help`. Those with `--json` print one JSON value "
            "for programs on standard output; progress and errors go to standard error."
        ),
        "## Exit codes",
        table(("code", "meaning"), [("0", "It went well, and the answer is yes."), *rows]),
    ]
    for name, call, hidden in commands(app):
        parts += [f"## playbill {name}", inspect.getdoc(call) or ""]
        if hidden:
            parts.append("For people who work on Playbill; `playbill --help` leaves it out.")
        options = [_option_row(option) for option in options_of(call)]
        if options:
            parts.append(table(("option", "type", "default", "meaning"), options))
        for option in options_of(call):
            parts += _choices(option)
    return page(parts)


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
            names = _written(info)
            if not names:
                names = (f"--{word}", f"--no-{word}") if kind is bool else (f"--{word}",)
        yield Option(names, kind, parameter.default, (info.help or "") + _range(info))


def _range(info: Any) -> str:
    """Return the range of a number in words, behind what its help says."""
    ends = (("at least", info.min), ("at most", info.max))
    said = ", ".join(f"{which} {end}" for which, end in ends if end is not None)
    return f" {said.capitalize()}." if said else ""


def _written(info: Any) -> tuple[str, ...]:
    """Return the names given to ``typer.Option``, whose first one lands in ``default``."""
    given = (info.default, *(info.param_decls or ()))
    return tuple(name for name in given if isinstance(name, str) and name.startswith("-"))


def _option_row(option: Option) -> tuple[str, ...]:
    kind = option.kind
    if isinstance(kind, types.UnionType):
        kind = next(one for one in typing.get_args(kind) if one is not types.NoneType)
    words = {
        bool: "switch",
        int: "integer",
        float: "number",
        Path: "path",
        str: "text",
        datetime: "date or instant",
    }
    if typing.get_origin(kind) is list:
        written = "text, may repeat"
    elif issubclass(kind, enum.Enum):
        written = "one of " + ", ".join(f"`{one.value}`" for one in kind)
    else:
        written = words[kind]
    default = "" if option.default is None or option.default is False else f"`{option.default}`"
    if option.default is inspect.Parameter.empty:
        default = "needed"
    return (" / ".join(f"`{name}`" for name in option.names), written, default, option.help)


def _choices(option: Option) -> Iterator[str]:
    if isinstance(option.kind, type) and issubclass(option.kind, enum.Enum):
        texts = texts_below(option.kind)
        rows = [(f"`{one.value}`", texts[one.name]) for one in option.kind if one.name in texts]
        if rows:
            yield table((option.names[0], "meaning"), rows)
