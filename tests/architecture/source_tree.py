"""The source, parsed, for tests that ask it questions."""

import ast
from functools import cache
from pathlib import Path

import playbill

SOURCE = Path(playbill.__file__).parent
STATIONS = sorted(
    path.name for path in SOURCE.iterdir() if path.is_dir() and any(path.rglob("*.py"))
)


def files(*stations: str) -> list[Path]:
    """Return the files of some stations, of all and the root's own when none is named."""
    folders = [SOURCE / station for station in stations] or [SOURCE]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def short(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def names_of_imports(path: Path) -> dict[str, str]:
    """Return what each imported name of a file stands for, in full."""
    meanings: dict[str, str] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                meanings[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return meanings


def imported_modules(path: Path) -> set[str]:
    """Return the modules that a file names in its imports."""
    modules: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or ".")
    return modules


def dotted(node: ast.AST) -> list[str] | None:
    """Return the parts of ``a.b.c``, None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [*parts, node.id][::-1] if isinstance(node, ast.Name) else None


@cache
def uses(path: Path) -> list[tuple[str, ast.AST]]:
    """Return each use of an imported name, spelt in full as ``module.name``, and where."""
    meanings = names_of_imports(path)
    found: list[tuple[str, ast.AST]] = []
    for node in ast.walk(tree(path)):
        parts = dotted(node)
        if parts and parts[0] in meanings:
            found.append((".".join([meanings[parts[0]], *parts[1:]]), node))
    return found
