import numpy as np
import pytest

from playbill.contracts import EVENT_RECORD, REQUEST_RECORD, SHOWN_RECORD, BatchKind

LAYOUTS_IN_LOGS = {
    "event": (
        EVENT_RECORD,
        96,
        {
            "event": (0, 16),
            "user": (16, 16),
            "video": (32, 8),
            "author": (40, 8),
            "request": (48, 8),
            "session": (56, 8),
            "at_ms": (64, 8),
            "received_at_ms": (72, 8),
            "watch_ms": (80, 4),
            "position": (84, 2),
            "kind": (86, 1),
            "surface": (87, 1),
            "region": (88, 1),
            "long_view": (89, 1),
            "spare": (90, 6),
        },
    ),
    "request": (
        REQUEST_RECORD,
        80,
        {
            "request": (0, 8),
            "user": (8, 16),
            "session": (24, 8),
            "at_ms": (32, 8),
            "item_epoch": (40, 8),
            "user_epoch": (48, 8),
            "bundle": (56, 8),
            "settings": (64, 8),
            "count": (72, 2),
            "tier": (74, 1),
            "surface": (75, 1),
            "region": (76, 1),
            "settled": (77, 1),
            "personalised": (78, 1),
            "spare": (79, 1),
        },
    ),
    "shown": (
        SHOWN_RECORD,
        24,
        {
            "video": (0, 8),
            "score": (8, 4),
            "propensity": (12, 4),
            "source": (16, 1),
            "spare": (17, 7),
        },
    ),
}
"""(offset, bytes) of each field, as logs in the field hold them."""


@pytest.mark.parametrize("name", LAYOUTS_IN_LOGS)
def test_a_record_lies_in_the_log_as_it_always_did(name):
    layout, size, fields = LAYOUTS_IN_LOGS[name]
    assert layout.itemsize == size
    assert {
        field: (layout.fields[field][1], layout.fields[field][0].itemsize) for field in layout.names
    } == fields


@pytest.mark.parametrize("name", LAYOUTS_IN_LOGS)
def test_a_record_has_no_gap_and_is_little_endian_on_every_machine(name):
    layout, size, fields = LAYOUTS_IN_LOGS[name]
    assert sum(width for _, width in fields.values()) == size
    scalars = [layout.fields[field][0].base for field in layout.names]
    assert all(scalar.str[0] in "<|" for scalar in scalars)
    assert not any(scalar.hasobject for scalar in scalars)


def test_an_event_record_is_these_bytes():
    record = np.zeros(1, EVENT_RECORD)
    record["event"] = (1, 2)
    record["at_ms"] = 1_700_000_000_000
    record["position"] = -1
    record["kind"] = 3
    written = record.tobytes()
    assert written[:16].hex() == "01000000000000000200000000000000"
    assert written[64:72].hex() == "0068e5cf8b010000"
    assert written[84:87].hex() == "ffff03"
    assert written.count(0) == 96 - 2 - 5 - 3


def test_kinds_of_batches_are_only_ever_appended():
    assert {kind.name: kind.value for kind in BatchKind} == {
        "EVENTS": 1,
        "IMPRESSIONS": 2,
        "VIDEOS": 3,
        "TAKEDOWNS": 4,
        "USERS": 5,
        "TRACES": 6,
        "EPOCH": 7,
        "DEAD": 8,
        "DEAD_REPAIRED": 9,
    }
