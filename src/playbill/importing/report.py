"""What an import did: plain values, ready to be printed, stored or sent."""

from datetime import UTC, datetime

import msgspec

from playbill.core import DAY_MS
from playbill.importing.tally import Count, Kind


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One row that was not taken."""

    row: int
    """Its place, from 1: in its file when the reader left it out, among the bodies sent when the
    sink refused it."""
    message: str
    """What was wrong and what was expected; never an id of a viewer."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One reason, with how often it applied."""

    kind: str
    """``videos``, ``users`` or ``events``."""
    by: str
    """``reader``: the row could not become a body; ``sink``: admission refused the body."""
    code: str
    """Stable name of the reason."""
    count: int
    """Rows or bodies it applied to."""
    examples: tuple[Example, ...]
    """The first few."""


class KindReport(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the data set on one side, bodies on the other.

    ``read - duplicates - rejected`` rows became ``sent`` bodies (a row may give several events),
    and ``sent == taken + refused``.
    """

    read: int = 0
    """Rows found in the data set."""
    duplicates: int = 0
    """Rows that repeat an earlier row; the first one was kept."""
    rejected: int = 0
    """Rows that the reader could not use."""
    sent: int = 0
    """Bodies handed over for admission."""
    refused: int = 0
    """Bodies that admission refused."""
    taken: int = 0
    """Bodies stored."""


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one import."""

    videos: KindReport
    """The catalogue."""
    users: KindReport
    """Viewers' facts."""
    events: KindReport
    """What people did."""
    event_types: dict[str, int]
    """Events sent, by type."""
    refusals: tuple[Refusal, ...]
    """Why rows and bodies were not taken, most frequent first within a kind."""
    first_at_ms: int
    """Received instant of the first event."""
    last_at_ms: int
    """Received instant of the last event."""
    notes: tuple[str, ...]
    """What a reader of the figures must know: what was made up, what was left out."""

    def lines(self) -> list[str]:
        """Return the report as lines of plain text, counts first."""
        heads = ("rows read", "duplicates", "rejected", "sent", "refused", "taken")
        lines = [" " * 8 + "".join(f"{head:>12}" for head in heads)]
        for kind in ("videos", "users", "events"):
            row = msgspec.structs.astuple(getattr(self, kind))
            lines.append(f"{kind:<8}" + "".join(f"{value:>12,}" for value in row))
        days = (self.last_at_ms - self.first_at_ms) / DAY_MS
        lines.append(
            f"events from {_written(self.first_at_ms)} to {_written(self.last_at_ms)} "
            f"({days:.1f} days): "
            + ", ".join(f"{count:,} {name}" for name, count in self.event_types.items())
        )
        for refusal in self.refusals:
            verb = "rejected by the reader" if refusal.by == "reader" else "refused by admission"
            lines.append(f"{refusal.kind} {verb}: {refusal.count:,} {refusal.code}")
            lines.extend(f"  row {one.row:,}: {one.message}" for one in refusal.examples)
        lines.extend(f"note: {note}" for note in self.notes)
        return lines


def refusals_of(kind: Kind, by: str, count: Count) -> list[Refusal]:
    """Return the reasons of one count, most frequent first."""
    ranked = sorted(count.reasons.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        Refusal(
            kind=kind,
            by=by,
            code=code,
            count=reason.count,
            examples=tuple(Example(row=row, message=text) for row, text in reason.examples),
        )
        for code, reason in ranked
    ]


def _written(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
