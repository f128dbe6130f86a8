"""Instants as clients write them, as the log counts them."""

from datetime import UTC, datetime, timedelta

from playbill.core import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def instant_ms(said: int | datetime, field: str) -> int:
    """Return the whole milliseconds since 1970 of an instant, a fraction cut off.

    Raises:
        InvalidInput: it lies before 1970, which only a text can say; ``field`` names it.
    """
    at_ms = said if isinstance(said, int) else (said - _EPOCH) // _MILLISECOND
    if at_ms < 0:
        raise InvalidInput(
            f"{field} lies before 1970; instants are counted from there", field=field
        )
    return at_ms
