"""The run folder lies where every user of the machine may write: it must be ours alone."""

import os

import pytest

from playbill.app import layout
from playbill.app.layout import Layout
from playbill.app.wiring import Wiring
from playbill.core import DependencyUnavailable


@pytest.fixture
def found(tmp_path, monkeypatch):
    (tmp_path / "shm").mkdir()
    monkeypatch.setattr(layout, "_SHARED_MEMORY", tmp_path / "shm")
    return Layout(tmp_path / "home")


def test_a_run_folder_of_ours_is_made_and_used_again(found):
    found.make()
    assert found.run.stat().st_mode & 0o777 == 0o700
    found.make()
    assert found.board.parent == found.run


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o770, 0o777])
def test_a_run_folder_that_is_open_to_others_is_refused(found, mode):
    path = found.run
    path.mkdir()
    path.chmod(mode)
    for use in (found.make, lambda: found.board, Wiring.of(found.home).announce):
        with pytest.raises(DependencyUnavailable, match=f"is open to others .mode {mode:o}"):
            use()


def test_a_run_folder_of_another_user_is_refused(found, monkeypatch):
    found.make()
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(DependencyUnavailable, match=f"belongs to user {owner}") as refusal:
        found.make()
    assert "remove it" in refusal.value.hint


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_run_folder_that_is_none_is_refused(found, tmp_path, kind):
    path = found.run
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.touch(mode=0o600)
    with pytest.raises(DependencyUnavailable, match="is no folder"):
        found.make()


def test_a_home_that_cannot_be_made_is_said_to_be_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DependencyUnavailable, match="cannot be made: Not a directory"):
        Layout(tmp_path / "file" / "home").make()
