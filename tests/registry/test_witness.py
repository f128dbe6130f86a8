"""A bundle is read once a start of the machine, and again whenever a file of it was touched."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from playbill.contracts import BUNDLE_FORMAT, Manifest
from playbill.core import InvalidInput, file_digest
from playbill.registry import BundleStore, witness

FILES = {"light.npz": b"weights", "index/codes.npy": b"\0" * 300, "index/keys.npy": b"keys"}
BOOT = "this start"


@pytest.fixture
def read(monkeypatch):
    """The names of the files whose bytes were read."""
    names = []

    def reading(path):
        names.append(path.name)
        return file_digest(path)

    monkeypatch.setattr(witness, "file_digest", reading)
    return names


def sealed(home: Path, created_at_ms: int = 1_000) -> str:
    draft = home / "draft"
    for name, data in FILES.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_bytes(data)
    manifest = Manifest(
        format=BUNDLE_FORMAT,
        created_at_ms=created_at_ms,
        features="sha256:features",
        feature_names=["a"],
        files={},
        value_weights={},
        data={},
        training={},
        metrics={},
    )
    digest = BundleStore(home / "bundles").add(draft, manifest)
    let_time_pass(home)
    return digest


def let_time_pass(home: Path) -> None:
    """Return once the clock of files has moved on."""
    probe = home / "probe"
    probe.touch()
    began_at_ns = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == began_at_ns:
        os.utime(probe)


def store_of(home: Path, boot: str | None = BOOT) -> BundleStore:
    """A store as another process opens it."""
    return BundleStore(home / "bundles", None, boot)


def record_of(home: Path, digest: str) -> Path:
    return home / "bundles" / "verified" / f"{store_of(home).path(digest).name}.json"


def test_a_bundle_is_read_once_by_whoever_comes_first(tmp_path, read):
    digest = sealed(tmp_path)
    first = store_of(tmp_path).verify(digest)
    assert sorted(read) == ["codes.npy", "keys.npy", "light.npz"]
    read.clear()
    assert store_of(tmp_path).verify(digest) == first
    assert read == []


def test_who_promotes_has_read_for_who_serves(tmp_path, read):
    digest = sealed(tmp_path)
    store_of(tmp_path).promote(digest)
    read.clear()
    store_of(tmp_path).verify(digest)
    assert read == []


def test_another_start_of_the_machine_reads_again(tmp_path, read):
    digest = sealed(tmp_path)
    store_of(tmp_path).verify(digest)
    read.clear()
    store_of(tmp_path, "the next start").verify(digest)
    assert len(read) == len(FILES)


def test_where_nothing_tells_starts_apart_everybody_reads(tmp_path, read):
    digest = sealed(tmp_path)
    for _ in range(2):
        store_of(tmp_path, None).verify(digest)
    assert len(read) == 2 * len(FILES)
    assert not record_of(tmp_path, digest).exists()


def _alter_in_place(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)


def _alter_and_set_the_time_back(path: Path, data: bytes) -> None:
    at = path.stat()
    _alter_in_place(path, data)
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))


def _put_another_in_its_place(path: Path, data: bytes) -> None:
    at = path.stat()
    other = path.parent.parent.parent / "other"
    other.write_bytes(data)
    os.utime(other, ns=(at.st_atime_ns, at.st_mtime_ns))
    other.replace(path)


def _cut(path: Path, data: bytes) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize(
    "tamper",
    [_alter_in_place, _alter_and_set_the_time_back, _put_another_in_its_place, _cut],
)
def test_a_record_does_not_outlive_a_change_of_the_files(tmp_path, tamper):
    digest = sealed(tmp_path)
    store_of(tmp_path).verify(digest)
    path = store_of(tmp_path).path(digest) / "light.npz"
    let_time_pass(tmp_path)
    tamper(path, b"WEIGHTS")
    for _ in range(2):
        with pytest.raises(InvalidInput, match=r"light\.npz was altered"):
            store_of(tmp_path).verify(digest)
    let_time_pass(tmp_path)
    path.write_bytes(FILES["light.npz"])
    store_of(tmp_path).verify(digest)


def test_files_more_or_less_are_refused_with_a_record_too(tmp_path):
    digest = sealed(tmp_path)
    store = store_of(tmp_path)
    store.verify(digest)
    extra = store.path(digest) / "extra"
    extra.touch()
    with pytest.raises(InvalidInput, match="not listed: extra"):
        store.verify(digest)
    extra.unlink()
    (store.path(digest) / "light.npz").unlink()
    with pytest.raises(InvalidInput, match=r"not listed: light\.npz"):
        store.verify(digest)


def test_a_copy_of_everything_is_read_again(tmp_path, read):
    """Times and names are kept by a copy, and the numbers of files are not."""
    digest = sealed(tmp_path / "first")
    store_of(tmp_path / "first").verify(digest)
    shutil.copytree(tmp_path / "first" / "bundles", tmp_path / "second" / "bundles")
    read.clear()
    store_of(tmp_path / "second").verify(digest)
    assert len(read) == len(FILES)


def test_only_what_was_touched_is_read_again(tmp_path, read):
    digest = sealed(tmp_path)
    store_of(tmp_path).verify(digest)
    let_time_pass(tmp_path)
    (store_of(tmp_path).path(digest) / "light.npz").touch()
    read.clear()
    let_time_pass(tmp_path)
    store_of(tmp_path).verify(digest)
    assert read == ["light.npz"]
    store_of(tmp_path).verify(digest)
    assert read == ["light.npz"]


def test_what_changed_in_the_instant_of_the_look_is_not_recorded(tmp_path, monkeypatch):
    """Its next change could fall into the same tick of the clock, and would not be seen."""
    digest = sealed(tmp_path)
    record = record_of(tmp_path, digest)

    seen = witness.Seen.of

    def as_of_now(path):
        path.touch()
        return seen(path)

    monkeypatch.setattr(witness.Seen, "of", as_of_now)
    store_of(tmp_path).verify(digest)
    assert not record.exists()
    monkeypatch.setattr(witness.Seen, "of", seen)
    let_time_pass(tmp_path)
    store_of(tmp_path).verify(digest)
    assert record.exists()


def test_what_changes_while_it_is_read_is_read_again(tmp_path, monkeypatch, read):
    digest = sealed(tmp_path)

    def changed_behind(path):
        found = file_digest(path)
        let_time_pass(tmp_path)
        path.touch()
        return found

    monkeypatch.setattr(witness, "file_digest", changed_behind)
    store_of(tmp_path).verify(digest)
    monkeypatch.undo()
    found = store_of(tmp_path).path(digest) / "light.npz"
    _alter_in_place(found, b"WEIGHTS")
    with pytest.raises(InvalidInput, match=r"light\.npz was altered"):
        store_of(tmp_path).verify(digest)


@law(30)
@given(text=st.binary(max_size=200))
def test_a_record_that_is_none_costs_reading_and_nothing_else(tmp_path_factory, text):
    home = tmp_path_factory.mktemp("home")
    digest = sealed(home)
    store_of(home).verify(digest)
    record_of(home, digest).write_bytes(text)
    store_of(home).verify(digest)
    (store_of(home).path(digest) / "light.npz").write_bytes(b"WEIGHTS")
    with pytest.raises(InvalidInput, match="was altered"):
        store_of(home).verify(digest)


@pytest.mark.parametrize("name", ["verified", "verified/lock"])
def test_where_no_record_can_be_left_a_bundle_is_verified_all_the_same(tmp_path, read, name):
    digest = sealed(tmp_path)
    blocked = tmp_path / "bundles" / name
    blocked.parent.mkdir(exist_ok=True)
    if name == "verified":
        blocked.write_bytes(b"in the way")
    else:
        blocked.mkdir()
    for _ in range(2):
        store_of(tmp_path).verify(digest)
    assert len(read) == 2 * len(FILES)
    assert store_of(tmp_path).digests() == [digest]


def test_many_at_once_read_once(tmp_path, read):
    digest = sealed(tmp_path)
    stores = [store_of(tmp_path) for _ in range(8)]
    threads = [threading.Thread(target=store.verify, args=(digest,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read) == ["codes.npy", "keys.npy", "light.npz"]


def test_a_reader_that_never_ends_is_not_waited_for_without_end(tmp_path, read, monkeypatch):
    digest = sealed(tmp_path)
    monkeypatch.setattr(witness, "_LOOKS", 2)
    monkeypatch.setattr(witness, "_LOOK_AGAIN_S", 0.0)
    with store_of(tmp_path)._witness.looking(store_of(tmp_path).path(digest)):
        store_of(tmp_path).verify(digest)
    assert len(read) == len(FILES)


def test_records_of_bundles_that_are_gone_go_too(tmp_path):
    digests = [sealed(tmp_path, instant) for instant in (1_000, 2_000)]
    store = store_of(tmp_path)
    store.verify(digests[0])
    shutil.rmtree(store.path(digests[0]))
    store.verify(digests[1])
    assert [record_of(tmp_path, digest).exists() for digest in digests] == [False, True]
