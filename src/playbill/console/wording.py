"""Numbers and codes as people read them."""

from playbill.contracts import REASONS, Tier
from playbill.core import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_MONTH_MS = 30 * DAY_MS
_YEAR_MS = 365 * DAY_MS

TIER_WORDS: dict[Tier, str] = {
    Tier.FULL: "every stage ran, the heavy scorer included",
    Tier.LIGHT: "ordered by the light scorer only",
    Tier.CACHED: "the viewer's last good list",
    Tier.POPULAR: "the region's list, the same for everybody",
    Tier.STATIC: "the safe list on disk",
}
"""What each tier means, for somebody who has not read the design."""


def age_words(age_ms: float) -> str:
    """Return a time span in its largest unit, ``3 h``; one in the future counts as none."""
    age_ms = max(age_ms, 0)
    if age_ms < 10 * SECOND_MS:
        return f"{age_ms / SECOND_MS:.1f} s"
    if age_ms < MINUTE_MS:
        return f"{age_ms / SECOND_MS:.0f} s"
    if age_ms < HOUR_MS:
        return f"{age_ms // MINUTE_MS:.0f} min"
    if age_ms < 2 * DAY_MS:
        return f"{age_ms // HOUR_MS:.0f} h"
    if age_ms < 2 * _MONTH_MS:
        return f"{age_ms // DAY_MS:.0f} days"
    if age_ms < 2 * _YEAR_MS:
        return f"{age_ms // _MONTH_MS:.0f} months"
    return f"{age_ms // _YEAR_MS:.0f} years"


def clock_words(duration_ms: int) -> str:
    """Return how long a video plays, ``12:05`` or ``1:02:05``."""
    minutes, seconds = divmod(duration_ms // SECOND_MS, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def wait_words(duration_ms: float) -> str:
    """Return a waiting time, ``4.2 ms`` or ``1.5 s``."""
    if duration_ms >= SECOND_MS:
        return f"{duration_ms / SECOND_MS:.1f} s"
    return f"{duration_ms:.0f} ms" if duration_ms >= 100 else f"{duration_ms:.1f} ms"


def rate_words(per_s: float) -> str:
    """Return a rate without its unit, with one decimal while it is small."""
    return f"{per_s:,.1f}" if per_s < 10 else f"{per_s:,.0f}"


def bundle_words(bundle: str) -> str:
    """Return the first ten digits of a digest, enough to tell bundles apart by eye."""
    return bundle.removeprefix("sha256:")[:10]


def reason_words(reason: str) -> str:
    """Return a reason code as a sentence; an unknown one as it is, with spaces."""
    code, _, detail = reason.partition(":")
    known = REASONS.get(code)
    if known is None:
        return reason if " " in reason else reason.replace("_", " ").replace(":", ": ")
    return f"{known} ({detail})" if detail else known
