"""What a person can paste into a terminal to get what the page got."""

import json
import shlex
from dataclasses import dataclass

import msgspec

from playbill.console.asking import address, query_fields
from playbill.console.showing import Shown
from playbill.contracts import Event, EventType, FeedRequest


@dataclass(frozen=True, slots=True)
class Snippet:
    """One command under a heading."""

    name: str
    """Part of an element's id."""
    title: str
    text: str


def feed_snippet(base: str, request: FeedRequest) -> Snippet:
    """Return the command that asks for this feed."""
    url = address(f"{base}/v1/feed", query_fields(request))
    return Snippet(name="feed", title="Ask for this feed", text=f"curl {shlex.quote(url)}")


def event_snippet(base: str, shown: Shown) -> Snippet | None:
    """Return the command that likes the first video of a feed; None for an empty feed."""
    if not shown.reply.items:
        return None
    item = shown.reply.items[0]
    event = Event(
        event_id=f"curl-{shown.reply.request_id}-{item.position}-like",
        type=EventType.LIKE,
        user_id=shown.request.user_id,
        at=shown.reply.served_at,
        video_id=item.video_id,
        request_id=shown.reply.request_id,
        position=item.position,
    )
    body = json.dumps({"events": [msgspec.to_builtins(event)]}, indent=2, ensure_ascii=False)
    lines = (
        f"curl {shlex.quote(f'{base}/v1/events')}",
        "-H 'content-type: application/json'",
        f"-d {shlex.quote(body)}",
    )
    return Snippet(name="event", title="Like its first video", text=" \\\n  ".join(lines))
