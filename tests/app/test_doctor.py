"""The doctor looks and changes nothing; a home without its pseudonym key does not go on."""

import shutil
from pathlib import Path

import pytest

from certificates import issue
from playbill.app import layout
from playbill.app.doctor import examine
from playbill.app.home_record import key_fingerprint, read_record
from playbill.app.wiring import Wiring
from playbill.contracts import Batch, BatchKind
from playbill.core import Conflict, DependencyUnavailable


@pytest.fixture(autouse=True)
def _nothing_stays_in_shared_memory(tmp_path, monkeypatch):
    monkeypatch.delenv("PLAYBILL_KEYS", raising=False)
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "none")


@pytest.fixture
def home(tmp_path):
    """A home that viewers were met in."""
    folder = tmp_path / "home"
    wiring = Wiring.of(folder)
    log = wiring.log_to_write()
    wiring.pseudonyms()
    wiring.letters()
    writer = log.writer("serve-2")
    writer.append([Batch(BatchKind.TRACES, 1, b"something")], 1_000)
    writer.close()
    return folder


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        # Reading the log opens these; what they say is not the home's.
        if path.suffix not in (".sqlite-shm", ".sqlite-wal")
    }


def _found(home: Path, check: str):
    return [finding for finding in examine(Wiring.of(home)) if finding.check == check]


def test_a_home_that_is_not_there_stays_so(tmp_path):
    (keys,) = _found(tmp_path / "home", "keys")
    assert keys.level == "note"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("days", "level"), [(30.5, "ok"), (21.1, "ok"), (20.9, "warning"), (0.5, "warning")]
)
def test_a_certificate_that_ends_soon_is_a_warning(tmp_path, days, level):
    home = tmp_path / "home"
    issue(home / "tls", days=days)
    (home / "playbill.toml").write_text(
        '[http]\ntls_certificate = "tls/chain.pem"\ntls_key = "tls/key.pem"\n'
    )
    (tls,) = _found(home, "tls")
    assert (tls.level, bool(tls.fix)) == (level, level == "warning")
    assert "localhost, 127.0.0.1" in tls.message
    assert f"ends in {int(days)} days" in tls.message


def test_a_certificate_that_cannot_be_served_is_a_problem(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "playbill.toml").write_text('[http]\ntls_certificate = "none.pem"\n')
    (tls,) = _found(home, "tls")
    assert (tls.level, "http.tls_key is missing" in tls.message) == ("problem", True)


@pytest.mark.parametrize(
    ("host", "level"), [("127.0.0.1", "ok"), ("localhost", "ok"), ("0.0.0.0", "warning")]
)
def test_plain_http_is_for_this_machine(tmp_path, host, level):
    home = tmp_path / "home"
    home.mkdir()
    (home / "playbill.toml").write_text(f'[http]\nhost = "{host}"\n')
    (tls,) = _found(home, "tls")
    assert tls.level == level


@pytest.mark.parametrize(
    "lost", [[], ["pseudonym"], ["dead-letters"], ["pseudonym", "dead-letters"]]
)
def test_the_doctor_changes_nothing_also_where_keys_are_lost(home, lost):
    for name in lost:
        (home / "keys" / f"{name}.key").unlink()
    before = _content(home)
    (keys,) = _found(home, "keys")
    assert _content(home) == before
    levels = {"pseudonym": "problem", "dead-letters": "warning"}
    assert keys.level == (levels[lost[0]] if lost else "ok")
    assert ("from a backup" in keys.fix) == bool(lost)


def test_a_lost_pseudonym_key_is_not_made_anew_once_the_log_has_begun(home):
    shutil.rmtree(home / "keys")
    with pytest.raises(DependencyUnavailable, match="the pseudonym key is missing") as refusal:
        Wiring.of(home).pseudonyms()
    assert "restore the key folder" in refusal.value.hint
    assert "begin a new home" in refusal.value.hint
    assert not (home / "keys").exists()


def test_another_pseudonym_key_than_that_of_the_log_is_refused(home):
    (home / "keys" / "pseudonym.key").write_bytes(b"k" * 32)
    with pytest.raises(Conflict, match="not the one that the log of this home was written with"):
        Wiring.of(home).pseudonyms()
    (keys,) = _found(home, "keys")
    assert (keys.level, "restore the key folder" in keys.fix) == ("problem", True)


def test_before_the_log_begins_a_key_may_still_change(tmp_path):
    first = Wiring.of(tmp_path / "home")
    first.pseudonyms()
    shutil.rmtree(tmp_path / "home" / "keys")
    Wiring.of(tmp_path / "home").pseudonyms()
    key = first.keys.secret("pseudonym")
    assert read_record(first.layout.record).pseudonym_key == key_fingerprint(key)


def test_a_home_from_before_fingerprints_takes_the_one_of_its_key(home):
    record = home / "home.json"
    wiring = Wiring.of(home)
    mark = read_record(record).pseudonym_key
    text = record.read_text()
    assert key_fingerprint(wiring.keys.secret("pseudonym")) == mark
    assert wiring.keys.secret("pseudonym").hex() not in text
    record.write_text(text.replace("pseudonym_key", "forgotten"))
    assert read_record(record).pseudonym_key is None
    wiring.pseudonyms()
    assert read_record(record).pseudonym_key == mark
