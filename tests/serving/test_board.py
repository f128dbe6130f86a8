"""Latencies on the board and in Prometheus's format, slow ones included."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from playbill.core import DependencyUnavailable
from playbill.serving import Board, quantile_ms
from playbill.serving.board import BUCKET_MS, BUCKETS
from playbill.serving.http.health import Health

LATENCIES_MS = [0.01, 1.0, float(BUCKET_MS[-1]), 5_000.0, 60_000.0]


@pytest.fixture
def board(tmp_path):
    found = Board(tmp_path / "board", create=True)
    for place, ms in enumerate(LATENCIES_MS):
        found.row(place % 2).feed(0, ms)
    return found


def latency_samples(board):
    status = SimpleNamespace(
        read=lambda: SimpleNamespace(epoch=1, epoch_age_ms=0, epoch_lag_ms=0, videos=0, workers=1)
    )
    text = asyncio.run(Health(board, status).metrics(None)).body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return families["playbill_feed_seconds"].samples


def test_what_is_slower_than_every_bound_has_a_bucket_of_its_own(board):
    counts = board.latency()
    assert counts.shape == (BUCKETS + 1,)
    assert (counts[BUCKETS - 1], counts[BUCKETS]) == (1, 2)


def test_prometheus_is_told_the_true_sum_and_what_lies_beyond_the_last_bound(board):
    samples = latency_samples(board)
    buckets = [sample.value for sample in samples if sample.name.endswith("_bucket")]
    told = {sample.name.rpartition("_")[2]: sample.value for sample in samples}
    assert buckets[-2:] == [3.0, 5.0]
    assert told["count"] == 5.0
    assert told["sum"] == pytest.approx(sum(LATENCIES_MS) / 1000.0)
    assert buckets == sorted(buckets)


def test_a_quantile_beyond_the_last_bound_is_told_as_that_bound():
    counts = np.zeros(BUCKETS + 1, np.int64)
    counts[BUCKETS] = 1
    assert quantile_ms(counts, 0.95) == BUCKET_MS[-1]
    assert quantile_ms(counts * 0, 0.95) is None


def test_a_board_of_another_version_is_refused(tmp_path):
    (tmp_path / "board").write_bytes(bytes(100))
    with pytest.raises(DependencyUnavailable, match="another version"):
        Board(tmp_path / "board", create=False)
