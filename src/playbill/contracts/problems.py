"""The one error shape of every HTTP reply that is not a success."""

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was wrong, and what to do."""

    code: str
    """Stable name for programs."""
    message: str
    """What was wrong and what was expected."""
    hint: str = ""
    """What to do about it."""
    field: str | None = None
    """Path of the offending field."""


class ProblemReply(msgspec.Struct, frozen=True, kw_only=True):
    """``{"error": {...}}``."""

    error: Problem
    """What was wrong."""


PROBLEMS: dict[str, tuple[int, str]] = {
    "invalid_json": (400, "The body is not JSON, or not UTF-8."),
    "invalid_input": (400, "A field is missing, has the wrong type or leaves its range."),
    "unknown_parameter": (400, "A query parameter that this route does not have."),
    "undeclared_value": (400, "A surface or region that the settings do not declare."),
    "cursor_invalid": (
        400,
        "The cursor was not issued by this home for this viewer, surface and session.",
    ),
    "cursor_expired": (
        400,
        "The cursor is past serving.cursor_age_s, or of an earlier version; ask for page one.",
    ),
    "unauthorised": (401, "A key is configured and the request carries none, or a wrong one."),
    "forbidden": (403, "The key's scopes do not cover this route."),
    "not_found": (404, "No such route, video or request."),
    "method_not_allowed": (405, "The route exists, with other methods."),
    "body_too_slow": (408, "The body was not whole within http.body_s; the connection is closed."),
    "conflict": (409, "The request contradicts what is already recorded."),
    "video_key_taken": (409, "Another video id hashes to the same 64-bit key; choose another id."),
    "body_too_large": (413, "The body is larger than the route takes."),
    "unsupported_media": (415, "The body is not declared as application/json."),
    "rate_limited": (
        429,
        "The key asks faster than its scope's rate; come back after Retry-After seconds.",
    ),
    "overloaded": (429, "A bounded queue is full; come back after Retry-After seconds."),
    "gave_way": (503, "Requests of people wait; a prefetch comes back after Retry-After seconds."),
    "out_of_time": (503, "An entry was not begun within serving.bulk_budget_s; send it again."),
    "head_too_large": (
        431,
        "The head has more than http.max_head_bytes bytes or http.max_headers headers.",
    ),
    "internal_error": (500, "Our own bug; it was counted and logged."),
    "dependency_unavailable": (503, "Something behind the server is gone; try again."),
    "draining": (503, "This server was told to stop; it finishes what it has. Only ``/readyz``."),
    "too_busy": (503, "The process holds http.max_under_way requests; nothing was taken."),
    "log_unavailable": (503, "The log cannot be written; nothing of this request was taken."),
    "user_store_unavailable": (
        503,
        "The user store, which also holds the catalogue, is being rebuilt.",
    ),
    "item_capacity": (
        503,
        "The catalogue is at state.item_capacity, or its authors at state.group_capacity.",
    ),
}
"""Every code an HTTP reply may carry: its status and what it means."""

REJECTIONS: dict[str, str] = {
    "invalid_event": "A field is missing, has the wrong type or leaves its range.",
    "event_from_future": "``at`` is further ahead of the server than admission.max_ahead_s.",
    "event_too_old": "``at`` is further back than admission.max_age_s.",
    "video_missing": "This type needs a video_id.",
    "author_missing": "A follow needs an author_id or a video_id.",
    "watch_missing": "A watch needs watch_ms.",
    "undeclared_value": "A surface or region that the settings do not declare.",
    "event_too_large": "Invalid, and larger than admission.max_event_bytes: not kept for repair.",
}
"""Every code with which one event of a batch may be refused."""
