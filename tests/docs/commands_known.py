"""The commands there are, and whether a line of a document could be run."""

from __future__ import annotations

import enum
import re
import shlex

from documents import ROOT

from playbill.cli.main import app
from playbill.cli.reference_commands import Option, commands, options_of

COMMANDS = {name: list(options_of(call)) for name, call, _ in commands(app)}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
_OTHERS = {"curl", ".", "export"}


def objection(line: str) -> str | None:
    """Return what is wrong with a command line, None when nothing is."""
    program, *words = shlex.split(line)
    if program == "make":
        wrong = [word for word in words if "=" not in word and word not in TARGETS]
        return f"no target {wrong}" if wrong else None
    if program == "playbill":
        return _objection(words)
    return None if program in _OTHERS else f"{program} is no program of ours"


def command_of(words: list[str]) -> str | None:
    """Return the longest command that the words begin with."""
    for count in (2, 1):
        if " ".join(words[:count]) in COMMANDS:
            return " ".join(words[:count])
    return None


def _objection(words: list[str]) -> str | None:
    name = command_of(words)
    if name is None:
        return f"no command {' '.join(words[:2])!r}"
    known = COMMANDS[name]
    rest = words[len(name.split()) :]
    arguments = [option for option in known if not option.names[0].startswith("-")]
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            option = next((one for one in known if word in one.names), None)
            if option is None:
                return f"playbill {name} has no option {word}"
            if option.kind is not bool:
                rest = rest[1:]
        elif not arguments:
            return f"playbill {name} takes no further argument {word!r}"
        elif not _fits(arguments.pop(0), word):
            return f"{word!r} is no choice of playbill {name}"
    return f"playbill {name} lacks {arguments[0].names[0]}" if arguments else None


def _fits(option: Option, word: str) -> bool:
    if isinstance(option.kind, type) and issubclass(option.kind, enum.Enum):
        return word in [one.value for one in option.kind]
    return True
