import io

from rich.console import Console

from playbill.cli.progress import Stages


def _said(*, terminal: bool, quiet: bool = False) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=80)
    with Stages(console, quiet=quiet) as stages:
        for step in range(101):
            stages("read", step / 100)
        stages("write", 0.0)
        stages("write", 1.0)
    return written.getvalue()


def test_in_a_log_each_quarter_of_a_stage_is_a_line_as_it_happens():
    lines = [line.split(" s  ")[1] for line in _said(terminal=False).splitlines()]
    read = [f"read  {percent} %" for percent in (0, 25, 50, 75, 100)]
    assert lines == [*read, "write  0 %", "write  100 %"]


def test_a_terminal_gets_bars():
    said = _said(terminal=True)
    assert "\x1b[" in said
    assert "read" in said
    assert "100 %" in said


def test_quiet_says_nothing():
    assert _said(terminal=False, quiet=True) == _said(terminal=True, quiet=True) == ""


def test_after_it_was_stopped_it_draws_over_nothing():
    written = io.StringIO()
    with Stages(Console(file=written, force_terminal=True, width=80)) as stages:
        stages("read", 1.0)
        stages.stop()
        before = written.getvalue()
        stages("read", 1.0)
    assert written.getvalue() == before
