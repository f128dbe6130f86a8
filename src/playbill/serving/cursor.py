"""Cursors: what the pages before showed, written so that any worker can read it."""

import base64
import binascii
import zlib

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput

MOST_KEYS = 150
_VERSION = b"1"


def write_cursor(keys: npt.NDArray[np.uint64]) -> str:
    """Return the cursor after pages that showed these videos; the oldest beyond 150 fall out."""
    body = keys[-MOST_KEYS:].astype("<u8").tobytes()
    check = zlib.crc32(_VERSION + body).to_bytes(4, "little")
    return base64.urlsafe_b64encode(_VERSION + check + body).decode().rstrip("=")


def read_cursor(cursor: str | None) -> npt.NDArray[np.uint64]:
    """Return the keys of the videos that the pages before showed, none for None.

    Raises:
        InvalidInput: the text was not issued here.
    """
    if cursor is None:
        return np.empty(0, np.uint64)
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    body = data[5:]
    intact = (
        data[:1] == _VERSION
        and len(body) % 8 == 0
        and zlib.crc32(_VERSION + body).to_bytes(4, "little") == data[1:5]
    )
    if not intact:
        raise InvalidInput(
            "cursor was not issued by this server",
            code="cursor_invalid",
            field="cursor",
            hint="send the cursor of the last reply as it was, or none for the first page",
        )
    return np.frombuffer(body, "<u8")
