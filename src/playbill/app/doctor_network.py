"""What the doctor says of the network: ports and the certificate; and the shape of what it says."""

import ipaddress
import socket
from collections.abc import Iterator

import msgspec

from playbill.app.tls import certificate_of
from playbill.app.wiring import Wiring

_ENDS_SOON_DAYS = 21


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at. ``level``: ok, note, warning or problem."""

    check: str
    level: str
    message: str
    fix: str = ""


def ports(wiring: Wiring) -> Iterator[Finding]:
    """Look whether the ports are free."""
    http = wiring.settings.http
    for name, port in (("http.port", http.port), ("http.collector_port", http.collector_port)):
        with socket.socket() as probe:
            taken = probe.connect_ex((http.host, port)) == 0
        yield Finding(
            check="ports",
            level="note" if taken else "ok",
            message=f"{name} {port} is {'in use' if taken else 'free'}",
            fix="fine if playbill up runs here; else choose another with --port" if taken else "",
        )


def tls(wiring: Wiring) -> Iterator[Finding]:
    """Look at the certificate, if there is one, and at when it ends.

    Raises:
        InvalidInput: it could not be served with.
    """
    http, now_ms = wiring.settings.http, wiring.clock.now_ms()
    found = certificate_of(http, wiring.layout.home, now_ms)
    if found is None:
        far = not _is_loopback(http.host)
        yield Finding(
            check="tls",
            level="warning" if far else "ok",
            message=f"no certificate; {http.host} speaks plain HTTP",
            fix="name http.tls_certificate and http.tls_key, or put a proxy in front"
            if far
            else "",
        )
        return
    days = found.days_left(now_ms)
    yield Finding(
        check="tls",
        level="ok" if days >= _ENDS_SOON_DAYS else "warning",
        message=f"the certificate for {', '.join(found.names) or 'no name'} ends in {days} days",
        fix="" if days >= _ENDS_SOON_DAYS else "renew it, then send SIGHUP to playbill up",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
