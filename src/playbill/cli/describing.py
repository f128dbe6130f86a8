"""What the reference pages are made of: texts from the source, types in words, tables."""

import ast
import inspect
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from msgspec import inspect as shapes

_NOTE = "<!-- Written by `playbill reference --write docs`. Change the code, not this page. -->"


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


def words(shape: Any) -> tuple[str, str]:
    """Return a type of ``msgspec.inspect`` in words, and its range in words."""
    match shape:
        case shapes.UnionType():
            inner = [one for one in shape.types if not isinstance(one, shapes.NoneType)]
            named = [words(one) for one in inner]
            return " or ".join(kind for kind, _ in named), "; ".join(s for _, s in named if s)
        case shapes.ListType() | shapes.VarTupleType():
            kind, _ = words(shape.item_type)
            return f"list of {kind}", _span(shape.min_length, shape.max_length, "entries")
        case shapes.DictType():
            return f"table of {words(shape.key_type)[0]} to {words(shape.value_type)[0]}", ""
        case shapes.StructType():
            return f"[{shape.cls.__name__}](#{shape.cls.__name__.lower()})", ""
        case shapes.EnumType():
            return "one of " + ", ".join(f"`{one.value}`" for one in shape.cls), ""
        case shapes.LiteralType():
            return "one of " + ", ".join(f"`{one}`" for one in shape.values), ""
        case shapes.StrType():
            return "text", _span(shape.min_length, shape.max_length, "characters")
        case shapes.DateTimeType():
            return "RFC 3339 text", ""
        case shapes.BoolType():
            return "true or false", ""
        case shapes.IntType():
            return "integer", _limits(shape)
        case shapes.AnyType():
            return "text or object", ""
        case _:
            return "number", _limits(shape)


def _span(least: int | None, most: int | None, noun: str) -> str:
    if most is None:
        return f"at least {least} {noun}" if least else ""
    return f"{least} to {most:,} {noun}" if least else f"at most {most:,} {noun}"


def _limits(shape: Any) -> str:
    bounds = (
        (shape.gt, "above"),
        (shape.ge, "at least"),
        (shape.lt, "below"),
        (shape.le, "at most"),
    )
    said = [(word, f"{value:,.16g}") for value, word in bounds if value is not None]
    if [word for word, _ in said] == ["at least", "at most"]:
        return f"{said[0][1]} to {said[1][1]}"
    return ", ".join(f"{word} {value}" for word, value in said)


def summary(thing: Any, *, whole: bool = False) -> str:
    """Return the first paragraph of a docstring on one line, or all of it."""
    text = inspect.getdoc(thing) or ""
    return marked(" ".join((text if whole else text.split("\n\n")[0]).split()))


def marked(text: str) -> str:
    """Return a docstring's text as Markdown."""
    return text.replace("``", "`")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(marked(c).replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines)


def page(parts: Sequence[str]) -> str:
    """Return a whole page, with the note that it was written from code."""
    return "\n\n".join([_NOTE, *parts]) + "\n"
