"""Rows beyond memory lie in a file, and teach the same."""

import errno
import os

import msgspec
import numpy as np
import pytest

from playbill.core import DependencyUnavailable
from playbill.training import spill
from playbill.training.ranker_training import train_ranker
from playbill.training.spill import empty_floats


def test_in_a_file_it_is_an_array_like_any_other_and_leaves_nothing_behind(tmp_path):
    held = empty_floats((5, 3), 0, tmp_path)
    assert (held.shape, held.dtype, held.flags.writeable) == ((5, 3), np.float32, True)
    held[[4, 0]] = [[1, 2, 3], [4, 5, 6]]
    assert held.sum() == 21.0
    assert list(tmp_path.iterdir()) == []


def test_what_fits_is_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(spill.tempfile, "TemporaryFile", None)
    assert empty_floats((5, 3), 60, tmp_path).shape == (5, 3)
    assert empty_floats((0, 3), 0, tmp_path).shape == (0, 3)
    with pytest.raises(TypeError):
        empty_floats((5, 3), 59, tmp_path)


def test_rows_in_a_file_make_the_same_ranker(dataset, rows, split, quickly, histories):
    training = msgspec.structs.replace(quickly.training, rows_in_memory_gib=0.0)
    settings = msgspec.structs.replace(quickly, training=training)
    before = sorted(dataset.tables.iterdir())
    held = dataset.rows_for(settings, None)
    assert sorted(dataset.tables.iterdir()) == before
    for name in rows.__slots__:
        assert np.array_equal(getattr(held, name), getattr(rows, name)), name
    found = [train_ranker(each, split, quickly, histories) for each in (held, rows)]
    assert found[0].graph == found[1].graph
    assert found[0].record == found[1].record


def test_rows_from_an_instant_on_are_those_and_in_order(dataset, rows):
    from_ms = int(np.quantile(rows.at_ms, 0.4))
    expected = rows.only(rows.at_ms >= from_ms)
    found = dataset.rows(from_ms=from_ms)
    assert 0 < len(found) == len(expected) < len(rows)
    for name in set(rows.__slots__) - {"users"}:
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    pairs = set(zip(found.users.tolist(), expected.users.tolist(), strict=True))
    assert len(pairs) == len(set(found.users.tolist())) == len(set(expected.users.tolist()))


def test_without_room_for_the_file_it_says_so(dataset, monkeypatch):
    def full(descriptor, offset, size):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spill.os, "posix_fallocate", full)
    with pytest.raises(DependencyUnavailable, match="No space left"):
        dataset.rows(in_memory_gib=0.0)
