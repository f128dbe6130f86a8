"""The benchmark's home is a real one, and its load is what it says."""

import asyncio
import json
import os
import shutil
import subprocess
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

from live_home import free_port
from playbill.app.clock import SystemClock
from playbill.app.verbs import Home
from playbill.benchmarks.churn import churn, with_newcomers
from playbill.benchmarks.feed import measure_feed, place_threads
from playbill.benchmarks.fold import measure_fold
from playbill.benchmarks.index import measure_index
from playbill.benchmarks.load import Generator
from playbill.benchmarks.posting import Plan
from playbill.benchmarks.prepare import prepare, read_prepared
from playbill.benchmarks.recall import Searched
from playbill.benchmarks.roofline import measure_roofline
from playbill.benchmarks.shapes import Shapes, products_of, weights_of, weights_once_of
from playbill.benchmarks.soak import measure_soak
from playbill.benchmarks.stages import measure_stages
from playbill.benchmarks.swap import measure_swap
from playbill.benchmarks.world import BenchWorld, vectors_of, viewer_name
from playbill.cli.bench_views import INDEX, STAGES, write
from playbill.contracts import ServingSettings, TrainingSettings
from playbill.core import Conflict, InvalidInput, NotFound
from playbill.features import VIEWER_FEATURES, VISIBLE, load_checkpoint, save_checkpoint
from playbill.models import INTERESTS, RANKER_INPUTS
from playbill.retrieval import VectorIndex
from playbill.retrieval.annex import Annex


def quiet(stage: str, share: float) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "home"
    prepare(folder, 3_000, 300, 7, lambda stage, share: None)
    return folder


def test_a_prepared_home_serves_full_feeds_under_load(home):
    report = measure_feed(home, free_port(), 0.5, 1, lambda stage, share: None)
    assert report["capacity_per_s"] > 0
    assert [row["loop"] for row in report["loads"]] == ["closed", "open", "open", "open"]
    for row in report["loads"]:
        assert row["failed"] == 0
        assert row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
    assert sum(row["tiers"].get("full", 0) for row in report["loads"]) > 0
    json.dumps(report)


def test_what_is_there_is_not_made_again_and_what_is_not_ours_is_left_alone(home, tmp_path):
    made = read_prepared(home)
    champion = Home(home).bundles.champion()
    assert prepare(home, 3_000, 300, 7, lambda stage, share: None) == made
    assert Home(home).bundles.champion() == champion == made.bundle
    (tmp_path / "letters.txt").write_text("ours")
    with pytest.raises(Conflict, match="no benchmark made"):
        prepare(tmp_path, 3_000, 300, 7, lambda stage, share: None)
    with pytest.raises(NotFound, match="no home that this version's benchmark made"):
        read_prepared(tmp_path)
    assert (tmp_path / "letters.txt").read_text() == "ours"


def test_a_seed_gives_the_same_world_and_another_seed_another():
    rows = np.arange(500)
    one, again, other = (BenchWorld(1_000, 100, seed, 10**12) for seed in (1, 1, 2))
    for made in (BenchWorld.items, BenchWorld.users):
        assert made(one, rows).tobytes() == made(again, rows).tobytes()
        assert made(one, rows).tobytes() != made(other, rows).tobytes()
    centres = one.centres()
    assert one.vectors(rows, centres).tobytes() == again.vectors(rows, centres).tobytes()
    assert np.linalg.norm(one.vectors(rows, centres), axis=1) == pytest.approx(1.0, abs=1e-5)


async def asked(head: bytes, body: bytes, pause_s: float, per_s: float, seconds: float):
    """Return what an open loop sees of a server that answers one request at a time."""
    one_at_a_time = asyncio.Lock()

    async def answer(reader, writer) -> None:
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                async with one_at_a_time:
                    await asyncio.sleep(pause_s)
                writer.write(head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        writer.close()
        await writer.wait_closed()

    port = free_port()
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    generator = Generator("127.0.0.1", port, [viewer_name(1)], SystemClock())
    load = await generator.open(per_s, seconds, np.random.default_rng(1))
    await generator.close()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)
    return load


def test_the_open_loop_counts_from_the_instant_that_was_due():
    """Asked twice as often as it can answer, a server is late by half of the time that passed."""
    load = asyncio.run(asked(b"HTTP/1.1 200 OK", b'{"tier":"full"}', 0.02, 100.0, 1.0))
    assert load.tiers == {"full": len(load.latency_ms)}
    assert load.failed == 0
    assert load.quantile_ms(0.95) > 500.0


def test_what_is_no_200_and_what_is_not_there_are_failures():
    refused = asyncio.run(asked(b"HTTP/1.1 503 No", b"", 0.0, 50.0, 0.2))
    nobody = Generator("127.0.0.1", free_port(), [viewer_name(1)], SystemClock())
    missed = asyncio.run(nobody.open(50.0, 0.2, np.random.default_rng(1)))
    for load in (refused, missed):
        assert load.latency_ms == []
        assert load.failed > 0


