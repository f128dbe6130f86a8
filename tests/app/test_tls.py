"""A certificate and its key: fit to serve with, or an error that says what is wrong with which."""

from datetime import timedelta

import pytest

from certificates import NOW, Issued, issue, now_ms
from playbill.app.tls import certificate_of
from playbill.contracts import HttpSettings
from playbill.core import DAY_MS, InvalidInput

BOTH = HttpSettings(tls_certificate="tls/chain.pem", tls_key="tls/key.pem")


@pytest.fixture
def issued(tmp_path) -> Issued:
    return issue(tmp_path / "tls")


def refused(home, field, match, http=BOTH, at_ms=None):
    with pytest.raises(InvalidInput, match=match) as error:
        certificate_of(http, home, now_ms() if at_ms is None else at_ms)
    assert error.value.field == field
    assert error.value.hint
    return str(error.value)


def test_without_a_certificate_there_is_none(tmp_path):
    assert certificate_of(HttpSettings(), tmp_path, now_ms()) is None


def test_a_good_pair_says_its_names_and_its_end(tmp_path, issued):
    found = certificate_of(BOTH, tmp_path, now_ms())
    assert found is not None
    assert found.path == issued.certificate
    assert found.names == ("localhost", "127.0.0.1")
    assert found.days_left(now_ms()) == 30


def test_absolute_paths_stay_what_they_are(tmp_path, issued):
    http = HttpSettings(tls_certificate=str(issued.certificate), tls_key=str(issued.key))
    assert certificate_of(http, tmp_path / "elsewhere", now_ms()) is not None


@pytest.mark.parametrize(("named", "missing"), [("certificate", "key"), ("key", "certificate")])
def test_half_a_pair_is_refused(tmp_path, named, missing):
    http = HttpSettings(**{f"tls_{named}": "x.pem"})
    refused(tmp_path, f"http.tls_{missing}", f"http.tls_{missing} is missing", http)


@pytest.mark.parametrize(("part", "field"), [("certificate", "certificate"), ("key", "key")])
def test_a_file_that_is_not_there_is_named(tmp_path, issued, part, field):
    getattr(issued, part).unlink()
    refused(tmp_path, f"http.tls_{field}", "cannot be read: No such file")


def test_a_folder_is_no_certificate(tmp_path, issued):
    issued.certificate.unlink()
    issued.certificate.mkdir()
    refused(tmp_path, "http.tls_certificate", "cannot be read: Is a directory")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_certificate_that_is_none_is_refused(tmp_path, issued, content):
    issued.certificate.write_bytes(content)
    refused(tmp_path, "http.tls_certificate", "no certificate in PEM form")


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_key_that_is_none_is_refused(tmp_path, issued, content):
    issued.key.write_bytes(content)
    refused(tmp_path, "http.tls_key", "is no key in PEM form")


def test_the_key_of_another_certificate_is_refused(tmp_path, issued):
    other = issue(tmp_path / "other")
    issued.key.write_bytes(other.key.read_bytes())
    refused(tmp_path, "http.tls_key", "is the key of another certificate")


def test_an_encrypted_key_is_refused_with_how_to_store_it(tmp_path):
    issue(tmp_path / "tls", password=b"secret")
    refused(tmp_path, "http.tls_key", "the key of TLS is encrypted")


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path, issued, mode):
    issued.key.chmod(mode)
    refused(tmp_path, "http.tls_key", f"has mode {mode:04o} and others can read it")


@pytest.mark.parametrize("days", [-2, 30, 400])
def test_a_certificate_is_refused_before_it_begins_and_from_when_it_ends(tmp_path, issued, days):
    at_ms = now_ms() + days * DAY_MS
    said = refused(tmp_path, "http.tls_certificate", "is valid from", at_ms=at_ms)
    assert f"{NOW + timedelta(days=30):%Y-%m-%d}" in said


def test_no_message_holds_anything_of_the_key(tmp_path, issued):
    secret = issued.key.read_text().splitlines()[1]
    issued.key.chmod(0o644)
    assert secret not in refused(tmp_path, "http.tls_key", "others can read it")
