"""Cursors: what the pages before showed and when they began, for any worker of the home to read."""

import base64
import binascii
import struct

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.privacy import Tokens
from playbill.retrieval import EVERY_ROW

MOST_SHOWN = 600
_VERSION, _EARLIER = 2, (ord("1"),)
_HEAD = struct.Struct("<qIIB")
_CONTEXT = struct.Struct("<BBQ")
_HINT = "send the cursor of the last reply as it was, with the same viewer, surface and session, "
Rows = npt.NDArray[np.int64]


class Trail(msgspec.Struct, frozen=True):
    """What one reader was shown since the first page.

    Attributes:
        first_at_ms: when that page was asked for.
        below: rows from here on were posted after it.
        places: how many places all pages had.
        rested: whether the viewer had rested long enough by then to be shown things again.
        shown: (S,) rows of the last 600 videos, oldest first.
    """

    first_at_ms: int
    below: int
    places: int
    rested: bool
    shown: Rows


def first_page(at_ms: int, *, rested: bool) -> Trail:
    """Return the trail of a reader who was shown nothing yet."""
    return Trail(at_ms, EVERY_ROW, 0, rested, np.empty(0, np.int64))


class Cursors:
    """Write trails for clients to carry, each for one viewer, surface and session.

    Args:
        tokens: of the home.
        max_age_s: how long after the first page a cursor is good.

    Source: docs/decisions/0020-a-cursor-is-a-sealed-trail.md
    """

    def __init__(self, tokens: Tokens, max_age_s: int) -> None:
        self._tokens = tokens
        self._max_age_ms = max_age_s * 1000

    def write(
        self, trail: Trail, page: Rows, count: int, user: bytes, place: tuple[int, int]
    ) -> str:
        """Return the cursor after a page.

        Args:
            trail: before the page.
            page: (K,) rows it showed.
            count: videos there were.
            user: the viewer's pseudonym.
            place: surface code, and session, 0 for none.
        """
        shown = np.concatenate([trail.shown, page])[-MOST_SHOWN:] if len(trail.shown) else page
        below = min(trail.below, count)
        places = min(trail.places + len(page), (1 << 32) - 1)
        text = _HEAD.pack(trail.first_at_ms, below, places, trail.rested)
        token = self._tokens.seal(text + shown.astype("<u4").tobytes(), _context(user, place))
        return base64.urlsafe_b64encode(bytes([_VERSION]) + token).decode().rstrip("=")

    def read(self, cursor: str, user: bytes, place: tuple[int, int], now_ms: int) -> Trail:
        """Return the trail that a cursor carries.

        Raises:
            InvalidInput: it was not issued here, or for another viewer, surface or session
                (``cursor_invalid``); or it is too old (``cursor_expired``).
        """
        try:
            data = base64.b64decode(
                cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError):
            data = b""
        if data[:1] and data[0] in _EARLIER:
            raise _expired("it is of an earlier version of this server")
        own = data[:1] == bytes([_VERSION])
        text = self._tokens.open(data[1:], _context(user, place)) if own else None
        if text is None:
            raise InvalidInput(
                "cursor was not issued by this server for this viewer, surface and session",
                code="cursor_invalid",
                field="cursor",
                hint=_HINT + "or none for the first page",
            )
        first_at_ms, below, places, rested = _HEAD.unpack_from(text)
        if now_ms - first_at_ms > self._max_age_ms:
            raise _expired(f"its first page was served over {self._max_age_ms // 1000:,} s ago")
        shown = np.frombuffer(text, "<u4", offset=_HEAD.size).astype(np.int64)
        return Trail(first_at_ms, below, places, bool(rested), shown)


def _context(user: bytes, place: tuple[int, int]) -> bytes:
    return _CONTEXT.pack(_VERSION, *place) + user


def _expired(why: str) -> InvalidInput:
    return InvalidInput(
        f"cursor is no longer good: {why}",
        code="cursor_expired",
        field="cursor",
        hint="start at the first page: ask without a cursor",
    )
