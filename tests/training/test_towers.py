import msgspec
import numpy as np
import pytest
import torch
from training_worlds import SETTINGS, exposed_world

from playbill.core import InvalidInput
from playbill.features import USER_RECORD, empty_user
from playbill.models import ContentTower, UserTower, history_inputs
from playbill.models.content_tower import normalised
from playbill.training import Dataset, build_dataset
from playbill.training.crewed_towers import train_towers_by_crew
from playbill.training.retrieval_metrics import measure_towers
from playbill.training.sequences import Sequences, sequences_of
from playbill.training.split import quick_split
from playbill.training.tower_data import FEWEST_ITEM_POSITIVES, item_places, positives_of
from playbill.training.tower_training import train_towers


def learned_parts(dataset, quickly):
    """Return the items, the sequences that train and the positives that come later."""
    rows, histories, items = dataset.rows(), dataset.histories(), dataset.items()
    split = quick_split(rows.at_ms, quickly.training.holdout)
    seen = rows.at_ms < split.validate_until_ms
    return items, sequences_of(rows, seen), positives_of(rows, histories, ~seen)


@pytest.fixture(scope="module")
def parts(dataset, quickly):
    return learned_parts(dataset, quickly)


@pytest.fixture(scope="module")
def towers(parts, quickly):
    items, sequences, _ = parts
    return train_towers(sequences, items, quickly)


def test_the_same_seed_gives_the_same_towers(parts, towers, quickly):
    again = train_towers(parts[1], parts[0], quickly)
    assert again.user_graph == towers.user_graph
    assert again.item_vectors.tobytes() == towers.item_vectors.tobytes()


def test_vectors_have_length_one(towers):
    assert np.linalg.norm(towers.item_vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_video_without_positives_stands_where_its_content_says(parts, towers):
    items, sequences, _ = parts
    cold = items.copy()
    cold["key"] += np.uint64(1)
    cold_places = item_places(items, sequences.items[sequences.items != 5])
    assert 5 not in cold_places.item_rows
    content = towers.content.vectors(cold)
    assert content.tobytes() == towers.content.vectors(items).tobytes()
    warm = np.bincount(sequences.items, minlength=len(items)) >= FEWEST_ITEM_POSITIVES
    assert warm.any()
    assert (towers.item_vectors[~warm] == content[~warm]).all()
    assert (towers.item_vectors[warm] != content[warm]).any(axis=1).all()


def test_the_shipped_vectors_are_those_that_were_trained(parts, towers):
    with torch.no_grad():
        trained = towers.item(torch.arange(len(parts[0])))
    assert towers.item_vectors == pytest.approx(trained.numpy(), abs=1e-5)


def test_videos_of_one_topic_stand_together(parts, towers):
    topics = parts[0]["topics"][:, 0]
    alike = towers.content.vectors(parts[0]) @ towers.content.vectors(parts[0]).T
    same = topics[:, None] == topics[None, :]
    np.fill_diagonal(same, False)
    assert alike[same].mean() > alike[topics[:, None] != topics[None, :]].mean() + 0.1


def test_serving_gives_the_vector_that_was_trained(parts, towers):
    """The record a viewer has in serving, through ONNX, against the arrays of training."""
    _, _, later = parts
    tower = UserTower.load(towers.user_graph)
    for place in np.flatnonzero(later.counts > 1)[:5]:
        count = later.counts[place]
        kinds = later.kinds[place, :count]
        vectors = towers.item_vectors[later.history[place, :count]]
        with torch.no_grad():
            trained = towers.user(torch.from_numpy(vectors)[None], torch.from_numpy(kinds)[None])
        found = tower.vector(vectors, kinds)
        assert found == pytest.approx(trained[0, count].numpy(), abs=1e-5)


def test_a_viewer_without_a_past_gets_the_cold_vector(towers):
    tower = UserTower.load(towers.user_graph)
    user = empty_user()
    assert user.dtype == USER_RECORD
    found = tower.vector(*history_inputs(user, lambda rows: towers.item_vectors[rows]))
    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-5)


def test_the_towers_find_more_than_popularity_does(tmp_path, quickly):
    world = exposed_world(days=4, users=120, p_taken=(0.75, -0.15))
    build_dataset(world.log, SETTINGS, tmp_path)
    dataset = Dataset.open(tmp_path)
    items, sequences, later = learned_parts(dataset, quickly)
    found = measure_towers(train_towers(sequences, items, quickly), later, sequences.items)
    assert found["positives"] == len(later)
    assert found["recall"]["20"] > found["recall_of_popularity"]["20"] + 0.2


def test_without_later_positives_recall_is_not_known(parts, towers):
    _, sequences, later = parts
    none = type(later)(*(getattr(later, name)[:0] for name in later.__slots__))
    found = measure_towers(towers, none, sequences.items)
    assert found["positives"] == 0
    assert "not known" in found["note"]


def test_a_content_tower_survives_a_file(towers, tmp_path, parts):
    towers.content.save(tmp_path / "content_tower.npz")
    loaded = ContentTower.load(tmp_path / "content_tower.npz")
    assert loaded.vectors(parts[0]).tobytes() == towers.content.vectors(parts[0]).tobytes()


def test_a_crew_makes_towers_that_serve_like_those_of_one(parts, quickly):
    """Two workers; tables cut into rows; the same figures of the same kind come out."""
    items, sequences, later = parts
    training = msgspec.structs.replace(quickly.training, workers=2, plan="rows", tower_epochs=30)
    settings = msgspec.structs.replace(quickly, training=training)
    told = []
    made = train_towers_by_crew(
        sequences, items, settings, lambda stage, share: told.append((stage, share))
    )
    assert made.record["workers"] == 2
    assert made.record["losses"][-1] < made.record["losses"][0]
    assert told[-1] == ("train towers", 1.0)
    assert np.linalg.norm(made.item_vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    found = measure_towers(made, later, sequences.items)
    assert found["recall"]["20"] > found["recall_of_popularity"]["20"]
    with_content = content_only(made, items)
    unknown = np.setdiff1d(np.arange(len(items)), item_places(items, sequences.items).item_rows)
    assert made.item_vectors[unknown] == pytest.approx(with_content[unknown], abs=1e-5)


def test_a_crew_without_a_sequence_is_refused_before_it_starts(parts, quickly):
    empty = np.empty(0, np.int64)
    with pytest.raises(InvalidInput, match="retrieval has nothing to learn"):
        train_towers_by_crew(Sequences(empty, empty, empty), parts[0], quickly)


def content_only(towers, items):
    return normalised(towers.content.sums(items))
