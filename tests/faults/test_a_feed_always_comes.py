"""Part after part breaks, and a feed comes back: 200, with its tier and its reasons."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from live_home import LiveHome, event, in_ci, until
from playbill.app.history import LogSink
from playbill.app.supervisor import FIRST_WORKER
from playbill.app.updater_process import PLACE as UPDATER
from playbill.app.verbs import Home
from playbill.contracts import REASONS
from playbill.core import HOUR_MS
from playbill.registry import BundleStore
from trained_home import copy_of

Make = Callable[[], LiveHome]


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[LiveHome]:
    """A copy of the trained home, not started yet; stopped at the end."""
    live = copy_of(template, tmp_path / "home")
    yield live
    if live.process is not None and live.process.poll() is None:
        live.stop()


def served(reply: dict[str, Any], tier: str, *reasons: str) -> None:
    assert reply["tier"] == tier, reply
    assert set(reasons) <= set(reply["reasons"]), reply
    assert all(reason.partition(":")[0] in REASONS for reason in reply["reasons"])
    if tier != "static":
        assert reply["items"]
        assert len({item["video_id"] for item in reply["items"]}) == len(reply["items"])


def drill(live: LiveHome, part: str, seconds: float, *more: str) -> None:
    command = [sys.executable, "-m", "playbill.cli", "drill", part, "--home", str(live.home)]
    subprocess.run([*command, "--for", str(seconds), *more], check=True, capture_output=True)


def fill(path: Path) -> None:
    with path.open("wb") as file:
        while True:
            file.write(b"\0" * 65_536)
            file.flush()


def champion(live: LiveHome) -> Path:
    store = BundleStore(live.layout.bundles)
    digest = store.champion()
    assert digest is not None
    return store.path(digest)


def test_a_good_day_is_full_and_has_no_reasons(made: LiveHome) -> None:
    made.start()
    reply = made.feed("viewer1")
    served(reply, "full")
    assert reply["reasons"] == []
    assert reply["bundle"]


def test_an_unknown_viewer_is_ranked_for_too(made: LiveHome) -> None:
    made.start()
    served(made.feed("never seen before"), "full", "new_user")


def test_a_viewer_who_wants_no_personalisation_gets_the_same_as_anybody(made: LiveHome) -> None:
    made.start()
    served(made.feed("viewer1", personalised="false"), "full", "not_personalised")


def test_an_empty_catalogue_is_an_empty_static_feed(tmp_path: Path) -> None:
    live = LiveHome(tmp_path / "home").start()
    reply = live.feed("u")
    served(reply, "static", "catalogue_empty")
    assert reply["items"] == []
    (live.home / "static-feed.json").write_text('["safe-1", "safe-2"]')
    assert [item["video_id"] for item in live.feed("u")["items"]] == ["safe-1", "safe-2"]
    live.stop()


def test_without_a_bundle_the_region_s_list_is_served(made: LiveHome) -> None:
    shutil.rmtree(made.layout.bundles)
    made.start()
    served(made.feed("viewer1"), "popular", "no_bundle")


def test_a_bundle_of_another_home_is_refused(made: LiveHome) -> None:
    """The log is this home's; the bundle was copied from one where numbers mean other authors."""
    text = made.layout.record.read_text()
    ours = Home(made.home).wiring.home_id()
    assert ours is not None
    digest = Home(made.home).bundles.champion()
    assert digest is not None
    made.layout.record.write_text(text.replace(ours, "0" * 32))
    command = [sys.executable, "-m", "playbill.cli", "models", "promote", digest]
    ran = subprocess.run([*command, "--home", str(made.home)], capture_output=True, text=True)
    assert ran.returncode == 2
    assert f"made in home {ours}" in " ".join(ran.stderr.split())
    made.start()
    served(made.feed("viewer1"), "popular", "bundle_refused")
    assert made.status()["bundle"] is None


@pytest.mark.parametrize("name", ["ranker.onnx", "light.npz", "manifest.json"])
def test_a_corrupt_bundle_is_refused(made: LiveHome, name: str) -> None:
    path = champion(made) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    made.start()
    served(made.feed("viewer1"), "popular", "bundle_refused")
    why = "its manifest is not the one" if name == "manifest.json" else f"{name} was altered"
    assert f"is not served: {why}" in made.output.read_text()


