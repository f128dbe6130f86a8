"""What happens to each field of an event before it is stored."""

import enum


class Handling(enum.Enum):
    """One of four fates."""

    KEEP = "kept as it is"
    HASH = "kept as a public 64-bit key"
    PSEUDONYM = "kept as a keyed pseudonym"
    DROP = "accepted and dropped"


EVENT_FIELDS: dict[str, Handling] = {
    "event_id": Handling.PSEUDONYM,
    "type": Handling.KEEP,
    "user_id": Handling.PSEUDONYM,
    "at": Handling.KEEP,
    "video_id": Handling.HASH,
    "author_id": Handling.HASH,
    "request_id": Handling.KEEP,
    "position": Handling.KEEP,
    "session_id": Handling.PSEUDONYM,
    "surface": Handling.KEEP,
    "region": Handling.KEEP,
    "watch_ms": Handling.KEEP,
    "long_view": Handling.KEEP,
    "query": Handling.DROP,
}
"""Every declared field has a fate; a test compares this with the contract.

Event and session ids are pseudonymised because platforms like to build them from user ids.
"""
