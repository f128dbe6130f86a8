"""From a pressed button to the events that a real client would have sent."""

from dataclasses import dataclass

import msgspec

from playbill.console.showing import Act, Deed, Shown
from playbill.contracts import Event, EventType, VideoView
from playbill.core import InvalidInput

WATCHES_AT_ONCE = 3
"""How many cards of a topic one press watches."""


@dataclass(frozen=True, slots=True)
class Acting:
    """What a person wants done to a feed they see."""

    deeds: tuple[Deed, ...]
    events: tuple[Event, ...]

    def after(self, shown: Shown) -> Shown:
        """Return the feed with these deeds done to it."""
        return msgspec.structs.replace(shown, deeds=[*shown.deeds, *self.deeds])


def act_on_card(value: str, shown: Shown, videos: list[VideoView | None], at_ms: int) -> Acting:
    """Return what a card's button stands for; its value is ``like.3``: the act, the position.

    Raises:
        InvalidInput: there is no such act or no such card.
    """
    name, _, place = value.partition(".")
    positions = {str(item.position): item.position for item in shown.reply.items}
    if name not in set(Act) or place not in positions:
        raise InvalidInput(
            f"{value!r} is no act on this feed; expected an act and a position, like 'like.3'",
            hint="use the buttons of the cards",
        )
    return _acting((Deed(positions[place], Act(name)),), shown, videos, at_ms)


def watch_topic(topic: str, shown: Shown, videos: list[VideoView | None], at_ms: int) -> Acting:
    """Return the watching of the first cards of a topic that were not watched yet.

    Raises:
        InvalidInput: no card of the topic is left to watch.
    """
    deeds = tuple(
        Deed(item.position, Act.WATCH)
        for item, video in zip(shown.reply.items, videos, strict=True)
        if video is not None
        and topic in video.topics[:1]
        and not shown.was_done(item.position, Act.WATCH)
    )[:WATCHES_AT_ONCE]
    if not deeds:
        raise InvalidInput(
            f"no video about {topic!r} is left to watch in this feed",
            hint="ask for the next feed",
        )
    return _acting(deeds, shown, videos, at_ms)


def _acting(
    deeds: tuple[Deed, ...], shown: Shown, videos: list[VideoView | None], at_ms: int
) -> Acting:
    found = dict(zip((item.position for item in shown.reply.items), videos, strict=True))
    events = [
        event for deed in deeds for event in _events(deed, shown, found[deed.position], at_ms)
    ]
    return Acting(deeds=deeds, events=tuple(events))


def _events(deed: Deed, shown: Shown, video: VideoView | None, at_ms: int) -> list[Event]:
    """Return the events of one deed.

    Their ids follow from the feed and the card, so that pressing twice counts once.
    """
    item = shown.item_at(deed.position)
    if item is None or (video is None and deed.act is Act.WATCH):
        raise InvalidInput(
            "the catalogue does not hold this video; only its length could be played"
        )

    def event(kind: EventType, *, watch_ms: int | None = None) -> Event:
        return Event(
            event_id=f"console-{shown.reply.request_id}-{deed.position}-{kind.value}",
            type=kind,
            user_id=shown.request.user_id,
            at=at_ms,
            video_id=item.video_id,
            request_id=shown.reply.request_id,
            position=deed.position,
            surface=shown.request.surface,
            region=shown.request.region,
            watch_ms=watch_ms,
            long_view=None if watch_ms is None else True,
        )

    if deed.act is Act.WATCH and video is not None:
        return [event(EventType.CLICK), event(EventType.WATCH, watch_ms=video.duration_ms)]
    return [event(EventType(deed.act.value))]