def test_a_bundle_without_its_index_is_refused(made: LiveHome) -> None:
    (champion(made) / "index" / "codes.npy").unlink()
    made.start()
    served(made.feed("viewer1"), "popular", "bundle_refused")


def test_a_corrupt_new_champion_leaves_the_last_good_one_serving(made: LiveHome) -> None:
    made.start()
    before = made.feed("viewer1")["bundle"]
    good = champion(made)
    bad = made.layout.bundles / "0123456789abcdef"
    shutil.copytree(good, bad)
    (bad / "light.npz").write_bytes(b"nonsense")
    (made.layout.bundles / "champion").write_text("sha256:0123456789abcdef" + "0" * 48)
    errors = made.board().total("errors")
    until(lambda: made.board().total("errors") > errors, "the worker refuses it")
    reply = made.feed("viewer1")
    served(reply, "full")
    assert reply["bundle"] == before


def test_a_user_store_that_is_deleted_gives_the_last_list_and_then_comes_back(
    made: LiveHome,
) -> None:
    made.start()
    last = {item["video_id"] for item in made.feed("viewer1", size=50)["items"]}
    pid = made.pid(UPDATER)
    os.kill(pid, signal.SIGSTOP)
    shutil.rmtree(made.layout.users)
    gone = "user_store_unavailable"
    until(lambda: gone in made.feed("another")["reasons"], "the loss is noticed")
    reply = made.feed("viewer1")
    served(reply, "cached", "user_store_unavailable")
    assert {item["video_id"] for item in reply["items"]} <= last
    served(made.feed("viewer-never-served"), "popular", "user_store_unavailable")
    os.kill(pid, signal.SIGCONT)
    until(lambda: made.feed("viewer1")["tier"] == "full", "the store is rebuilt from the log")
    made.stop()
    assert Home(made.home).verify_state().equal


def test_a_full_log_disk_stops_events_and_no_feed(made: LiveHome, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "t", str(disk)]).returncode:
        assert not in_ci(), "CI must be able to mount a tmpfs"
        pytest.skip("mounting a small disk needs root")
    try:
        shutil.copytree(made.layout.log, disk / "log")
        shutil.rmtree(made.layout.log)
        made.layout.log.symlink_to(disk / "log")
        made.start()
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space"):
            fill(filler)
        body = {"events": [event("like", "viewer1", "v1", 1)]}
        refused = until(lambda: made.post("/v1/events", body)[0] == 503, "events are refused")
        assert refused
        assert made.post("/v1/events", body)[1]["error"]["code"] == "log_unavailable"
        until(lambda: "log_unavailable" in made.feed("viewer1")["reasons"], "feeds say so")
        served(made.feed("viewer1"), "full", "log_unavailable")
        filler.unlink()
        until(lambda: made.post("/v1/events", body)[0] == 202, "events are taken again")
        until(lambda: made.feed("viewer1")["reasons"] == [], "feeds are as ever")
        made.stop()
        assert Home(made.home).verify_state().equal
    finally:
        made.process and made.process.poll() is None and made.stop()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_scorer_that_raises_leaves_the_light_one(made: LiveHome) -> None:
    made.start()
    drill(made, "scorer-raises", 60)
    until(lambda: made.feed("viewer1")["tier"] == "light", "the drill runs")
    for _ in range(10):
        reply = made.feed("viewer1")
        served(reply, "light")
        assert {"heavy_scorer_failed", "heavy_scorer_resting"} & set(reply["reasons"])
    drill(made, "scorer-raises", 0)
    until(lambda: made.feed("viewer1")["tier"] == "full", "the scorer is asked again")


def test_a_light_scorer_that_raises_leaves_the_region_s_list(made: LiveHome) -> None:
    made.start()
    drill(made, "light-raises", 60)
    until(lambda: made.feed("viewer1")["tier"] == "popular", "the drill runs")
    served(made.feed("viewer1"), "popular", "light_scorer_failed")


