"""Repairing refused events: what was wrong with them is set right, and they go in again."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from playbill.app.wiring import Wiring
from playbill.contracts import Event
from playbill.core import canonical_json, content_digest
from playbill.events import Admission, Bounds, DeadLetter, encode_events
from playbill.events.dead_letters import repaired_event
from playbill.events.decoding import problem_of
from playbill.events.partitions import DEAD_PREFIX

PROCESS = "repair"


class DeadReport(msgspec.Struct, frozen=True, kw_only=True):
    """What waits among the dead letters, by reason, and what a repair did."""

    waiting: int
    by_code: dict[str, int]
    repaired: int
    still_refused: dict[str, int]


def dead_letters(wiring: Wiring) -> list[DeadLetter]:
    """Return the letters that nobody has repaired yet."""
    return list(wiring.letters().waiting())


def repair(
    wiring: Wiring,
    *,
    values: dict[str, Any],
    renamed: dict[str, str],
    dropped: Sequence[str],
    any_age: bool,
) -> DeadReport:
    """Change the waiting letters and admit those that now pass; the others keep waiting.

    Args:
        values: fields to set, by name.
        renamed: fields to rename, old name to new.
        dropped: fields to take out.
        any_age: take instants outside the bounds, which then count as late.

    A letter without an event_id gets one from its content, so that repairing twice counts once.
    """
    letters = dead_letters(wiring)
    settings = wiring.settings
    bounds = None if any_age else Bounds.of(settings.admission)
    admission = Admission(settings, wiring.pseudonyms(), bounds)
    typed: list[tuple[int, Event]] = []
    refused: Counter[str] = Counter()

    def changed(fields: dict[str, Any]) -> dict[str, Any]:
        kept = {renamed.get(name, name): v for name, v in fields.items() if name not in dropped}
        kept.update(values)
        kept.setdefault("event_id", "repaired-" + content_digest(canonical_json(fields)))
        return kept

    for index, letter in enumerate(letters):
        try:
            text = repaired_event(letter, changed)
            typed.append((index, msgspec.json.decode(text, type=Event)))
        except msgspec.DecodeError as error:
            refused[problem_of(error)[0]] += 1
    admitted = admission.admit(typed, wiring.clock.now_ms())
    for problem in admitted.rejected:
        refused[problem.code] += 1
    lost = {problem.index for problem in admitted.rejected}
    taken = [letters[index] for index, _ in typed if index not in lost]
    if taken:
        _append(wiring, admitted.records, taken)
    return DeadReport(
        waiting=len(letters) - len(taken),
        by_code=dict(Counter(letter.code for letter in letters)),
        repaired=len(taken),
        still_refused=dict(refused),
    )


def _append(wiring: Wiring, records: Any, taken: Sequence[DeadLetter]) -> None:
    """Store the events, then the note that they are repaired.

    A crash between the two leaves letters that wait although they are in; repairing them again
    counts once.
    """
    log, now_ms = wiring.log_to_write(), wiring.clock.now_ms()
    writer = log.writer(PROCESS)
    writer.append([encode_events(records)], now_ms)
    writer.close()
    notes = log.writer(DEAD_PREFIX + PROCESS)
    notes.append([wiring.letters().repaired_batch([letter.id for letter in taken])], now_ms)
    notes.close()
