"""Files are locked in memory as long as they are wanted, within bounds, and never at any price."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from playbill.app.residence import Residence, lockable_bytes, memory_bytes

KIB = 1024
PLENTY = 1 << 30
LIMITED = """
import os, resource, sys
from pathlib import Path
from playbill.app.residence import Residence, lockable_bytes
resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
files = [Path(name) for name in sys.argv[1:]]
residence = Residence(1 << 30)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
list(residence.keep(files))
print(residence.bytes, residence.refused, lockable_bytes())
"""


def locked_kib(pid: int | str = "self") -> int:
    """Return what the kernel says that a process has locked."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmLck"))


def made(path: Path, size: int) -> Path:
    path.write_bytes(os.urandom(size))
    return path


def keep(residence: Residence, *paths: Path) -> int:
    for _ in residence.keep(paths):
        pass
    return residence.bytes


def test_what_others_write_to_is_fetched_page_by_page_and_the_rest_as_the_system_likes(
    tmp_path, monkeypatch
):
    read, written = made(tmp_path / "read", 64 * KIB), made(tmp_path / "written", 128 * KIB)
    fetched = []
    monkeypatch.setattr(
        "playbill.app.residence.fetch_one_by_one",
        lambda file, first, size: fetched.append((os.fstat(file).st_ino, first, size)),
    )
    residence = Residence(PLENTY)
    list(residence.keep([read, written], written=[written]))
    assert fetched == [(written.stat().st_ino, 0, 128 * KIB)]
    assert residence.bytes == 192 * KIB


def test_what_is_kept_is_locked_and_what_is_no_longer_named_is_not(tmp_path):
    before = locked_kib()
    one, two = made(tmp_path / "one", 64 * KIB), made(tmp_path / "two", 128 * KIB)
    residence = Residence(PLENTY)
    assert keep(residence, one, two) == 192 * KIB
    assert locked_kib() - before == 192
    assert keep(residence, two) == 128 * KIB
    assert locked_kib() - before == 128
    assert keep(residence) == 0
    assert locked_kib() == before


def test_a_file_that_grows_is_kept_as_far_as_it_goes(tmp_path):
    before, file = locked_kib(), made(tmp_path / "store", 10_000)
    residence = Residence(PLENTY)
    assert keep(residence, file) == 10_000
    with file.open("ab") as more:
        more.write(bytes(90_000))
    assert keep(residence, file) == 100_000
    assert locked_kib() - before >= 100_000 // KIB


def test_a_file_in_the_place_of_another_and_a_shorter_one_are_kept_anew(tmp_path):
    file, residence = made(tmp_path / "store", 64 * KIB), Residence(PLENTY)
    keep(residence, file)
    made(tmp_path / "next", 32 * KIB).replace(file)
    assert keep(residence, file) == 32 * KIB
    os.truncate(file, 4 * KIB)
    assert keep(residence, file) == 4 * KIB


def test_the_bound_holds_and_the_first_files_come_first(tmp_path):
    files = [made(tmp_path / name, 64 * KIB) for name in ("a", "b", "c")]
    before, residence = locked_kib(), Residence(130 * KIB)
    assert keep(residence, *files) == 128 * KIB
    assert locked_kib() - before == 128
    assert not residence.refused


def test_a_file_that_comes_first_takes_the_room_of_those_behind_it(tmp_path):
    store, arrays = made(tmp_path / "store", 64 * KIB), made(tmp_path / "arrays", 32 * KIB)
    before, residence = locked_kib(), Residence(64 * KIB)
    assert keep(residence, store) == 64 * KIB
    keep(residence, arrays, store)
    assert locked_kib() - before == 32
    assert keep(residence, arrays) == 32 * KIB


def test_neither_descriptors_nor_maps_grow_with_a_file(tmp_path):
    file, residence = made(tmp_path / "store", 4 * KIB), Residence(PLENTY)
    keep(residence, file)

    def held() -> tuple[int, int]:
        maps = Path("/proc/self/maps").read_text()
        return len(os.listdir("/proc/self/fd")), maps.count(str(file))

    before = held()
    for _ in range(30):
        with file.open("ab") as more:
            more.write(bytes(5_000))
        keep(residence, file)
    assert residence.bytes == 4 * KIB + 150_000
    assert held() == before


def test_what_is_not_there_or_empty_is_passed_over(tmp_path):
    (tmp_path / "empty").touch()
    there = made(tmp_path / "there", 8 * KIB)
    found = keep(Residence(PLENTY), tmp_path / "gone", tmp_path / "empty", tmp_path, there)
    assert found == 8 * KIB


def test_a_system_that_allows_less_keeps_what_it_allows(tmp_path):
    files = [made(tmp_path / name, 40 * KIB) for name in ("a", "b")]
    if os.geteuid() == 0:
        # The limit binds others than root, who must then be able to read the files.
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o001)
        for file in files:
            file.chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str((40 + 20) * KIB), "True", "65536"]


def test_half_kept_is_let_go_of(tmp_path):
    before, files = locked_kib(), [made(tmp_path / name, 16 * KIB) for name in ("a", "b")]
    residence = Residence(PLENTY)
    next(iter(residence.keep(files)))
    assert locked_kib() - before == 16
    del residence
    assert locked_kib() == before


def test_what_may_be_locked_can_be_and_no_more(tmp_path):
    """More than the limit is locked where none is told, and the limit at most where one is."""
    assert memory_bytes() > 1 << 28
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    most = lockable_bytes()
    assert most in (None, soft)
    tried = 9 << 20 if soft == resource.RLIM_INFINITY else min(soft + (1 << 20), 1 << 26)
    kept = keep(Residence(PLENTY), made(tmp_path / "large", tried))
    assert kept == tried if most is None or most > tried else kept <= most


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097])
def test_ends_of_pages_are_kept_with_them(tmp_path, size):
    before, residence = locked_kib(), Residence(PLENTY)
    assert keep(residence, made(tmp_path / "f", size)) == size
    assert locked_kib() - before == -(-size // 4096) * 4
