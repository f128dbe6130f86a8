"""What the command line prints: words of data as they are, whatever brackets they hold."""

import pytest
from rich.console import Console
from typer.testing import CliRunner

from playbill.app.doctor_network import Finding
from playbill.app.process import explained as explained_process
from playbill.cli import care, shared
from playbill.cli.main import app
from playbill.cli.progress import Stages
from playbill.cli.shared import explained
from playbill.core import BrokenContract, DependencyUnavailable, InvalidInput

MARKUP = ["[events] is gone", "see [/x]", "[bold]loud[/bold]", r"\[escaped]"]


@pytest.mark.parametrize("words", MARKUP)
@pytest.mark.parametrize(("kind", "status"), [(InvalidInput, 2), (DependencyUnavailable, 3)])
def test_a_message_and_its_hint_are_printed_as_they_are(capsys, words, kind, status):
    with pytest.raises(shared.typer.Exit) as ended, explained():
        raise kind(words, hint=f"hint {words}")
    assert ended.value.exit_code == status
    said = capsys.readouterr().err
    assert f"playbill: {words}" in said
    assert f"  hint {words}" in said


@pytest.mark.parametrize("words", MARKUP)
def test_findings_of_the_doctor_are_printed_as_they_are(monkeypatch, tmp_path, words):
    finding = Finding(check="bundle", level="warning", message=words, fix=f"fix {words}")
    monkeypatch.setattr(care, "examine", lambda wiring: [finding])
    said = CliRunner().invoke(app, ["doctor", "--home", str(tmp_path / "home")])
    assert said.exit_code == 0, said.exception
    assert f"warning  bundle       {words}" in said.output
    assert f"→ fix {words}" in said.output


@pytest.mark.parametrize("words", MARKUP)
@pytest.mark.parametrize("terminal", [False, True])
def test_the_name_of_a_stage_is_printed_as_it_is(words, terminal):
    console = Console(force_terminal=terminal, width=120, color_system=None)
    with console.capture() as said, Stages(console) as stages:
        stages(words, 0.5)
    assert words in said.get()


@pytest.mark.parametrize("words", MARKUP)
def test_a_process_explains_itself_as_it_is(capsys, words):
    with pytest.raises(SystemExit), explained_process():
        raise DependencyUnavailable(words)
    assert capsys.readouterr().err == f"playbill: {words}\n"


@pytest.mark.parametrize("border", [explained, explained_process])
def test_a_bug_of_ours_is_not_told_as_a_mistake_of_the_caller(border, capsys):
    with pytest.raises(BrokenContract, match="torn"), border():
        raise BrokenContract("torn")
    assert capsys.readouterr().err == ""
