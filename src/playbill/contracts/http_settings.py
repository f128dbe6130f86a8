"""Settings of the listening side: ports, limits, the drain, TLS, and how fast a key may ask."""

from typing import Annotated

import msgspec

_Bytes = Annotated[int, msgspec.Meta(ge=1, le=1 << 31)]
_Patience = Annotated[float, msgspec.Meta(ge=0.1, le=3_600.0)]
_PerS = Annotated[float, msgspec.Meta(gt=0.0, le=1e6)]
_Burst = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]

SCOPES = ("feed", "events", "catalogue", "control", "metrics")
"""What an API key may be allowed; each route needs one of them."""


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The listening side."""

    host: str = "127.0.0.1"
    """Address to bind; the loopback one until you say otherwise."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 8700
    """Feeds, writes, control and console."""
    collector_port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 8701
    """Writes only, in a process of its own, so that bulk never slows a feed."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 2
    """Processes that serve feeds."""
    max_body_bytes: _Bytes = 4 << 20
    """Largest request body; a larger one is ``body_too_large``."""
    max_head_bytes: Annotated[int, msgspec.Meta(ge=1_024, le=1 << 20)] = 16_384
    """Largest request line and headers together; larger ones are ``head_too_large``."""
    max_headers: Annotated[int, msgspec.Meta(ge=8, le=100)] = 64
    """Most headers of one request; more are ``head_too_large``."""
    max_connections: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 1_024
    """Open connections of one process; further ones wait to be taken and are not refused."""
    max_under_way: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 256
    """Requests, other than GET and HEAD, that one process holds at a time while they wait for
    their body or for the disk; further ones are ``too_busy``. Times ``http.max_body_bytes``, it is
    the most memory that bodies may take."""
    head_s: _Patience = 30.0
    """A connection that brings no whole request line and headers for this long, a kept-alive one
    between two requests included, is closed. Longer than the idle time of a proxy in front."""
    body_s: _Patience = 10.0
    """A body must be whole this long after its request began, else it is ``body_too_slow``."""
    send_s: _Patience = 30.0
    """A client that takes nothing of its reply for this long is cut off."""
    drain_s: Annotated[float, msgspec.Meta(ge=0.0, le=600.0)] = 0.25
    """How long a server that was told to stop goes on serving, with ``/readyz`` at 503 and each
    connection closed after its reply. Behind a load balancer: longer than it takes to notice."""
    hang_s: Annotated[float, msgspec.Meta(ge=0.2, le=60.0)] = 0.7
    """A worker whose loop has not turned for this long is replaced."""
    tls_certificate: str | None = None
    """Path of the certificate chain, PEM, from the home folder on; with it both ports speak TLS
    1.2 or 1.3 and nothing else."""
    tls_key: str | None = None
    """Path of the certificate's private key, PEM, not encrypted, readable by this user only."""


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests that one caller may make of one worker: a bucket that fills as time goes by."""

    per_s: _PerS
    """Requests a second that are always possible."""
    burst: _Burst
    """Requests at once after a pause."""


class RateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast one API key may ask one worker, by scope: ``feed = { per_s = 200, burst = 400 }``.

    Each worker counts for itself, so a key whose connections reach all of ``http.workers`` gets
    that many times as much. Without ``api_keys`` all callers are one.
    """

    feed: Rate | None = None
    """Of routes that need the scope ``feed``; without a limit when it is not said, like all."""
    events: Rate | None = None
    """Of routes that need the scope ``events``."""
    catalogue: Rate | None = None
    """Of routes that need the scope ``catalogue``."""
    control: Rate | None = None
    """Of routes that need the scope ``control``."""
    metrics: Rate | None = None
    """Of routes that need the scope ``metrics``."""
    anonymous: Rate | None = None
    """Of requests that need a key and bring no valid one, all of them together: they are refused
    either way, beyond the limit as ``rate_limited``, which slows down whoever guesses."""
