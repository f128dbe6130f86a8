"""Feeds that were served lately, made again and shown to nobody, before a bundle takes over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.core import Clock, DependencyUnavailable
from playbill.features import Rest
from playbill.ranking import Deadline, Pipeline, RankingRequest
from playbill.retrieval import ItemView, Query
from playbill.serving.user_rows import UserRows

REHEARSED = 16
"""Feeds that are made again: enough that every part of a bundle has run a few times."""
BUDGET_S = 1.0
"""A rehearsal that takes longer ends after the feed that it is at."""

_PATIENCE_MS = 60_000.0
_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How many feeds were made again, and why the first that was not made was not."""

    made: int
    trouble: DependencyUnavailable | None


def requests_again(
    heads: npt.NDArray[np.void], users: UserRows, at_ms: int
) -> list[RankingRequest]:
    """Return the requests of (R,) ``REQUEST_RECORD`` heads, with viewers' rows of now.

    Without those whose row cannot be read.

    Args:
        heads: of feeds that were served.
        users: where rows are.
        at_ms: the instant to ask for.
    """
    return list(_again(heads, users, at_ms))


def rehearse(
    pipeline: Pipeline,
    requests: Sequence[RankingRequest],
    view: ItemView,
    clock: Clock,
    rest: Rest = lambda: None,
) -> Rehearsed:
    """Make feeds and throw them away, for ``BUDGET_S`` at most, with rests in between.

    Args:
        pipeline: of the bundle that is about to serve; nobody else may use it meanwhile.
        requests: what to ask it.
        view: item state.
        clock: measures.
        rest: called after each feed.
    """
    began_s = clock.elapsed_s()
    made, trouble = 0, None
    for request in requests:
        if clock.elapsed_s() - began_s > BUDGET_S:
            break
        try:
            request.query.vector = pipeline.model.user_vector(request.query.user)
            pipeline.run(request, view, Deadline(clock, _PATIENCE_MS))
            made += 1
        except DependencyUnavailable as error:
            trouble = trouble or error
        rest()
    return Rehearsed(made, trouble)


def _again(heads: npt.NDArray[np.void], users: UserRows, at_ms: int) -> Iterator[RankingRequest]:
    random = np.random.default_rng(0)
    for head in heads:
        try:
            row = users.read(head["user"].tobytes())
        except DependencyUnavailable:
            return
        yield RankingRequest(
            query=Query(row.row, int(head["region"]) or 1, None, random),
            surface=int(head["surface"]),
            size=max(1, int(head["count"])),
            excluded=_NO_ROWS,
            at_ms=at_ms,
            user_epoch=0,
        )
