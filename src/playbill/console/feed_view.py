"""A feed page's content: one reply, what changed with it, and what was done to it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from playbill.console.cards import DONE_WORDS, Card, cards_of
from playbill.console.comparing import Comparison, compare
from playbill.console.showing import Act, Deed, Shown
from playbill.console.snippets import Snippet, event_snippet, feed_snippet
from playbill.console.wording import TIER_WORDS, bundle_words, reason_words, wait_words
from playbill.contracts import VideoView


@dataclass(frozen=True, slots=True)
class FeedView:
    """Everything that the page says of one feed."""

    user_id: str
    personalised: bool
    request_id: str
    tier: str
    tier_words: str
    reasons: tuple[str, ...]
    bundle: str | None
    took: str
    cards: list[Card]
    comparison: Comparison
    done_before: str
    """What was done to the feed before, in words; empty when nothing was."""
    done_now: str
    """What was done to this feed so far, in words; empty when nothing was."""
    snippets: tuple[Snippet, ...]
    announcement: str
    """One sentence for a screen reader, about what has just happened."""


def feed_view(
    shown: Shown,
    videos: Sequence[VideoView | None],
    before: Shown | None,
    before_videos: Sequence[VideoView | None],
    *,
    server: str,
    sent: int,
) -> FeedView:
    """Return what the page says of a feed.

    Args:
        videos: what the catalogue holds of the feed's items, in order.
        before_videos: the same for the feed before; empty when there was none.
        server: address that the commands to paste go to.
        sent: how many of the last deeds have just been sent.
    """
    reply = shown.reply
    comparison = compare(shown, videos, before, before_videos)
    cards = cards_of(shown, videos, comparison)
    just_done = shown.deeds[-sent:] if sent else []
    event = event_snippet(server, shown)
    return FeedView(
        user_id=shown.request.user_id,
        personalised=shown.request.personalised,
        request_id=reply.request_id,
        tier=reply.tier.value,
        tier_words=TIER_WORDS[reply.tier],
        reasons=tuple(reason_words(reason) for reason in reply.reasons),
        bundle=bundle_words(reply.bundle) if reply.bundle else None,
        took=wait_words(shown.took_ms),
        cards=cards,
        comparison=comparison,
        done_before=deeds_words(before.deeds) if before else "",
        done_now=deeds_words(shown.deeds),
        snippets=(feed_snippet(server, shown.request), *([event] if event else [])),
        announcement=_sent_words(just_done, cards) if just_done else _feed_words(shown, comparison),
    )


def deeds_words(deeds: Sequence[Deed]) -> str:
    """Return deeds as ``watched 3, liked 1``."""
    counts = Counter(deed.act for deed in deeds)
    return ", ".join(f"{DONE_WORDS[act]} {counts[act]}" for act in Act if counts[act])


def _sent_words(deeds: Sequence[Deed], cards: Sequence[Card]) -> str:
    titles = {card.position: card.title for card in cards}
    done = "; ".join(f"{DONE_WORDS[deed.act]} {titles[deed.position]}" for deed in deeds)
    return f"Sent: {done}. Ask for the next feed to see what changes."


def _feed_words(shown: Shown, comparison: Comparison) -> str:
    count = len(shown.reply.items)
    words = f"Feed of {shown.request.user_id}: {count} videos, tier {shown.reply.tier.value}"
    if not comparison.has_before:
        return f"{words}."
    return f"{words}, {len(comparison.new_positions)} of them new."
