"""What the documents say can be typed exists: commands, options, targets, settings."""

from __future__ import annotations

import tomllib

import msgspec
import pytest
from commands_known import COMMANDS, command_of, objection
from documents import Block, blocks, documents, inline_code, our_documents

from playbill.contracts import Settings

CONSOLE = [
    block for path in our_documents() for block in blocks(path) if block.language == "console"
]
TOML = [block for path in documents() for block in blocks(path) if block.language == "toml"]
FENCES = {"sh", "json", "python", "console", "toml", "text", "ini", "dockerfile"}
SECTIONS = {
    field.name: {inner.name for inner in msgspec.structs.fields(field.type)}
    for field in msgspec.structs.fields(Settings)
    if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
}


def typed(block: Block) -> list[str]:
    return [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("block", CONSOLE, ids=lambda block: block.place)
def test_every_command_that_is_shown_exists(block: Block) -> None:
    objections = {line: objection(line) for line in typed(block)}
    assert {line: why for line, why in objections.items() if why} == {}


def test_an_invented_command_an_invented_option_and_a_wrong_choice_are_noticed() -> None:
    assert objection("playbill up --home x") is None
    assert objection("make demo EXIT=1") is None
    assert objection("playbill fly")
    assert objection("playbill up --fast")
    assert objection("playbill drill coffee-machine")
    assert objection("playbill drill")
    assert objection("make money")


@pytest.mark.parametrize("path", our_documents(), ids=lambda path: path.name)
def test_every_command_that_is_mentioned_exists(path) -> None:
    mentioned = [code.split() for code in inline_code(path) if code.startswith("playbill ")]
    groups = {name.split()[0] for name in COMMANDS}
    known = [
        words
        for words in mentioned
        if command_of(words[1:]) or words[1].isupper() or words[1].startswith("-")
    ]
    unknown = [words for words in mentioned if words not in known and words[1] not in groups]
    assert unknown == []


@pytest.mark.parametrize("path", our_documents(), ids=lambda path: path.name)
def test_every_setting_that_is_mentioned_exists(path) -> None:
    dotted = [code.split(".") for code in inline_code(path) if code.count(".") == 1]
    named = [parts for parts in dotted if parts[0] in SECTIONS and parts[1].isidentifier()]
    assert [parts for parts in named if parts[1] not in SECTIONS[parts[0]]] == []


@pytest.mark.parametrize("block", TOML, ids=lambda block: block.place)
def test_every_settings_file_that_is_shown_can_be_read(block: Block) -> None:
    tables = tomllib.loads(block.text)
    if "events" not in tables:
        msgspec.convert(tables, Settings)


def test_every_fence_says_what_it_is() -> None:
    odd = [
        f"{block.place} {block.language!r}"
        for path in our_documents()
        for block in blocks(path)
        if block.language not in FENCES
    ]
    assert odd == []
