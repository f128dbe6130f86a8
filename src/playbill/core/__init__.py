"""Ids, instants, hashing and errors. Standard library only."""

from playbill.core.boot import boot_id
from playbill.core.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Clock, FixedClock
from playbill.core.digest import canonical_json, content_digest, file_digest
from playbill.core.durable import replace_file, sync_folder
from playbill.core.errors import (
    BrokenContract,
    Conflict,
    DependencyUnavailable,
    InvalidInput,
    NotFound,
    Overloaded,
    PlaybillError,
    nearest_name,
)
from playbill.core.keys import (
    FOREIGN_REQUEST,
    KEY_ABSENT,
    RequestIds,
    key64,
    key128,
    request_key,
    request_name,
)

__all__ = [
    "DAY_MS",
    "FOREIGN_REQUEST",
    "HOUR_MS",
    "KEY_ABSENT",
    "MINUTE_MS",
    "SECOND_MS",
    "BrokenContract",
    "Clock",
    "Conflict",
    "DependencyUnavailable",
    "FixedClock",
    "InvalidInput",
    "NotFound",
    "Overloaded",
    "PlaybillError",
    "RequestIds",
    "boot_id",
    "canonical_json",
    "content_digest",
    "file_digest",
    "key64",
    "key128",
    "nearest_name",
    "replace_file",
    "request_key",
    "request_name",
    "sync_folder",
]
