import os
import stat
from pathlib import Path

import pytest

from playbill.core import replace_file, sync_folder


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def steps(monkeypatch):
    """Return a list that grows with every fsync and every replacement, by name."""
    seen: list[tuple[str, str]] = []
    fsync, replace = os.fsync, Path.replace

    def synchronise(handle):
        seen.append(("sync", Path(os.readlink(f"/proc/self/fd/{handle}")).name))
        fsync(handle)

    def move(draft, path):
        seen.append(("replace", Path(path).name))
        return replace(draft, path)

    monkeypatch.setattr(os, "fsync", synchronise)
    monkeypatch.setattr(Path, "replace", move)
    return seen


def _refuse(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("data", [b"new", lambda file: file.write(b"new")], ids=["bytes", "writer"])
def test_the_bytes_then_the_name_are_on_the_disk_before_it_returns(tmp_path, steps, data):
    (tmp_path / "pointer").write_bytes(b"old")
    replace_file(tmp_path / "pointer", data)
    assert (tmp_path / "pointer").read_bytes() == b"new"
    assert steps == [
        ("sync", "pointer.draft"),
        ("replace", "pointer"),
        ("sync", tmp_path.name),
    ]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_the_mode_asked_for_also_over_a_draft_that_a_crash_left(tmp_path, mode):
    before = os.umask(0)
    try:
        (tmp_path / "record.draft").write_bytes(b"half of it")
        replace_file(tmp_path / "record", b"whole", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "record").stat().st_mode) == mode
    assert [path.name for path in tmp_path.iterdir()] == ["record"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_old_file_no_draft_and_no_open_file(
    tmp_path, monkeypatch, step
):
    (tmp_path / "pointer").write_bytes(b"old")
    before = _open_files()
    with monkeypatch.context() as full:
        if step == "fsync":
            full.setattr(os, "fsync", _refuse)
        if step == "replace":
            full.setattr(Path, "replace", _refuse)
        with pytest.raises(OSError, match="No space"):
            replace_file(tmp_path / "pointer", _refuse if step == "write" else b"new")
    assert _open_files() == before
    assert [path.name for path in tmp_path.iterdir()] == ["pointer"]
    assert (tmp_path / "pointer").read_bytes() == b"old"


def test_a_folder_that_cannot_be_synchronised_is_closed(tmp_path, monkeypatch):
    before = _open_files()
    monkeypatch.setattr(os, "fsync", _refuse)
    with pytest.raises(OSError, match="No space"):
        sync_folder(tmp_path)
    assert _open_files() == before
