"""A training that begins with another's networks knows what they knew, and what it never met."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from playbill.core import Conflict, DependencyUnavailable, InvalidInput, NotFound
from playbill.models.content_tower import DURATION_EDGES_MS, LANGUAGES
from playbill.models.networks import ItemNetwork
from playbill.models.user_network import UserNetwork
from playbill.training.crewed_towers import train_towers_by_crew
from playbill.training.positions import PositionBias
from playbill.training.ranker_rows import RankerRows, network_of, score_logits
from playbill.training.ranker_training import Start, train_ranker
from playbill.training.sequences import sequences_of
from playbill.training.tower_data import item_places
from playbill.training.tower_training import train_towers
from playbill.training.warm_start import Left, save_left

UNTIL_MS = 123_000
DATA = {
    "train_until_ms": UNTIL_MS,
    "ended_at_ms": 150_000,
    "windows_s": {"click": 10, "long_view": 10, "like": 50, "negative": 10},
}


@pytest.fixture(scope="module")
def ranker(rows, split, quickly, histories):
    return train_ranker(rows, split, quickly, histories)


@pytest.fixture(scope="module")
def items(dataset):
    return dataset.items()


@pytest.fixture(scope="module")
def sequences(rows, split):
    return sequences_of(rows, rows.at_ms < split.validate_until_ms)


@pytest.fixture(scope="module")
def towers(sequences, items, quickly):
    return train_towers(sequences, items, quickly)


@pytest.fixture(scope="module")
def path(ranker, towers, tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "folder" / "left.pt"
    save_left(path, ranker, towers)
    return path


@pytest.fixture(scope="module")
def left(path):
    return Left.load(path, "sha256:aa", DATA, 2)


def fresh(rows, split, settings, histories, seed=1):
    """Return a ranker that knows nothing, for all rows that train."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inputs = RankerRows(rows, histories)
        train = np.flatnonzero(split.train(rows.at_ms))
        network = network_of(inputs, train, settings, settings.training.hidden)
        return network, PositionBias(len(settings.surfaces) + 1), inputs


def test_it_begins_with_what_the_other_said_before_it_was_shifted(
    rows, split, quickly, histories, ranker, left
):
    network, positions, inputs = fresh(rows, split, quickly, histories)
    left.into_ranker(network, positions)
    some = np.arange(200)
    expected = score_logits(ranker.network, inputs, some)
    expected -= ranker.network.ranker.shifts.numpy()[rows.categories[some, 0]]
    assert score_logits(network, inputs, some) == pytest.approx(expected, abs=1e-5)
    assert torch.equal(positions.steps, ranker.positions.steps)
    assert (left.digest, left.train_until_ms, left.warm_in_a_row) == ("sha256:aa", UNTIL_MS, 2)
    assert left.known_until_ms == 100_000


def test_topics_and_videos_it_never_met_stay_as_new(rows, split, quickly, histories, ranker, left):
    categories = rows.categories.copy()
    categories[:, 2] = np.where(np.arange(len(rows)) % 3 == 0, 9, categories[:, 2])
    blank, positions, _ = fresh(replace(rows, categories=categories), split, quickly, histories)
    began, _, _ = fresh(replace(rows, categories=categories), split, quickly, histories)
    known = replace(left, interest_places=left.interest_places[:-1])
    known.into_ranker(began, positions)
    ours, theirs = began.ranker, ranker.network.ranker
    count = int(theirs.sizes[2])
    at, was = int(ours.offsets[2]), int(theirs.offsets[2])
    table, new = ours.embeddings.weight, blank.ranker.embeddings.weight
    assert int(ours.sizes[2]) == 10 > count
    assert torch.equal(table[at : at + count], theirs.embeddings.weight[was : was + count])
    assert torch.equal(table[at + count :], new[at + count :])
    last = began.interests.places[len(left.interest_places) - 1]
    assert last > 0
    videos, before = began.interests.videos.weight, ranker.network.interests.videos.weight
    assert torch.equal(videos[last], blank.interests.videos.weight[last])
    assert torch.equal(videos[1:last], before[1:last])


def test_only_newer_rows_are_learned_from(rows, split, quickly, histories, left):
    """Turning round every label before an instant changes no byte."""
    train = split.train(rows.at_ms)
    from_ms = int(np.quantile(rows.at_ms[train], 0.7))
    older = rows.at_ms < from_ms
    other = replace(rows, labels=np.where(older[:, None], ~rows.labels, rows.labels))
    found = [
        train_ranker(
            each, split, quickly, histories, start=Start(left.into_ranker, from_ms, from_ms)
        )
        for each in (rows, other)
    ]
    assert found[0].graph == found[1].graph
    assert found[0].record["train_rows"] == (train & ~older).sum()


