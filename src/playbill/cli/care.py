"""``playbill doctor``, ``drill`` and ``warm``: looking after a home and its machine."""

from typing import Annotated

import typer
from rich.text import Text

from playbill.app.compiling import compile_kernels
from playbill.app.doctor import examine
from playbill.app.verbs import Home
from playbill.cli.progress import Stages
from playbill.cli.shared import EXIT_NO, HomeOption, JsonOption, explained, out, print_json
from playbill.serving import Drill

_COLOURS = {"ok": "green", "note": "cyan", "warning": "yellow", "problem": "bold red"}


def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """Look at the environment, the disk, ports, keys, log, state and bundle; say what to do."""
    with explained():
        findings = examine(Home(home).wiring)
        if json:
            print_json(findings)
        else:
            for finding in findings:
                level = (f"{finding.level:8}", _COLOURS[finding.level])
                line = Text.assemble(level, f" {finding.check:12} {finding.message}")
                out.print(line, highlight=False)
                if finding.fix:
                    out.print(f"{'':21} → {finding.fix}", highlight=False)
        if any(finding.level == "problem" for finding in findings):
            raise typer.Exit(EXIT_NO)


def drill(
    part: Annotated[Drill, typer.Argument(help="What to break.")],
    home: HomeOption = None,
    seconds: Annotated[float, typer.Option("--for", help="For how many seconds.")] = 10.0,
    worker: Annotated[int | None, typer.Option(help="In one worker only, by its place.")] = None,
) -> None:
    """Break a part of a running server on purpose, to see the feed come back all the same."""
    with explained():
        Home(home).drill(part, seconds, worker)
        out.print(f"{part.value} for {seconds:g} s; watch the tier of replies", highlight=False)


def warm(
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if anything had to be compiled.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Compile every kernel that a running home calls, so that no start has to; needs no home.

    They go where NUMBA_CACHE_DIR says, which may be copied into an image.
    """
    with explained():
        with Stages(quiet=json) as stages:
            stages("compiling kernels", 0.0)
            made = compile_kernels()
        if json:
            print_json(made)
        else:
            out.print(
                f"{made.compiled} kernels compiled and {made.loaded} found, {made.seconds:.1f} s, "
                f"in {', '.join(made.folders)}",
                highlight=False,
            )
        if check and made.compiled:
            raise typer.Exit(EXIT_NO)
