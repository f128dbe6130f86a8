import ast
from pathlib import Path

import pytest

import playbill.contracts

FILES = sorted(Path(playbill.contracts.__file__).parent.glob("*.py"))


def is_text(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def structs(path):
    """Yield the message and settings classes of a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and "msgspec.Struct" in map(ast.unparse, node.bases):
            yield node


def unsaid_fields(struct):
    """Return the fields of a struct that no docstring follows."""
    followers = [*struct.body[1:], None]
    return [
        node.target.id
        for node, after in zip(struct.body, followers, strict=True)
        if isinstance(node, ast.AnnAssign) and not (after and is_text(after))
    ]


def test_the_walk_finds_the_structs_it_is_about():
    found = {struct.name for path in FILES for struct in structs(path)}
    assert found >= {"Settings", "AdmissionSettings", "Event", "Video", "User", "FeedReply"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_field_of_settings_and_messages_says_what_it_means(path):
    unsaid = {struct.name: unsaid_fields(struct) for struct in structs(path)}
    assert {name: fields for name, fields in unsaid.items() if fields} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_message_is_frozen_and_named_by_keyword(path):
    for struct in structs(path):
        options = {option.arg for option in struct.keywords}
        assert {"frozen", "kw_only"} <= options, struct.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_field_means_is_said_in_whole_sentences(path):
    for struct in structs(path):
        for node in struct.body:
            if is_text(node):
                said = node.value.value.strip()
                assert said.endswith((".", "?")), f"{struct.name}: {said}"
