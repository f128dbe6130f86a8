"""``playbill import`` and ``playbill events dead``: what comes in by other doors."""

import enum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from playbill.app.dead import dead_letters, repair
from playbill.app.verbs import Home
from playbill.cli.progress import Stages
from playbill.cli.shared import HomeOption, JsonOption, explained, out, print_json
from playbill.core import InvalidInput


class Dataset(enum.StrEnum):
    """Data sets that an importer knows by name."""

    KUAIRAND = "kuairand"
    MOVIELENS = "movielens"
    MAPPED = "mapped"


def import_(
    dataset: Annotated[Dataset, typer.Argument(help="kuairand, movielens, or mapped (any table).")],
    path: Annotated[Path, typer.Argument(help="The data set's folder or file.")],
    home: HomeOption = None,
    mapping: Annotated[
        Path | None, typer.Option(help="For mapped: which column is what, in TOML.")
    ] = None,
    history: Annotated[
        bool | None,
        typer.Option(
            help="For kuairand: also the watches before 25 April, times made up; "
            "else where the folder has them."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Bring a past in, through the same admission as live traffic, and report on it."""
    with explained():
        from playbill.importing import HISTORY_FILES, KuaiRand, Mapped, MovieLens, Progress

        source: Any
        if dataset is Dataset.KUAIRAND:
            has_history = any(path.glob(HISTORY_FILES))
            source = KuaiRand(path, history=has_history if history is None else history)
        elif dataset is Dataset.MOVIELENS:
            source = MovieLens(path)
        elif mapping is None:
            raise InvalidInput("mapped needs --mapping FILE", hint="see docs/importing.md")
        else:
            source = Mapped(path, mapping)
        with Stages(quiet=json) as stages:

            def progress(step: Progress) -> None:
                stages(step.kind, step.done / step.expected if step.expected else 0.0)

            report = Home(home).import_history(source, progress)
        if json:
            print_json(report)
        else:
            for line in report.lines():
                out.print(line, highlight=False)


def dead(
    home: HomeOption = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print the events, identity included.")
    ] = False,
    do_repair: Annotated[
        bool, typer.Option("--repair", help="Take in those that now pass.")
    ] = False,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="field=value to set; value is JSON or text.")
    ] = None,
    rename: Annotated[list[str] | None, typer.Option(help="old=new field name.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Field to take out.")] = None,
    any_age: Annotated[bool, typer.Option(help="Take instants outside the bounds.")] = False,
    json: JsonOption = False,
) -> None:
    """List the events that were refused, and repair them."""
    with explained():
        wiring = Home(home).wiring
        if do_repair:
            report = repair(
                wiring,
                values={name: _value(text) for name, text in _pairs(values)},
                renamed=dict(_pairs(rename)),
                dropped=drop or [],
                any_age=any_age,
            )
            if json:
                print_json(report)
                return
            out.print(f"{report.repaired:,} repaired, {report.waiting:,} still wait")
            for reason, count in report.still_refused.items():
                out.print(f"  {count:,}  {reason}", highlight=False)
            return
        letters = dead_letters(wiring)
        if json:
            print_json(
                [
                    msgspec.structs.replace(letter, text=letter.text if show else "")
                    for letter in letters
                ]
            )
            return
        out.print(f"{len(letters):,} refused events wait")
        for letter in letters[:50]:
            out.print(f"  {letter.id}  {letter.code}: {letter.message}", highlight=False)
            if show:
                out.print(f"    {letter.text}", highlight=False)


def _pairs(texts: list[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidInput(f"{text!r} is not name=value", hint="for example --set surface=home")
        pairs.append((name, value))
    return pairs


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
