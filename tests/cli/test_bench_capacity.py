"""Capacity is of full feeds; a run in which some were not is made again."""

import asyncio
from collections import Counter

import pytest

from playbill.benchmarks.capacity import full_runs, full_share, told
from playbill.benchmarks.load import Load
from playbill.core import DependencyUnavailable


class Scripted:
    """A generator whose loads are full but for the numbered ones."""

    def __init__(self, poor):
        self.poor = set(poor)
        self.asked: list[float] = []

    async def closed(self, connections, seconds):
        number = len(self.asked)
        self.asked.append(seconds)
        tiers = Counter(full=90, popular=10) if number in self.poor else Counter(full=100 + number)
        return Load(seconds, [1.0] * tiers.total(), tiers=tiers)


def _runs(poor, repeats=1):
    generator, shares = Scripted(poor), list[float]()
    runs = asyncio.run(
        full_runs(generator, 6.0, lambda stage, share: shares.append(share), repeats)
    )
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    return runs, generator


def test_it_begins_once_a_second_was_full():
    runs, generator = _runs(poor={0, 1, 2})
    assert generator.asked == [3.0, 1.0, 1.0, 1.0, 6.0]
    assert [full_share(run) for run in runs] == [1.0]


def test_a_run_that_was_not_full_is_made_again():
    runs, generator = _runs(poor={2, 4}, repeats=3)
    assert generator.asked == [3.0, 1.0, *[6.0] * 5]
    assert [full_share(run) for run in runs] == [1.0] * 3
    assert told(runs) == {
        "capacity_per_s": pytest.approx(105 / 6.0),
        "capacity_full_share": 1.0,
    }


def test_where_nothing_helps_the_best_of_what_came_is_told_with_its_tiers():
    runs, generator = _runs(poor=range(1_000))
    assert generator.asked == [3.0, *[1.0] * 20, *[6.0] * 3]
    assert runs[0].tiers == {"full": 90, "popular": 10}
    assert told(runs)["capacity_full_share"] == 0.9


def test_where_nothing_is_answered_that_is_said_with_what_came_instead():
    class Refused(Scripted):
        async def closed(self, connections, seconds):
            return Load(seconds, failed=7, problems=Counter({"503": 7}))

    with pytest.raises(DependencyUnavailable, match=r"no feed was answered.* 503 21"):
        asyncio.run(full_runs(Refused(()), 6.0, lambda stage, share: None))


def test_what_failed_is_not_full():
    assert full_share(Load(1.0, tiers=Counter(full=9), failed=1)) == 0.9
    assert full_share(Load(1.0)) == 0.0
