import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.key_store_suite import KeyStoreSuite
from playbill.core import DependencyUnavailable, InvalidInput
from playbill.privacy import MemoryKeyStore
from playbill.privacy.adapters.file_keys import FileKeyStore

RACING_PROCESS = """
import sys
from pathlib import Path
from playbill.privacy.adapters.file_keys import FileKeyStore
store = FileKeyStore(Path(sys.argv[1]))
print("ready", flush=True)
for purpose in sys.stdin:
    print(store.secret(purpose.strip()).hex(), flush=True)
"""


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


class TestFileKeys(KeyStoreSuite):
    @pytest.fixture
    def reopen(self, tmp_path):
        return lambda: FileKeyStore(tmp_path / "keys")


class TestMemoryKeys(KeyStoreSuite):
    @pytest.fixture
    def reopen(self, tmp_path):
        return lambda: MemoryKeyStore(str(tmp_path).encode()[-32:])


def test_memory_keys_follow_from_their_seed():
    assert MemoryKeyStore().secret("pseudonym").hex() == (
        "1da00749e0973512fb140eaeb3bd870cd81bcf81c3da8ef828324c70e5f737c1"
    )
    assert MemoryKeyStore(b"one").secret("k") != MemoryKeyStore(b"other").secret("k")


def test_no_two_folders_have_the_same_key(tmp_path):
    secrets = {FileKeyStore(tmp_path / str(n)).secret("pseudonym") for n in range(8)}
    assert len(secrets) == 8


def test_keys_and_their_folder_are_for_this_user_only(tmp_path):
    folder = tmp_path / "deep" / "keys"
    before = os.umask(0)
    try:
        FileKeyStore(folder).secret("pseudonym")
    finally:
        os.umask(before)
    assert mode_of(folder) == 0o700
    assert mode_of(folder / "pseudonym.key") == 0o600
    assert [path.name for path in folder.iterdir()] == ["pseudonym.key"]


def synchronised(monkeypatch, watched):
    """Return a list that grows with every fsync: what it was of, and which keys had a name."""
    seen, real = [], os.fsync

    def fsync(handle):
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        seen.append((path if path.is_dir() else "a file", watched.exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_a_new_key_and_its_name_are_on_the_disk_before_it_is_used(tmp_path, monkeypatch):
    folder = tmp_path / "deep" / "keys"
    seen = synchronised(monkeypatch, folder / "pseudonym.key")
    FileKeyStore(folder).secret("pseudonym")
    assert seen == [
        (tmp_path / "deep", False),
        (tmp_path, False),
        ("a file", False),
        (folder, True),
    ]
    FileKeyStore(folder).secret("pseudonym")
    assert len(seen) == 4


def test_a_key_that_another_process_named_first_is_on_the_disk_too(tmp_path, monkeypatch):
    path = tmp_path / "pseudonym.key"

    def beaten(draft, name):
        path.touch(0o600)
        path.write_bytes(b"k" * 32)
        raise FileExistsError

    monkeypatch.setattr(os, "link", beaten)
    seen = synchronised(monkeypatch, path)
    assert FileKeyStore(tmp_path).secret("pseudonym") == b"k" * 32
    assert seen[-1] == (tmp_path, True)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o610, 0o601])
def test_a_key_that_others_can_touch_is_refused_with_what_to_do(tmp_path, mode):
    FileKeyStore(tmp_path).secret("pseudonym")
    (tmp_path / "pseudonym.key").chmod(mode)
    with pytest.raises(DependencyUnavailable, match=rf"mode 0{mode:o} .* expected 0600") as caught:
        FileKeyStore(tmp_path).secret("pseudonym")
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_a_key_of_another_length_is_refused_and_not_replaced(tmp_path, size):
    path = tmp_path / "pseudonym.key"
    path.touch(0o600)
    path.write_bytes(b"k" * size)
    with pytest.raises(DependencyUnavailable, match=rf"has {size} bytes; expected 32") as caught:
        FileKeyStore(tmp_path).secret("pseudonym")
    assert "backup" in caught.value.hint
    assert path.read_bytes() == b"k" * size


def test_a_key_that_cannot_be_read_says_so(tmp_path):
    (tmp_path / "pseudonym.key").mkdir()
    with pytest.raises(DependencyUnavailable, match="'pseudonym' cannot be read"):
        FileKeyStore(tmp_path).secret("pseudonym")


def test_a_key_folder_that_is_a_file_says_so(tmp_path):
    (tmp_path / "keys").touch()
    with pytest.raises(DependencyUnavailable, match="cannot be read") as caught:
        FileKeyStore(tmp_path / "keys").secret("pseudonym")
    assert "key folder" in caught.value.hint


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    purpose=st.one_of(
        st.sampled_from(["", "../pseudonym", "a/b", "A", "1a", "-a", "a.key", "a\n", "a" * 42]),
        st.text(min_size=1, max_size=8).filter(lambda text: not text.isascii()),
    )
)
def test_a_purpose_can_never_name_another_file(purpose):
    with pytest.raises(InvalidInput, match="not a key's purpose"):
        FileKeyStore(None).secret(purpose)


def test_threads_that_race_for_a_new_key_agree(tmp_path):
    racers = 8
    start = threading.Barrier(racers)

    def race(folder):
        start.wait()
        return FileKeyStore(folder).secret("pseudonym")

    with ThreadPoolExecutor(racers) as pool:
        for attempt in range(25):
            folder = tmp_path / str(attempt)
            assert len(set(pool.map(race, [folder] * racers))) == 1
            assert [path.name for path in folder.iterdir()] == ["pseudonym.key"]


def test_processes_that_race_for_a_new_key_agree(tmp_path):
    command = [sys.executable, "-c", RACING_PROCESS, str(tmp_path / "keys")]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    purposes = [f"purpose-{n}" for n in range(20)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n".join(purposes) + "\n")
        racer.stdin.flush()
    made = [racer.communicate()[0].split() for racer in racers]
    assert [len(secrets) for secrets in made] == [len(purposes)] * len(racers)
    assert made[0] == made[1] == made[2]
    assert len(set(made[0])) == len(purposes)
    assert all(mode_of(path) == 0o600 for path in (tmp_path / "keys").iterdir())