def test_rows_that_cannot_be_read_leave_the_last_list(made: LiveHome) -> None:
    made.start()
    made.feed("viewer1", size=50)
    drill(made, "users-gone", 60)
    until(lambda: made.feed("viewer1")["tier"] == "cached", "the drill runs")
    served(made.feed("viewer1"), "cached", "user_store_unavailable")


def test_a_scorer_ten_times_slower_still_gives_a_personal_feed(made: LiveHome) -> None:
    made.start()
    drill(made, "scorer-slow", 60)
    for _ in range(20):
        assert made.feed("viewer1")["tier"] in ("full", "light")


def test_a_dead_updater_leaves_the_last_state_serving(made: LiveHome) -> None:
    with (made.home / "playbill.toml").open("a") as file:
        file.write("")
    text = (made.home / "playbill.toml").read_text()
    made.configure(text.replace("[serving]\n", "[serving]\nstale_state_s = 1\n"))
    made.start()
    os.kill(made.pid(UPDATER), signal.SIGSTOP)
    try:
        until(lambda: "state_stale" in made.feed("viewer1")["reasons"], "the silence is noticed")
        served(made.feed("viewer1"), "full", "state_stale")
    finally:
        os.kill(made.pid(UPDATER), signal.SIGCONT)
    until(lambda: made.feed("viewer1")["reasons"] == [], "the updater goes on")


def test_a_clock_that_jumps_an_hour_back_changes_nothing(made: LiveHome) -> None:
    """The log stands an hour ahead of the clock, as after such a jump."""
    home = Home(made.home)
    with home.wiring.alone():
        sink = LogSink(home.wiring.log(), home.settings, home.wiring.pseudonyms())
        ahead_ms = home.wiring.clock.now_ms() + HOUR_MS
        like = {**event("like", "viewer1", "v1", 9), "at": ahead_ms}
        assert sink.events([like], ahead_ms) == []
        sink.close()
    made.start()
    reply = made.feed("viewer1")
    served(reply, "full", "clock_behind_log")
    assert reply["served_at"] >= ahead_ms
    body = {"events": [event("like", "viewer1", "v2", 10)]}
    epoch = made.status()["epoch"]
    assert made.post("/v1/events", body)[0] == 202
    until(lambda: made.status()["epoch"] > epoch, "epochs go on")
    made.stop()
    assert home.verify_state().equal
    assert home.parity(100).equal == home.parity(100).compared


def test_a_scorer_that_hangs_costs_one_worker_and_the_others_never_notice(
    made: LiveHome,
) -> None:
    made.workers = 2
    made.start()
    until(lambda: made.board().rows["ready"][FIRST_WORKER + 2] == 1, "a standby is warm")
    hung = FIRST_WORKER
    pid = made.pid(hung)
    drill(made, "scorer-hangs", 60, "--worker", str(hung))
    answered: list[int] = []

    def asked() -> bool:
        """Ask on a connection of its own, so that either worker may get it."""
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            reply = made.pool.request(
                "GET",
                made.url + "/v1/feed?user_id=viewer1",
                headers={"connection": "close"},
                timeout=2.0,
            )
            answered.append(reply.status)
        return made.pid(hung) != pid

    until(asked, "the worker that hangs is replaced")
    assert set(answered) == {200}
    until(lambda: made.board().rows["ready"][FIRST_WORKER + 2] == 2, "the standby is called up")
    assert made.board().total("restarts") == 1
    for _ in range(20):
        served(made.feed("viewer1"), "full")


def test_an_edit_of_the_settings_that_cannot_be_read_costs_no_process(made: LiveHome) -> None:
    made.start()
    first = made.pid(FIRST_WORKER)
    (made.home / "playbill.toml").write_text("regions = [")
    os.kill(first, signal.SIGKILL)
    until(lambda: made.pid(FIRST_WORKER) not in (0, first), "the worker is replaced")
    until(lambda: made.board().rows["ready"][FIRST_WORKER], "the new one is ready")
    made.ready()
    served(made.feed("viewer1"), "full")


def test_a_home_whose_folder_is_deleted_stops(made: LiveHome) -> None:
    made.start()
    assert made.process is not None
    shutil.rmtree(made.home, ignore_errors=True)
    made.process.wait(60)
