from dataclasses import replace

import numpy as np
import pytest

from playbill.core import InvalidInput
from playbill.features import ITEM_RECORD, NO_TOPIC
from playbill.models import WIDTH, ContentTower
from playbill.models.content_tower import (
    DURATION_EDGES_MS,
    LANGUAGES,
    duration_bucket,
    language_bucket,
)


@pytest.fixture
def tower():
    random = np.random.default_rng(0)

    def table(size):
        return random.normal(size=(size, WIDTH)).astype(np.float32)

    rows = np.array([2, 5, 9], np.uint32)
    codes = np.array([7, 40_000], np.uint16)
    return ContentTower(table(4), rows, table(3), codes, table(2), table(LANGUAGES), table(11))


def item(**fields):
    record = np.zeros(1, ITEM_RECORD)
    record["topics"] = NO_TOPIC
    for name, value in fields.items():
        record[name] = value
    return record


def by_hand(tower, topics, author, language, duration_ms, words=()):
    total = tower.languages[language_bucket(np.array([language], np.uint16))[0]].copy()
    total += tower.durations[duration_bucket(np.array([duration_ms], np.uint32))[0]]
    if topics:
        total += np.mean([tower.topics[topic] for topic in topics], axis=0)
    if author is not None:
        total += tower.authors[author]
    if words:
        total += np.mean([tower.words[word] for word in words], axis=0)
    return total / np.linalg.norm(total)


def test_a_place_is_the_sum_of_what_a_video_is_about(tower):
    record = item(topics=[1, 3, NO_TOPIC, NO_TOPIC], author=5, language=700, duration_ms=16_000)
    assert tower.vectors(record)[0] == pytest.approx(
        by_hand(tower, [1, 3], 1, 700, 16_000), abs=1e-6
    )


def test_unknown_topics_and_authors_add_nothing(tower):
    record = item(topics=[2, 4, 60_000, NO_TOPIC], author=3, duration_ms=1)
    assert tower.vectors(record)[0] == pytest.approx(by_hand(tower, [2], None, 0, 1), abs=1e-6)


def test_a_video_about_nothing_still_has_a_place(tower):
    found = tower.vectors(item())
    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-6)


def test_many_at_once_are_as_one_by_one(tower):
    random = np.random.default_rng(1)
    records = np.zeros(50, ITEM_RECORD)
    records["topics"] = random.choice([0, 1, 2, 3, 9, NO_TOPIC], (50, 4))
    records["author"] = random.integers(0, 12, 50)
    records["words"] = random.choice([0, 7, 8, 40_000], (50, 12))
    records["duration_ms"] = random.integers(1, 10**6, 50)
    together = tower.vectors(records)
    alone = np.concatenate([tower.vectors(records[n : n + 1]) for n in range(50)])
    assert together.tobytes() == alone.tobytes()


def test_a_tower_without_authors_works(tower):
    lonely = replace(tower, author_rows=tower.author_rows[:0], authors=tower.authors[:0])
    assert np.isfinite(lonely.vectors(item(author=5))).all()


def test_words_add_their_mean_and_those_nobody_learned_of_nothing(tower):
    record = item(topics=[2, NO_TOPIC, NO_TOPIC, NO_TOPIC], duration_ms=1)
    record["words"][0, :4] = 40_000, 8, 7, 65_535
    assert tower.vectors(record)[0] == pytest.approx(
        by_hand(tower, [2], None, 0, 1, words=[0, 1]), abs=1e-6
    )
    silent = replace(tower, word_codes=tower.word_codes[:0], words=tower.words[:0])
    assert silent.vectors(record)[0] == pytest.approx(by_hand(tower, [2], None, 0, 1), abs=1e-6)


def test_buckets_cover_every_value():
    codes = np.arange(65_536, dtype=np.uint16)
    assert language_bucket(codes)[0] == 0
    assert set(language_bucket(codes[1:]).tolist()) == set(range(1, LANGUAGES))
    lengths = np.array([0, 4_999, 5_000, 899_999, 900_000, 2**32 - 1], np.uint32)
    assert duration_bucket(lengths).tolist() == [0, 0, 1, 9, 10, 10]
    assert len(DURATION_EDGES_MS) == 10


def test_saving_twice_gives_the_same_bytes(tower, tmp_path):
    for name in ("a.npz", "b.npz"):
        tower.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_damaged_files_are_refused(tower, tmp_path):
    path = tmp_path / "content_tower.npz"
    with pytest.raises(InvalidInput, match="is no content tower"):
        ContentTower.load(path)
    tower.save(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InvalidInput, match="is no content tower"):
        ContentTower.load(path)
    np.savez(path, topics=tower.topics)
    with pytest.raises(InvalidInput, match="is no content tower"):
        ContentTower.load(path)


def test_arrays_that_do_not_fit_together_are_refused(tower, tmp_path):
    path = tmp_path / "content_tower.npz"
    for odd in (
        replace(tower, author_rows=tower.author_rows[:2]),
        replace(tower, word_codes=tower.word_codes[:1]),
    ):
        odd.save(path)
        with pytest.raises(InvalidInput, match="has arrays of shapes"):
            ContentTower.load(path)