def test_stages_add_up_to_a_feed_and_a_page_shows_them(home, tmp_path):
    report = measure_stages(home, free_port(), 40, quiet)
    names = [row["stage"] for row in report["stages"]]
    assert {"viewer", "tower", "vector", "rules", "features", "heavy", "slate", "words"} <= set(
        names
    )
    told = sum(row["p50_us"] for row in report["stages"])
    assert told == pytest.approx(report["whole"]["p50_us"], abs=1.0)
    write(tmp_path / "stages.html", STAGES, report)
    page = (tmp_path / "stages.html").read_text()
    assert all(f">{name}<" in page for name in names)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("over HTTP", "")


def test_the_roofline_is_the_largest_of_three_times(home):
    report = measure_roofline(home, free_port(), 0.5, 3, quiet)
    assert report["limit_per_s"] == pytest.approx(1e6 / max(report["times_us"].values()), rel=0.01)
    share = report["requests_per_s"] / report["limit_per_s"]
    assert report["share_of_limit"] == pytest.approx(share, abs=1e-3)
    assert report["gflop_s"] > 0.0
    shares = sorted(row["share_of_limit"] for row in report["rounds"])
    assert report["share_of_limit"] == shares[1]
    assert len(shares) == len(report["loads"]) == 3
    json.dumps(report)


def test_a_request_s_work_is_counted_from_its_shapes(home):
    bundle = Home(home).bundles.path(read_prepared(home).bundle)
    index = VectorIndex.load(bundle / "index")
    weights = weights_of(bundle / "ranker.onnx")
    widths = RANKER_INPUTS + 24, *TrainingSettings().hidden, 4
    assert weights == sum(first * second for first, second in pairwise(widths))
    once = weights_once_of(bundle / "ranker.onnx")
    assert once == (sum(VIEWER_FEATURES) + INTERESTS + 2 * 8) * widths[1]
    few, many = (
        Shapes(index, weights, once, 0, count, ServingSettings()).work() for count in (200, 500)
    )
    assert many.flop > few.flop > 2 * (200 * (weights - once) + once)
    assert many.random_lines == few.random_lines + 300 * 3
    assert many.stream_bytes > few.stream_bytes


def test_the_products_of_a_user_tower_grow_with_the_history(home):
    bundle = Home(home).bundles.path(read_prepared(home).bundle)
    few, many = (products_of(bundle / "user_tower.onnx", videos) for videos in (2, 32))
    of_a_token = 64 * (64 + 3 * 64 + 64 + 2 * 256 + 2 * 64)
    attention = 2 * 64 * (33 * 33 - 3 * 3)
    last_place_and_means = 2 * 64 * 30 + 2 * 64 * 30
    assert many - few == 30 * of_a_token + attention + last_place_and_means


def test_swaps_under_load_lose_no_request_and_leave_the_first_bundle(home):
    champion = Home(home).bundles.champion()
    report = measure_swap(home, free_port(), 2, 4.0, quiet)
    assert report["swaps"] == report["arrived"] == 2
    assert report["failed"] == report["empty"] == 0
    assert Home(home).bundles.champion() == champion
    assert Home(home).bundles.digests() == [champion]


def test_a_soak_tells_of_every_slice(home):
    report = measure_soak(home, free_port(), 0.07, quiet)
    assert len(report["slices"]) == 4
    assert report["failed"] == report["empty"] == 0
    assert report["same_process"]
    assert all(part["private_mb"] > 0 and part["descriptors"] > 0 for part in report["slices"])


def test_an_index_that_lives_on_finds_what_one_built_anew_finds(home, tmp_path):
    report = measure_index(home, 900, 600, 60, 10, quiet)
    built, filled, anew = report["indexes"]
    assert built["recall_of_new"] is None
    assert filled["new_among_nearest"] == anew["new_among_nearest"] > 60
    assert min(row["recall"] for row in report["indexes"]) > 0.9
    assert filled["recall_of_new"] > 0.9
    apart = filled["recall"] - anew["recall"]
    assert report["filled_less_rebuilt"] == pytest.approx(apart, abs=2e-4)
    low, high = report["interval_95"]
    assert low <= report["filled_less_rebuilt"] <= high
    json.dumps(report)
    write(tmp_path / "index.html", INDEX, report)
    assert "after inserts and deletes" in (tmp_path / "index.html").read_text()


