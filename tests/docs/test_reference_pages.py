"""The reference pages are what the code says now, and they leave nothing out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from documents import ROOT
from prometheus_client.metrics_core import CounterMetricFamily
from typer.testing import CliRunner

from playbill.cli.main import app
from playbill.cli.reference import pages
from playbill.cli.reference_commands import commands, options_of
from playbill.cli.reference_http import MESSAGES
from playbill.contracts import (
    PROBLEMS,
    REASONS,
    REJECTIONS,
    ServingSettings,
    Settings,
    Status,
    SurfacePolicy,
    Tier,
)
from playbill.core import FOREIGN_REQUEST, request_key
from playbill.features import FEATURE_NAMES
from playbill.serving import Board
from playbill.serving.http.health import Health
from playbill.serving.http.openapi import OPERATIONS, openapi_document

PAGES = pages(app)


def settings(struct, path=""):
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from settings(field.type, f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}"
    if struct is ServingSettings:
        yield from settings(SurfacePolicy, f"{path}policies.NAME.")


def missing(names, page):
    return [name for name in names if f"`{name}`" not in PAGES[page]]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says_now(name: str) -> None:
    path = ROOT / "docs" / name
    assert path.read_text("utf-8") == PAGES[name], "run make docs"


def test_every_setting_is_documented_with_a_meaning() -> None:
    assert missing(settings(Settings), "settings.md") == []
    assert "|  |\n" not in PAGES["settings.md"]


def test_every_route_is_documented() -> None:
    routes = [f"{one.method.upper()} {one.path}" for one in OPERATIONS]
    assert missing([*routes, "GET /metrics", "GET /openapi.json"], "http.md") == []


def test_every_message_and_every_field_of_it_is_documented() -> None:
    shown = {message.__name__ for message in MESSAGES}
    assert set(openapi_document()["components"]["schemas"]) - shown <= {
        "EventType",
        "Priority",
        "Tier",
    }
    for message in MESSAGES:
        section = PAGES["http.md"].partition(f"### {message.__name__}\n")[2].partition("\n#")[0]
        fields = [field.name for field in msgspec.structs.fields(message)]
        assert [name for name in fields if f"| `{name}` |" not in section] == []


def test_whose_a_request_id_is_stands_where_an_event_is_described() -> None:
    assert request_key("7" + "f" * 15) < FOREIGN_REQUEST <= request_key("8" + "0" * 15)
    section = PAGES["http.md"].partition("### Event\n")[2].partition("\n#")[0]
    (said,) = [line for line in section.splitlines() if line.startswith("| `request_id`")]
    assert "our replies begin with 0 to 7" in said
    assert "ids that begin with 8 to f" in said


@pytest.mark.parametrize(
    "codes", [PROBLEMS, REJECTIONS, REASONS, [tier.value for tier in Tier]], ids=str
)
def test_every_code_is_documented(codes) -> None:
    assert missing(codes, "http.md") == []


def test_every_command_and_every_option_is_documented() -> None:
    page = PAGES["commands.md"]
    for name, call, _ in commands(app):
        section = page.partition(f"## playbill {name}\n")[2].partition("\n## ")[0]
        assert section, name
        options = [word for option in options_of(call) for word in option.names]
        assert [word for word in options if f"`{word}`" not in section] == []


def test_the_options_that_are_documented_are_those_that_are_taken() -> None:
    """The page reads signatures; what Typer made of them is asked here."""
    for name, call, _ in commands(app):
        printed = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200"}).output
        options = [option.names[0] for option in options_of(call)]
        assert [word for word in options if word.lower() not in printed.lower()] == [], name


def test_every_feature_is_documented() -> None:
    assert missing(FEATURE_NAMES, "features.md") == []


class NoStatus:
    def read(self) -> Status:
        numbers = {field.name: 0 for field in msgspec.structs.fields(Status)}
        return Status(**{**numbers, "tiers": {}, "bundle": None})


def test_every_metric_is_documented(tmp_path: Path) -> None:
    health = Health(Board(tmp_path / "board", create=True), NoStatus())
    names = [
        family.name + "_total" * isinstance(family, CounterMetricFamily)
        for family in health.collect()
    ]
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    assert [name for name in names if f"`{name}`" not in text] == []


def test_a_stale_page_is_named_and_costs_exit_code_1(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(app, ["reference", "--write", str(tmp_path)]).exit_code == 0
    assert run(app, ["reference", "--check", str(tmp_path)]).exit_code == 0
    (tmp_path / "http.md").write_text("old")
    found = run(app, ["reference", "--check", str(tmp_path)])
    assert found.exit_code == 1
    assert "http.md is stale" in " ".join(found.output.split())
