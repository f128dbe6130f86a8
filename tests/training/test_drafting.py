import dataclasses
import json
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

import playbill.training
from playbill.app.learning import reasons_of
from playbill.contracts import Manifest
from playbill.core import HOUR_MS, Conflict, DependencyUnavailable, InvalidInput
from playbill.features import FEATURE_NAMES, VISIBLE, features_digest
from playbill.models import LightScorer, value_vector
from playbill.registry import BundleStore
from playbill.retrieval import VectorIndex
from playbill.training import (
    Circumstances,
    Dataset,
    RowScorer,
    compare_bundles,
    draft_bundle,
    evaluate_bundle,
    evaluate_rolling,
)
from playbill.training.popular import popular_lists
from playbill.training.provenance import SETTINGS_READ, settings_read
from playbill.training.ranker_training import train_ranker
from playbill.training.schema import REPORT_FILE

MADE = Circumstances(at_ms=1_700_000_000_000, hardware="2 cores", version="0.0.0", home="a" * 32)


@pytest.fixture(scope="module")
def draft(dataset, quickly, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "draft"
    return folder, draft_bundle(dataset, quickly, folder, MADE)


def test_a_draft_holds_every_file_but_the_index(draft):
    folder, _ = draft
    assert {path.name for path in folder.iterdir()} == {
        "ranker.onnx",
        "light.npz",
        "interests.npz",
        "interest_codes.npy",
        "user_tower.onnx",
        "content_tower.npz",
        "item_vectors.npy",
        "item_records.npy",
        "item_rows.npy",
        "viewers.npy",
        "transitions_by_row",
        "popular.json",
        "card.json",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["draft"]


def test_the_manifest_says_on_what_how_and_how_well(draft, dataset, quickly):
    _, manifest = draft
    assert isinstance(manifest, Manifest)
    assert manifest.features == features_digest()
    assert manifest.feature_names == list(FEATURE_NAMES)
    assert manifest.value_weights == {
        "click": 1.0, "long_view": 2.0, "like": 4.0, "negative": -12.0
    }  # fmt: skip
    assert manifest.created_at_ms == MADE.at_ms
    assert manifest.data["rows"] == dataset.report.rows
    assert manifest.data["train_until_ms"] < manifest.data["validate_until_ms"]
    assert manifest.training["seed"] == quickly.training.seed
    assert manifest.training["hardware"] == "2 cores"
    assert set(manifest.training["libraries"]) >= {"torch", "onnxruntime", "numpy"}
    assert set(manifest.metrics["metrics"]) == {"click", "long_view", "like", "negative"}
    assert manifest.metrics["leak_suspects"] == []


def test_the_manifest_names_the_home_and_every_setting_that_was_read(draft, quickly):
    _, manifest = draft
    assert manifest.home == MADE.home
    read = manifest.training["settings_read"]
    table = msgspec.json.decode(msgspec.json.encode(quickly))
    assert read == {
        name: table[name]
        for name in ("regions", "surfaces", "admission", "labels", "state", "training", "value")
    }
    assert read["training"]["learning_rate"] == 3e-3
    assert read["value"]["negative"] == -12.0
    assert read["regions"] == ["north", "south"]
    assert manifest.training["day_offset_h"] == 0
    assert manifest.training["rows_from_ms"] is None


def test_no_key_and_no_viewer_gets_into_a_manifest(quickly):
    told = msgspec.structs.replace(
        quickly, api_keys={"f" * 64: ("feed",)}, example_users=("jane.doe",)
    )
    said = json.dumps(settings_read(told))
    assert "f" * 64 not in said
    assert "jane.doe" not in said


def test_training_reads_no_setting_that_the_manifest_leaves_out():
    """Whoever adds a reader sees it here: the source names the tables that it reads."""
    read = set()
    for path in Path(playbill.training.__file__).parent.glob("*.py"):
        read |= set(re.findall(r"settings\.([a-z_]+)", path.read_text("utf-8")))
    assert read <= set(SETTINGS_READ)
    assert read >= {"regions", "surfaces", "labels", "training", "value"}


def test_the_card_is_the_manifest_for_people(draft):
    folder, manifest = draft
    card = json.loads((folder / "card.json").read_text())
    assert card == {
        name: value for name, value in msgspec.to_builtins(manifest).items() if name != "files"
    }


def test_a_run_repeated_gives_the_same_bytes(draft, dataset, quickly, tmp_path):
    folder, manifest = draft
    again = draft_bundle(dataset, quickly, tmp_path / "again", MADE)
    assert again == manifest
    for path in (path for path in folder.rglob("*") if path.is_file()):
        other = tmp_path / "again" / path.relative_to(folder)
        assert path.read_bytes() == other.read_bytes(), path.name


def test_a_draft_can_be_indexed_sealed_and_promoted(draft, tmp_path):
    folder, manifest = draft
    copy = shutil.copytree(folder, tmp_path / "bundles" / ".draft")
    vectors, keys = np.load(copy / "item_vectors.npy"), np.load(copy / "item_records.npy")["key"]
    VectorIndex.build(vectors, keys, 7).save(copy / "index")
    store = BundleStore(tmp_path / "bundles", MADE.home)
    digest = store.add(copy, manifest)
    store.promote(digest)
    assert store.champion() == digest
    assert "ranker.onnx" in store.manifest(digest).files


def test_vectors_are_those_of_the_visible_videos(draft, dataset):
    folder, _ = draft
    items = dataset.items()
    visible = items["key"][(items["flags"] & VISIBLE) != 0]
    assert (np.load(folder / "item_records.npy")["key"] == visible).all()
    assert (items["key"][np.load(folder / "item_rows.npy")] == visible).all()
    assert np.load(folder / "item_vectors.npy").shape == (len(visible), 64)


def test_the_light_scorer_follows_the_rankers_utility(draft, dataset, quickly):
    folder, manifest = draft
    rows = dataset.rows()
    p = RowScorer.load(folder, dataset.histories(), 1)(rows)
    light = LightScorer.load(folder / "light.npz").score(rows.dense)
    assert np.corrcoef(light, p @ value_vector(quickly.value))[0, 1] > 0.7
    assert manifest.metrics["light"]["rank_correlation"] > 0.6


def test_every_declared_region_has_a_list_of_visible_videos(draft, dataset):
    folder, _ = draft
    lists = json.loads((folder / "popular.json").read_text())
    assert set(lists) == {"0", "1", "2"}
    known = set(dataset.items()["key"].tolist())
    for keys in lists.values():
        assert len(keys) == len(set(keys)) == 60
        assert set(keys) <= known


def test_popular_lists_know_worth_hiding_and_closed_regions(dataset, quickly):
    rows, items = dataset.rows(), dataset.items().copy()
    everyone = np.ones(len(rows), np.bool_)
    items["flags"][0] = 0
    items["regions"][1] = 1 << 1
    value = value_vector(quickly.value)
    lists = popular_lists(rows, everyone, items, value, regions=2, now_ms=int(rows.at_ms.max()))
    hidden, southern = (int(items["key"][row]) for row in (0, 1))
    assert all(hidden not in keys for keys in lists.values())
    assert [southern in lists[code] for code in ("0", "1", "2")] == [False, False, True]
    worth = np.bincount(rows.items, rows.labels @ value.astype(np.float64), minlength=60)
    order = {int(key): place for place, key in enumerate(items["key"])}
    ranked = [worth[order[key]] for key in lists["0"]]
    assert np.mean(ranked[:10]) > np.mean(ranked[-10:])


def test_a_bundle_is_judged_on_rows_it_never_saw(draft, dataset, quickly):
    folder, manifest = draft
    found = evaluate_bundle(dataset, folder, manifest, quickly, resamples=20)
    assert found["protocol"] == "quick"
    rows = dataset.rows()
    unseen = rows.at_ms >= manifest.data["validate_until_ms"]
    assert found["rows"] == int(unseen.sum())
    assert found["metrics"]["click"]["auc"] == manifest.metrics["metrics"]["click"]["auc"]
    assert set(found) >= {"metrics", "floor", "intervals", "data", "note"}


def test_a_bundle_that_has_seen_all_rows_is_not_judged(draft, dataset, quickly):
    folder, manifest = draft
    seen = {**manifest.data, "validate_until_ms": dataset.report.last_at_ms + 1}
    greedy = msgspec.structs.replace(manifest, data=seen)
    with pytest.raises(InvalidInput, match="nothing is left to report on"):
        evaluate_bundle(dataset, folder, greedy, quickly)


def test_a_bundle_of_other_features_is_not_judged(draft, dataset, quickly):
    folder, manifest = draft
    other = msgspec.structs.replace(manifest, features="sha256:" + "0" * 64)
    with pytest.raises(InvalidInput, match="reads features sha256:000"):
        evaluate_bundle(dataset, folder, other, quickly)


def test_rolling_pools_days_that_no_ranker_had_seen(dataset, quickly):
    told = []
    found = evaluate_rolling(
        dataset, quickly, 0, lambda stage, share: told.append(stage), days=2, resamples=20
    )
    assert (found["protocol"], found["days"], len(found["data"]["splits"])) == ("rolling", 2, 2)
    assert found["rows"] == sum(split["report_rows"] for split in found["data"]["splits"])
    assert found["metrics"]["click"]["auc"] > 0.6
    assert any(stage.startswith("day 2 of 2") for stage in told)


def test_rolling_over_more_days_than_there_are_is_refused(dataset, quickly):
    with pytest.raises(InvalidInput, match="rolling over 5 needs 7"):
        evaluate_rolling(dataset, quickly)


def test_a_draft_that_is_there_is_left_alone(draft, dataset, quickly):
    folder, _ = draft
    before = (folder / "ranker.onnx").read_bytes()
    with pytest.raises(Conflict, match="is there already"):
        draft_bundle(dataset, quickly, folder, MADE)
    assert (folder / "ranker.onnx").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named_before_training(dataset, quickly, tmp_path):
    (tmp_path / "file").write_text("")
    told = []
    with pytest.raises(DependencyUnavailable, match="cannot be written"):
        draft_bundle(
            dataset, quickly, tmp_path / "file" / "draft", MADE,
            on_progress=lambda stage, share: told.append(stage),
        )  # fmt: skip
    assert told == []


def test_a_failed_run_leaves_nothing_behind(dataset, quickly, tmp_path):
    with pytest.raises(InvalidInput, match="rows would train"):
        draft_bundle(
            dataset,
            quickly,
            tmp_path / "draft",
            MADE,
            rows_from_ms=dataset.report.last_at_ms - 3 * HOUR_MS,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_of_other_features_trains_nothing(tables, tmp_path):
    copy = shutil.copytree(tables, tmp_path / "tables")
    report = json.loads((copy / REPORT_FILE).read_text())
    report["features"] = "sha256:" + "1" * 64
    (copy / REPORT_FILE).write_text(json.dumps(report))
    with pytest.raises(InvalidInput, match="holds features"):
        Dataset.open(copy)


def test_a_challenger_that_learned_the_opposite_is_worse_beyond_doubt(
    draft, dataset, quickly, rows, histories, split, tmp_path
):
    folder, manifest = draft
    shutil.copytree(folder, tmp_path / "other")
    contrary = dataclasses.replace(rows, labels=~rows.labels)
    train_ranker(contrary, split, quickly, histories).save(tmp_path / "other")
    other = tmp_path / "other", manifest
    found = compare_bundles(dataset, other, draft, quickly, 0, resamples=40)
    assert found["worse"] == ["click", "long_view"]
    assert found["rows"] == split.report(rows.at_ms).sum()
    assert compare_bundles(dataset, draft, other, quickly, 0, resamples=40)["worse"] == []
    same = compare_bundles(dataset, draft, draft, quickly, 0, resamples=40)
    assert same["gains"]["click"]["auc"] == 0.0
    assert same["worse"] == []


def test_where_no_label_is_known_yet_nobody_is_said_to_be_no_worse(draft, dataset, quickly):
    seen_ms = draft[1].data["validate_until_ms"]
    early = msgspec.structs.replace(dataset.report, ended_at_ms=seen_ms)
    young = dataclasses.replace(dataset, report=early)
    found = compare_bundles(young, draft, draft, quickly, 0, resamples=40)
    assert (found["worse"], found["untold"]) == ([], ["click", "long_view"])
    assert reasons_of(found) == ["not known yet at click, long_view"]
    assert compare_bundles(dataset, draft, draft, quickly, 0, resamples=40)["untold"] == []


def test_bundles_that_have_seen_every_row_cannot_be_compared(draft, dataset, quickly):
    folder, manifest = draft
    seen = {**manifest.data, "validate_until_ms": 2**50}
    late = folder, msgspec.structs.replace(manifest, data=seen)
    with pytest.raises(InvalidInput, match="neither bundle has seen"):
        compare_bundles(dataset, draft, late, quickly, 0)