def test_videos_that_came_to_a_prepared_home_change_no_figure(home, tmp_path):
    shutil.copytree(home, tmp_path / "later")
    layout, settings = Home(tmp_path / "later").wiring.layout, Home(home).settings
    state = load_checkpoint(layout.checkpoints, settings)
    more = np.concatenate([state.items.used(), state.items.used()[:5]])
    more["key"][-5:] = np.arange(1, 6)
    state.items.restore(more)
    save_checkpoint(layout.checkpoints, state)
    then, now = (measure_index(one, 90, 60, 10, 10, quiet) for one in (home, tmp_path / "later"))
    for before, after in zip(then["indexes"], now["indexes"], strict=True):
        assert before["recall"] == after["recall"]
        assert before["recall_of_new"] == after["recall_of_new"]


def test_an_index_that_takes_nothing_in_is_found_out(home, monkeypatch):
    monkeypatch.setattr(Annex, "publish", lambda annex: None)
    _, filled, anew = measure_index(home, 900, 600, 20, 10, quiet)["indexes"]
    assert filled["recall_of_new"] == 0.0
    assert anew["recall_of_new"] > 0.9


def test_as_many_come_and_go_as_were_asked_for_and_nothing_comes_back():
    world = BenchWorld(1_000, 10, 1, 10**12)
    vectors = vectors_of(world, 1_130, quiet)
    items = world.items(np.arange(1_000))
    living, tower = with_newcomers(world, vectors, items, np.random.default_rng(1))
    assert tower.vectors(living.items[1_000:]).tobytes() == vectors[1_000:].tobytes()
    assert len(np.unique(living.items["key"])) == 1_130
    before, hidden = len(living.visible), np.flatnonzero(items["flags"] & VISIBLE == 0)
    counts = list(churn(living, 170, np.random.default_rng(2)))
    assert counts == [1_050, 1_100, 1_130, 1_130]
    assert len(living.visible) == before - 170
    assert not np.isin(hidden, living.visible).any()
    with pytest.raises(InvalidInput, match="too many to take down"):
        next(churn(living, len(living.visible), np.random.default_rng(3)))


def test_two_searches_are_compared_query_by_query():
    exact = np.array([[0, 5], [1, -1]])
    us = np.ones(2)
    all_of_it = Searched(exact, 5, np.array([[True, True], [True, False]]), us)
    half = Searched(exact, 5, np.array([[True, False], [True, False]]), us)
    assert (all_of_it.row("a")["recall"], half.row("b")["recall"]) == (1.0, 0.6667)
    assert (all_of_it.row("a")["recall_of_new"], half.row("b")["recall_of_new"]) == (1.0, 0.0)
    assert all_of_it.ahead_of(half) == (0.25, pytest.approx(1.96 * 0.25 / 2**0.5, abs=1e-4))
    assert all_of_it.ahead_of(all_of_it) == (0.0, 0.0)


def test_folding_beside_feeds_is_measured_and_every_vector_is_recomputed(home):
    for _ in range(2):
        report = measure_fold(home, free_port(), 3.0, 2_000.0, 10.0, 300, quiet)
        quiet_load, folding = report["loads"]
        assert (quiet_load["stage"], folding["stage"]) == ("quiet", "folding")
        assert quiet_load["failed"] == folding["failed"] == report["posts_failed"] == 0
        assert report["videos_posted"] == report["videos_listed"] == 30
        assert 0 < report["eligible_p50_ms"] <= report["eligible_p99_ms"]
        assert report["epochs"] > 1
        roles = {name.partition("-")[0] for name in report["cores"]}
        assert {"updater", "collector", "worker", "generator"} <= roles
        parity = report["parity"]
        assert parity["compared"] == parity["equal"] > 0
        assert not (home / "fold-start").exists()
    json.dumps(report)


def test_what_is_posted_comes_from_the_seed_and_the_run():
    sizes = {"port": 1, "seconds": 2.0, "events_per_s": 1_000.0, "videos_per_s": 3.0, "at_ms": 1}
    plan = Plan(**sizes, viewers=20, videos=50, run="a")
    bodies = [json.loads(body)["events"] for body in plan.events()]
    assert [len(events) for events in bodies] == [1_000, 1_000]
    assert len({event["event_id"] for events in bodies for event in events}) == 2_000
    assert {event["user_id"] for event in bodies[0]} == {viewer_name(n) for n in range(20)}
    videos = [json.loads(body)["video_id"] for body in plan.posted_videos()]
    assert videos == [plan.video_id(n) for n in range(6)]
    other = Plan(**sizes, viewers=20, videos=50, run="b")
    assert not set(videos) & {json.loads(body)["video_id"] for body in other.posted_videos()}


def test_a_thread_that_ends_while_threads_are_placed_does_no_harm(monkeypatch):
    everybody = os.sched_getaffinity(0)
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setattr(os, "listdir", lambda path: [str(gone.pid), str(os.getpid())])
    place_threads(everybody)
    assert os.sched_getaffinity(0) == everybody