def test_rows_whose_labels_were_not_known_are_learned_from_too(rows, split):
    train = np.flatnonzero(split.train(rows.at_ms))
    until_ms, known_ms = (int(np.quantile(rows.at_ms[train], share)) for share in (0.7, 0.5))
    learned = Start(None, until_ms, known_ms).learned(rows, train)
    assert learned.tolist() == train[rows.at_ms[train] >= known_ms].tolist()
    learned = Start(None, known_ms, until_ms).learned(rows, train)
    assert learned.tolist() == train[rows.at_ms[train] >= known_ms].tolist()


def test_where_nothing_is_newer_it_is_refused(rows, split, quickly, histories, left):
    start = Start(left.into_ranker, split.train_until_ms, 0)
    with pytest.raises(Conflict, match="no row that trains is newer") as refusal:
        train_ranker(rows, split, quickly, histories, start=start)
    assert "without --warm" in refusal.value.hint


def test_a_surface_that_was_added_begins_as_new(rows, split, quickly, histories, left):
    more = msgspec.structs.replace(quickly, surfaces=(*quickly.surfaces, "third"))
    network, positions, _ = fresh(rows, split, more, histories)
    left.into_ranker(network, positions)
    assert torch.equal(positions.steps[:3], left.positions["steps"])
    assert (positions.steps[3] == 0.0).all()


def test_other_layers_are_refused_with_their_name(rows, split, quickly, histories, left):
    training = msgspec.structs.replace(quickly.training, hidden=(8, 4))
    narrower = msgspec.structs.replace(quickly, training=training)
    with pytest.raises(InvalidInput, match=r"ranker to begin with has another shape at"):
        train_ranker(rows, split, narrower, histories, start=left.start())


def test_towers_begin_with_the_vectors_of_what_both_know(items, sequences, towers, left):
    places = item_places(items, sequences.items)
    user, item = _towers(places)
    blank = _towers(places)[1]
    missing = int(places.item_rows[3])
    known = replace(left.towers, items=left.towers.items[:-1])
    known.into(user, item, places)
    with torch.no_grad():
        vectors = item.eval()(torch.arange(len(items))).numpy()
    expected = towers.item_vectors
    others = np.arange(len(items)) != places.item_rows[-1]
    assert vectors[others] == pytest.approx(expected[others], abs=1e-5)
    assert torch.equal(item.residuals.weight[-1], blank.residuals.weight[-1])
    assert missing in left.towers.items
    for ours, theirs in zip(user.parameters(), towers.user.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def _towers(places):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        sizes = LANGUAGES, len(DURATION_EDGES_MS) + 1
        return UserNetwork(), ItemNetwork(places.columns, 0.0, *sizes)


def test_towers_that_begin_with_others_take_a_third_of_the_passes(
    sequences, items, quickly, towers, left
):
    warm = train_towers(sequences, items, quickly, begin=left.towers)
    again = train_towers(sequences, items, quickly, begin=left.towers)
    assert warm.record["losses"][0] < towers.record["losses"][0]
    assert warm.user_graph == again.user_graph
    assert warm.record["passes"] <= towers.record["passes"]


def test_a_crew_begins_with_any_towers_and_leaves_its_own(sequences, items, quickly, left):
    """One worker's towers to a crew of two, and the crew's to one worker: nothing is lost."""
    training = msgspec.structs.replace(quickly.training, workers=2, plan="rows", tower_epochs=9)
    settings = msgspec.structs.replace(quickly, training=training)
    cold = train_towers_by_crew(sequences, items, settings)
    assert cold.left is None
    warm = train_towers_by_crew(sequences, items, settings, begin=left.towers, leave=True)
    assert warm.record["steps"] < cold.record["steps"]
    assert warm.record["losses"][0] < cold.record["losses"][0]
    places = item_places(items, sequences.items)
    user, item = _towers(places)
    warm.left.into(user, item, places)
    with torch.no_grad():
        vectors = item.eval()(torch.arange(len(items))).numpy()
    assert vectors == pytest.approx(warm.item_vectors, abs=1e-5)


def test_a_crew_is_not_begun_with_other_layers(sequences, items, quickly, left):
    training = msgspec.structs.replace(quickly.training, workers=2)
    settings = msgspec.structs.replace(quickly, training=training)
    odd = replace(left.towers, user={**left.towers.user, "cold": torch.zeros(3)})
    with pytest.raises(InvalidInput, match="user tower to begin with has another shape at cold"):
        train_towers_by_crew(sequences, items, settings, begin=odd)


def test_what_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="nothing is kept of the training of sha256:aa"):
        Left.load(tmp_path / "none.pt", "sha256:aa", DATA, 0)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"cos\nsystem\n(S'true'\ntR."])
def test_a_damaged_or_hostile_file_is_refused_and_nothing_runs(tmp_path, content):
    path = tmp_path / "left.pt"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be read"):
        Left.load(path, "sha256:aa", DATA, 0)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, ranker, towers):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(DependencyUnavailable, match="cannot be written"):
        save_left(tmp_path / "folder" / "left.pt", ranker, towers)
