"""Links lead somewhere, cited decisions exist, and the changelog knows the version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documents import ROOT, documents, our_documents, prose

import playbill

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_DECISION = re.compile(r"[Dd]ecisions?[ /](\d{4})(-[a-z0-9-]+\.md)?")
_DOCUMENT = re.compile(r"docs/[a-z0-9/-]+\.md")
DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))
CODE = [
    path
    for folder in ("src", "tests", "bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != Path(__file__)
]


def links(path: Path) -> list[str]:
    return [link for link in _LINK.findall(prose(path)) if "://" not in link]


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", head.lower()).replace(" ", "-") for head in heads}


def broken(path: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    return not target.exists() or bool(anchor and anchor not in anchors(target))


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert [link for link in links(path) if broken(path, link)] == []


def test_a_link_to_nothing_is_noticed() -> None:
    assert broken(ROOT / "README.md", "docs/nowhere.md")
    assert broken(ROOT / "README.md", "docs/http.md#no-such-heading")
    assert not broken(ROOT / "README.md", "docs/http.md#tiers")


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md" or not path.is_file():
            continue
        reached.add(path)
        for link in links(path):
            target = (path.parent / link.partition("#")[0]).resolve()
            waiting.append(target / "README.md" if target.is_dir() else target)
    ours = set(our_documents())
    assert sorted(str(path.relative_to(ROOT)) for path in ours - reached) == []


def test_every_decision_that_the_code_cites_exists() -> None:
    known = {path.name[:4]: path.name for path in DECISIONS}
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in CODE
        for found in _DECISION.finditer(path.read_text("utf-8"))
        if found[1] not in known or (found[2] and known[found[1]] != found[1] + found[2])
    ]
    assert wrong == []


def test_every_document_that_the_code_cites_exists() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in CODE
        if ROOT / "src" in path.parents
        for name in _DOCUMENT.findall(path.read_text("utf-8"))
        if not (ROOT / name).is_file()
    ]
    assert wrong == []


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_says_what_was_turned_down_and_is_listed(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.name[:4]} ")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [head for head in heads if head in WANTED] == WANTED
    assert path.name in (ROOT / "docs/decisions/README.md").read_text("utf-8")


WANTED = ["Context", "Decision", "Turned down", "Consequences"]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(playbill.__version__)}\b", text, re.MULTILINE)
