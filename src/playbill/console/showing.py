"""A feed that was shown, kept by the browser: the console itself remembers nothing.

Several processes serve the console and share no memory, so a page carries the feed it shows in
its own forms and addresses. It is sealed with the browser's secret, so that nobody can hand a
person a link to a feed that was never served.
"""

import base64
import binascii
import enum
import hmac
import zlib

import msgspec

from playbill.contracts import FeedItem, FeedReply, FeedRequest

MAX_SEALED_CHARS = 32_768
_MAX_SHOWN_BYTES = 262_144
_MAC_BYTES = 16


class Act(enum.StrEnum):
    """What a person can do to a card."""

    WATCH = "watch"
    LIKE = "like"
    SKIP = "skip"
    HIDE = "hide"


class Deed(msgspec.Struct, frozen=True, array_like=True):
    """One act that was sent and taken."""

    position: int
    act: Act


class Shown(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One feed as a person sees it."""

    request: FeedRequest
    reply: FeedReply
    took_ms: float
    """From asking the server to its reply, measured by the console."""
    deeds: list[Deed] = []
    """What the person did to it, in order."""

    def item_at(self, position: int) -> FeedItem | None:
        """Return the item at a position, or None."""
        return next((item for item in self.reply.items if item.position == position), None)

    def was_done(self, position: int, act: Act) -> bool:
        """Return whether an act on a card was already sent."""
        return Deed(position, act) in self.deeds


def remembered(shown: Shown) -> Shown:
    """Return only what the next feed is compared with: which videos, and what was done."""
    items = [msgspec.structs.replace(item, score=0.0, because="") for item in shown.reply.items]
    return msgspec.structs.replace(shown, reply=msgspec.structs.replace(shown.reply, items=items))


def seal(shown: Shown, token: str) -> str:
    """Return a feed as text for an address or a hidden field."""
    data = zlib.compress(msgspec.json.encode(shown), 9)
    mac = hmac.digest(token.encode(), data, "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(mac + data).decode().rstrip("=")


def unseal(text: str | None, token: str) -> Shown | None:
    """Return the feed that ``seal`` made into text, or None for any other text."""
    if not text or len(text) > MAX_SEALED_CHARS or not text.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    mac, data = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, hmac.digest(token.encode(), data, "sha256")[:_MAC_BYTES]):
        return None
    try:
        shown = zlib.decompressobj().decompress(data, _MAX_SHOWN_BYTES)
        return msgspec.json.decode(shown, type=Shown)
    except (zlib.error, msgspec.DecodeError):
        return None
