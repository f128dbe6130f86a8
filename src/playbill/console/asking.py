"""From the address of a page to the feed request it stands for, and back."""

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from playbill.contracts import FeedRequest
from playbill.core import InvalidInput, key64

FIELDS = ("user_id", "size", "surface", "region", "personalised")
"""Named as in ``GET /v1/feed``, so that an address can be moved from one to the other."""
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


def given_fields(query: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that somebody filled in, as text."""
    return {name: text for name in FIELDS if (text := query.get(name, "").strip())}


def feed_request(given: Mapping[str, str]) -> FeedRequest:
    """Return the request that the fields ask for.

    Raises:
        InvalidInput: a field is missing, has the wrong type or leaves its range.
    """
    try:
        return msgspec.convert(dict(given), FeedRequest, strict=False)
    except msgspec.ValidationError as error:
        wrong, _, place = str(error).partition(" - at `$.")
        field = place.rstrip("`") or None
        raise InvalidInput(
            f"{field}: {wrong}" if field else wrong,
            field=field,
            hint="correct the form above and ask again",
        ) from None


def query_fields(request: FeedRequest) -> dict[str, str]:
    """Return the fields that ask for this request again."""
    fields = {"user_id": request.user_id, "size": str(request.size)}
    if request.surface is not None:
        fields["surface"] = request.surface
    if request.region is not None:
        fields["region"] = request.region
    if not request.personalised:
        fields["personalised"] = "false"
    return fields


def address(path: str, fields: Mapping[str, str]) -> str:
    """Return a path with its query."""
    return f"{path}?{urlencode(fields)}" if fields else path


def any_viewer(examples: list[str], present: str | None, at_ms: int) -> str:
    """Return an example viewer other than the present one, if there is another.

    The instant decides which, so that no source of chance is needed.
    """
    others = [user for user in examples if user != present] or examples
    return others[key64(str(at_ms)) % len(others)]


def new_viewer(at_ms: int) -> str:
    """Return the id of a viewer that nothing is known of."""
    digits = ""
    while at_ms:
        at_ms, digit = divmod(at_ms, 36)
        digits = _BASE36[digit] + digits
    return f"visitor-{digits}"
