"""A training that is stopped goes on, and a bundle can be made once more from what it says."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from live_home import LiveHome, until
from playbill.app.retraining import begins_warm, retrain
from playbill.app.stopping import Stopped
from playbill.app.verbs import Home
from playbill.cli.main import app
from playbill.core import Conflict, DependencyUnavailable, InvalidInput, NotFound
from trained_home import copy_of


@pytest.fixture(scope="module")
def lived(template: Path, tmp_path_factory: pytest.TempPathFactory) -> LiveHome:
    return copy_of(template, tmp_path_factory.mktemp("again") / "home")


def champion(home: Path) -> str:
    digest = Home(home).bundles.champion()
    assert digest is not None
    return digest


def networks(home: Path, digest: str) -> dict[str, str]:
    files = Home(home).bundles.manifest(digest).files
    return {name: found for name, found in files.items() if name.endswith((".onnx", ".npz"))}


def test_a_bundle_is_made_once_more_with_the_same_bytes_whatever_the_settings_are_now(
    lived: LiveHome, tmp_path: Path
) -> None:
    changed = copy_of(lived.home, tmp_path / "home")
    settings = changed.home / "playbill.toml"
    settings.write_text(settings.read_text().replace("epochs = 4", "epochs = 1\nseed = 9", 1))
    digest = champion(changed.home)
    done = CliRunner().invoke(
        app, ["train", "--home", str(changed.home), "--reproduce", digest[7:19], "--json"]
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["equal"]
    assert set(found["files"].values()) == {True}
    assert found["changed"] == {}
    assert Home(changed.home).bundles.digests() == [digest]


def test_ctrl_c_leaves_what_the_next_goes_on_with_to_the_same_networks(
    lived: LiveHome, tmp_path: Path
) -> None:
    stopped = copy_of(lived.home, tmp_path / "home")
    before = champion(stopped.home)
    command = [sys.executable, "-m", "playbill.cli", "train", "--home", str(stopped.home)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as training:
        assert training.stderr is not None
        for line in training.stderr:
            if b"pass 1" in line:
                training.send_signal(signal.SIGINT)
                break
        said = training.stderr.read()
    assert training.returncode == 130, said
    assert b"playbill train --resume goes on" in said
    assert champion(stopped.home) == before
    resumed = Home(stopped.home).train(resume=True)
    assert networks(stopped.home, resumed.digest) == networks(stopped.home, before)
    with pytest.raises(NotFound, match="no training was interrupted"):
        Home(stopped.home).train(resume=True)


def test_what_was_interrupted_does_not_go_on_with_other_settings(
    lived: LiveHome, tmp_path: Path
) -> None:
    home = copy_of(lived.home, tmp_path / "home").home
    told: list[str] = []
    with pytest.raises(Stopped):
        Home(home).train(on_metric=lambda stage, words: told.append(stage), stop=lambda: bool(told))
    settings = home / "playbill.toml"
    settings.write_text(settings.read_text().replace("epochs = 4", "epochs = 3", 1))
    with pytest.raises(InvalidInput, match="of another run: settings changed"):
        Home(home).train(resume=True)
    assert told == ["ranker"]


def test_a_training_stopped_while_it_reads_the_log_keeps_nothing_and_loses_nothing(
    lived: LiveHome, tmp_path: Path
) -> None:
    home = copy_of(lived.home, tmp_path / "home").home
    with pytest.raises(Stopped):
        Home(home).train(stop=lambda: True)
    with pytest.raises(NotFound):
        Home(home).train(resume=True)
    assert champion(home) == champion(lived.home)


@pytest.mark.long
def test_a_home_that_trains_by_itself_swaps_in_what_is_no_worse(
    lived: LiveHome, tmp_path: Path
) -> None:
    live = copy_of(lived.home, tmp_path / "home")
    before = champion(live.home)
    text = (live.home / "playbill.toml").read_text().replace("epochs = 4", "epochs = 3", 1)
    live.configure(text + "[retraining]\nevery_s = 1\nfewest_new = 0\n")
    live.start()
    try:
        store = Home(live.home).bundles
        until(lambda: len(store.digests()) > 1, "a bundle is sealed", patience_s=300.0)
        assert live.feed("viewer3")["items"]
        if champion(live.home) != before:
            until(lambda: live.feed("viewer3")["bundle"] != before, "it serves")
    finally:
        live.stop()


def test_too_little_that_is_new_is_not_trained_on(lived: LiveHome, tmp_path: Path) -> None:
    home = Home(copy_of(lived.home, tmp_path / "home").home)
    home.configure(**{"retraining.fewest_new": 10})
    assert retrain(home) is None
    assert home.bundles.digests() == [champion(lived.home)]


def test_unless_worse_tells_how_far_apart_they_are(lived: LiveHome, tmp_path: Path) -> None:
    home = copy_of(lived.home, tmp_path / "home").home
    before = champion(home)
    settings = home / "playbill.toml"
    settings.write_text(settings.read_text().replace("epochs = 4", "epochs = 3\nseed = 11", 1))
    done = CliRunner().invoke(app, ["train", "--home", str(home), "--unless-worse"])
    assert done.exit_code == 0, done.output
    assert f"AUC above the champion {before[:19]}" in done.stdout
    assert ("it serves now" in done.stdout) == (champion(home) != before)


def lives_on(live: LiveHome) -> None:
    """Serve more feeds, and one when the attribution window of the others has passed."""
    text = (live.home / "playbill.toml").read_text()
    live.configure(text + "[labels]\nattribution_window_s = 1\n")
    live.start()
    for number in range(200):
        live.feed(f"viewer{number % 100}", size=15)
    passed_s = time.monotonic() + 1.5
    until(lambda: time.monotonic() > passed_s, "the window has passed")
    live.feed("viewer0", size=15)
    assert live.stop() == 0


def test_a_training_begins_with_the_champion_and_is_made_once_more(
    lived: LiveHome, tmp_path: Path
) -> None:
    live = copy_of(lived.home, tmp_path / "home")
    before = champion(live.home)
    with pytest.raises(Conflict, match="no row that trains is newer"):
        Home(live.home).train(warm=True)
    with pytest.raises(InvalidInput, match="goes on as it began"):
        Home(live.home).train(warm=True, resume=True)
    assert sorted(path.stem for path in (live.home / "networks").iterdir()) == [before[7:23]]
    lives_on(live)
    done = CliRunner().invoke(app, ["train", "--home", str(live.home), "--warm"])
    assert done.exit_code == 0, done.output
    warm = champion(live.home)
    assert warm != before
    said = Home(live.home).bundles.manifest(warm).training
    assert (said["begun_with"], said["warm_in_a_row"]) == (before, 1)
    kept = sorted(path.stem for path in (live.home / "networks").iterdir())
    assert kept == sorted(digest[7:23] for digest in (before, warm))
    asked = ["train", "--home", str(live.home), "--reproduce", warm[7:19], "--json"]
    again = CliRunner().invoke(app, asked)
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["equal"]
    (live.home / "networks" / f"{before[7:23]}.pt").unlink()
    gone = CliRunner().invoke(app, asked)
    assert gone.exit_code == 2
    assert "nothing is kept of the training of" in gone.output


def test_a_warm_training_that_was_stopped_goes_on_to_the_same_bytes(
    lived: LiveHome, tmp_path: Path
) -> None:
    """Making the bundle once more, which nobody stops, gives every byte of the resumed one."""
    live = copy_of(lived.home, tmp_path / "home")
    before, told = champion(live.home), list[str]()
    lives_on(live)
    home = Home(live.home)
    with pytest.raises(Stopped):
        home.train(
            warm=True,
            on_metric=lambda stage, words: told.append(words),
            stop=lambda: bool(told),
        )
    assert champion(live.home) == before
    assert not (live.home / "networks" / "draft.pt").exists()
    resumed = home.train(resume=True)
    assert home.bundles.manifest(resumed.digest).training["begun_with"] == before
    assert home.reproduce(resumed.digest).equal


def test_where_nothing_can_be_left_it_says_so(lived: LiveHome, tmp_path: Path) -> None:
    home = copy_of(lived.home, tmp_path / "home").home
    shutil.rmtree(home / "networks")
    (home / "networks").write_text("a file")
    with pytest.raises(DependencyUnavailable, match="networks cannot be written"):
        Home(home).train()


def test_a_schedule_begins_warm_so_many_times_in_a_row(
    lived: LiveHome, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = Home(copy_of(lived.home, tmp_path / "home").home)
    assert not begins_warm(home)
    home.configure(**{"retraining.warm_in_a_row": 1, "retraining.fewest_new": 0})
    assert begins_warm(home)
    assert retrain(home) is None
    assert "not trained again: no row that trains is newer" in capfd.readouterr().err
    (kept,) = (tmp_path / "home" / "networks").iterdir()
    kept.write_bytes(b"torn")
    assert begins_warm(home)
    trained = retrain(home)
    assert trained is not None
    assert "trained from nothing: " in capfd.readouterr().err
    manifest = home.bundles.manifest(trained.digest)
    assert manifest.training["begun_with"] is None
    for path in (tmp_path / "home" / "networks").iterdir():
        path.unlink()
    assert not begins_warm(home)
