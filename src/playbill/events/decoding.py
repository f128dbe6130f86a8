"""From a request body to typed events, one by one where the whole does not parse."""

import json
import re
from dataclasses import dataclass

import msgspec

from playbill.contracts import MAX_EVENTS_PER_BATCH, Event, EventType, RejectedEvent
from playbill.core import InvalidInput, nearest_name


class _Typed(msgspec.Struct):
    events: list[Event]


class _Loose(msgspec.Struct):
    events: list[msgspec.Raw]


_typed = msgspec.json.Decoder(_Typed)
_loose = msgspec.json.Decoder(_Loose)
_event = msgspec.json.Decoder(Event)
_INVALID = "invalid_event"
_MISSING = re.compile(r"^Object missing required field `([^`]*)`")
_UNKNOWN_VALUE = re.compile(r"^Invalid enum value '([^']*)'")
_NO_UTF_8 = "Invalid UTF-8"
"""What newer parsers say, which no longer say where."""
_PATH = re.compile(r" - at `\$\.?([^`]*)`")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch after parsing: (index, event) of the good ones, and the others with their text."""

    events: list[tuple[int, Event]]
    refused: list[tuple[RejectedEvent, bytes]]


def decode_events_body(body: bytes, max_event_bytes: int) -> Decoded:
    """Return the events of ``{"events": [...]}``; those that do not parse are refused singly.

    Raises:
        InvalidInput: the body as a whole is not of that shape, or holds too many events.
    """
    try:
        events = _typed.decode(body).events
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _one_by_one(body, max_event_bytes)
    _check_count(len(events))
    return Decoded(list(enumerate(events)), [])


def problem_of(error: Exception) -> tuple[str, str | None]:
    """Return the message of a parser's error and the field it points at."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: byte {error.object[error.start]:#04x} at {error.start}", None
    if isinstance(error, RecursionError):
        return "nested too deeply", None
    text = str(error)
    if text.startswith(_NO_UTF_8):
        return "not UTF-8", None
    found = _PATH.search(text)
    message, field = _PATH.sub("", text), (found.group(1) or None) if found else None
    missing = _MISSING.search(message)
    if missing is not None:
        field = f"{field}.{missing.group(1)}" if field else missing.group(1)
    unknown = _UNKNOWN_VALUE.search(message)
    if unknown is not None and field is not None and field.endswith("type"):
        message += f"; types are {', '.join(EventType)}." + nearest_name(
            unknown.group(1), [kind.value for kind in EventType]
        )
    return message, field


def rejection_of(index: int, error: Exception) -> RejectedEvent:
    """Return why one value of a batch was not taken, with a code of ``contracts.REJECTIONS``.

    Args:
        index: its place in the batch.
        error: an ``InvalidInput``, or what a parser raised.
    """
    if not isinstance(error, InvalidInput):
        message, field = problem_of(error)
        return RejectedEvent(index=index, code=_INVALID, message=message, field=field)
    return RejectedEvent(
        index=index,
        code=_INVALID if error.code == InvalidInput.default_code else error.code,
        message=error.message,
        field=error.field,
        hint=error.hint,
    )


def _check_count(count: int) -> None:
    if count > MAX_EVENTS_PER_BATCH:
        raise InvalidInput(
            f"the batch has {count:,} events; at most {MAX_EVENTS_PER_BATCH:,} fit",
            field="events",
            hint="send several batches",
        )


def _split(body: bytes) -> list[bytes]:
    """Return the JSON text of each event."""
    try:
        return [bytes(text) for text in _loose.decode(body).events]
    except msgspec.ValidationError as error:
        message, field = problem_of(error)
        raise InvalidInput(
            message, field=field, hint='send {"events": [ ... ]} with objects inside'
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        texts = _split_leniently(body)
        if texts is None:
            raise InvalidInput(
                problem_of(error)[0], code="invalid_json", hint="send one JSON object in UTF-8"
            ) from None
        return texts


def _split_leniently(body: bytes) -> list[bytes] | None:
    """Return the texts as a laxer parser reads them, None where it reads no list of events.

    NaN, and the half of a character that is left when a client cuts a text in its middle, are no
    reason to refuse the neighbours: a client would send such a batch again for ever.
    """
    try:
        events = json.loads(body.decode())["events"]
        return [json.dumps(event).encode() for event in events] if type(events) is list else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _one_by_one(body: bytes, max_event_bytes: int) -> Decoded:
    texts = _split(body)
    _check_count(len(texts))
    events: list[tuple[int, Event]] = []
    refused: list[tuple[RejectedEvent, bytes]] = []
    for index, text in enumerate(texts):
        try:
            events.append((index, _event.decode(text)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused.append(_refusal(index, text, error, max_event_bytes))
    return Decoded(events, refused)


def _refusal(
    index: int, text: bytes, error: Exception, max_event_bytes: int
) -> tuple[RejectedEvent, bytes]:
    if len(text) > max_event_bytes:
        message = f"the event has {len(text):,} bytes; at most {max_event_bytes:,} are kept"
        return RejectedEvent(index=index, code="event_too_large", message=message), b""
    return rejection_of(index, error), text
