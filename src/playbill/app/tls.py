"""The certificate and key of TLS: fit to serve with, or an error that says what is wrong."""

import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from playbill.contracts import HttpSettings
from playbill.core import DAY_MS, InvalidInput

_CERTIFICATE, _KEY = "http.tls_certificate", "http.tls_key"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate that is served.

    Args:
        names: host names and addresses that it is for.
        ends_at_ms: when it stops being valid.
    """

    path: Path
    names: tuple[str, ...]
    ends_at_ms: int

    def days_left(self, now_ms: int) -> int:
        """Return whole days until it ends."""
        return (self.ends_at_ms - now_ms) // DAY_MS


def certificate_of(http: HttpSettings, home: Path, now_ms: int) -> Certificate | None:
    """Return the certificate that the settings name, None where they name none.

    Raises:
        InvalidInput: one of the two files is not named, cannot be read, is no PEM, does not fit
            the other, has ended or not begun, or the key can be read by others.
    """
    if http.tls_certificate is None and http.tls_key is None:
        return None
    path = home / _named(http.tls_certificate, _CERTIFICATE)
    key = home / _named(http.tls_key, _KEY)
    found = _read(path, now_ms)
    _check_private(key)
    _check_pair(path, key)
    return found


def _named(name: str | None, field: str) -> str:
    if name is None:
        raise InvalidInput(
            f"{field} is missing; TLS needs a certificate and its key",
            field=field,
            hint="name both files in the settings, or neither",
        )
    return name


def _read(path: Path, now_ms: int) -> Certificate:
    data = _bytes(path, _CERTIFICATE)
    try:
        leaf = x509.load_pem_x509_certificates(data)[0]
    except ValueError as error:
        raise InvalidInput(
            f"{path} is no certificate in PEM form",
            field=_CERTIFICATE,
            hint="it begins with -----BEGIN CERTIFICATE-----; the server's own comes first",
        ) from error
    begins_at_ms = int(leaf.not_valid_before_utc.timestamp() * 1000)
    ends_at_ms = int(leaf.not_valid_after_utc.timestamp() * 1000)
    if not begins_at_ms <= now_ms < ends_at_ms:
        raise InvalidInput(
            f"the certificate {path} is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, which is not now",
            field=_CERTIFICATE,
            hint="renew it, or set this machine's clock right",
        )
    return Certificate(path, _names_in(leaf), ends_at_ms)


def _names_in(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _check_private(key: Path) -> None:
    _bytes(key, _KEY)
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        raise InvalidInput(
            f"the key {key} has mode {mode:04o} and others can read it; expected 0600",
            field=_KEY,
            hint="run chmod 600 on it, and think about who saw it",
        )


def _check_pair(path: Path, key: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(path, key, password=_no_password)
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        why = "is the key of another certificate" if mismatch else "is no key in PEM form"
        raise InvalidInput(
            f"{key} {why} ({path} is the certificate)",
            field=_KEY,
            hint="name the key that the certificate was made for",
        ) from error


def _no_password() -> str:
    raise InvalidInput(
        "the key of TLS is encrypted; a server that starts by itself cannot ask for the password",
        field=_KEY,
        hint="store it without one, mode 0600: openssl pkey -in KEY -out PLAIN",
    )


def _bytes(path: Path, field: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}",
            field=field,
            hint="check that it exists and that this user may read it",
        ) from error
