"""One request as stages over columns: sources, filters, features, scorers, selector, visibility."""

from collections.abc import Sequence

import msgspec
import numpy as np

from playbill.contracts import ServingSettings, Tier
from playbill.core import Clock
from playbill.ranking.deadline import Deadline
from playbill.ranking.hydrate import Hydrated, Hydrator
from playbill.ranking.order import best_first
from playbill.ranking.order_kernel import fill_scores
from playbill.ranking.policy import Policies, Policy
from playbill.ranking.rules import RETURNS, RULES, Bits, broken_rules, permitted
from playbill.ranking.scorers import HeavyScorer, RankingModel
from playbill.ranking.stages import (
    Candidates,
    Floats,
    RankingRequest,
    Rows,
    StageRecord,
    Trace,
    no_rows,
)
from playbill.retrieval import (
    DerivedLists,
    ExploreSource,
    FollowedSource,
    FreshSource,
    ItemView,
    NextSource,
    SimilarSource,
    Source,
    TrendingSource,
    VectorSource,
    merged,
)

_NO_ROWS = no_rows()


class Ranked(msgspec.Struct, frozen=True):
    """A finished slate of K videos, best first.

    ``rows``, ``sources``, ``scores``, ``propensity`` (K,); ``features`` (K, F) as they were read.
    """

    rows: Rows
    sources: np.ndarray[tuple[int], np.dtype[np.uint8]]
    scores: Floats
    propensity: Floats
    features: Floats
    tier: Tier
    hydrated: Hydrated
    trace: Trace


def sources_of(model: RankingModel, lists: DerivedLists) -> tuple[Source, ...]:
    """Return every source, in the order in which time is spent on them: that of ``SOURCES``."""
    return (
        VectorSource(model.table),
        SimilarSource(model.table),
        FollowedSource(lists),
        FreshSource(lists, model.table),
        TrendingSource(),
        ExploreSource(lists),
        NextSource(model.table),
    )


class Pipeline:
    """The stages of a personal feed for one bundle. One request at a time.

    ``surfaces``: declared ones, in the order of their codes; without them all are alike.
    """

    def __init__(
        self,
        model: RankingModel,
        lists: DerivedLists,
        hydrator: Hydrator,
        settings: ServingSettings,
        clock: Clock,
        surfaces: Sequence[str] = (),
    ) -> None:
        self.model = model
        self._clock = clock
        self._settings = settings
        self._sources = sources_of(model, lists)
        self._policies = Policies(settings, surfaces, model.value_weights)
        self._hydrator = hydrator
        self._heavy = HeavyScorer(clock, settings.heavy_rows, settings.scorer_budget_ms)

    def run(
        self, request: RankingRequest, view: ItemView, deadline: Deadline, *, heavy: bool = True
    ) -> Ranked | None:
        """Return the slate, None when no candidate may be shown.

        Args:
            request: with everything looked up.
            view: item state.
            deadline: for all of it.
            heavy: False leaves the heavy scorer out.

        Raises:
            DependencyUnavailable: the light scorer failed; the caller has a lower tier.
        """
        trace = Trace()
        policy = self._policies.of(request.surface)
        candidates = self._retrieve(request, view, policy.quotas, deadline, trace)
        candidates = self._permitted(request, candidates, view, trace)
        trace.candidates = candidates if request.told else None
        if not len(candidates.rows):
            return None
        hydrated = self._fill(request, candidates, trace)
        candidates = self._score_light(request, candidates, trace)
        if heavy:
            tier = self._score_heavy(request, candidates, view, policy, deadline, trace)
        else:
            tier, candidates.utility = Tier.LIGHT, candidates.light
        return self._select(request, candidates, view, policy, hydrated, tier, trace)

    def _retrieve(
        self,
        request: RankingRequest,
        view: ItemView,
        quotas: Sequence[int],
        whole: Deadline,
        trace: Trace,
    ) -> Candidates:
        """Return what all sources found, each video once, named after the first to find it.

        Once any has found something, those that time does not reach are left out and named.
        """
        budget_ms = min(self._settings.source_budget_ms, whole.left_ms())
        deadline = Deadline(self._clock, budget_ms)
        parts = [_NO_ROWS] * len(self._sources)
        some = False
        for place, (source, quota) in enumerate(zip(self._sources, quotas, strict=True)):
            if not quota:
                continue
            if some and deadline.left_ms() <= 0.0:
                trace.reasons.append(f"source_skipped:{source.name}")
                continue
            started_s = self._clock.elapsed_s()
            parts[place] = found = source.retrieve(request.query, view, quota)
            some = some or len(found) > 0
            if request.told:
                self._tell(trace, source.name, "source", 0, len(found), started_s)
        return Candidates(*merged(parts))

    def _permitted(
        self, request: RankingRequest, candidates: Candidates, view: ItemView, trace: Trace
    ) -> Candidates:
        """Drop whatever breaks a rule, unless too little is left."""
        started_s = self._clock.elapsed_s()
        broken = broken_rules(request, candidates.rows, view)
        kept = permitted(broken, request.size)
        if len(kept) and broken[kept[-1]] & RETURNS:
            trace.reasons.append("catalogue_exhausted")
        if request.told:
            ms = (self._clock.elapsed_s() - started_s) * 1000.0
            trace.stages += _by_rule(broken, ms)
        return candidates.keep(kept)

    def _fill(self, request: RankingRequest, candidates: Candidates, trace: Trace) -> Hydrated:
        started_s = self._clock.elapsed_s()
        hydrated = self._hydrator.fill(request, candidates)
        candidates.features, candidates.places = hydrated.features, np.arange(len(candidates.rows))
        if not hydrated.settled:
            trace.reasons.append("item_state_unsettled")
        if request.told:
            count = len(candidates.rows)
            self._tell(trace, "features", "features", count, count, started_s)
        return hydrated

    def _score_light(
        self, request: RankingRequest, candidates: Candidates, trace: Trace
    ) -> Candidates:
        """Return the candidates best first by the light scorer, equal ones as they came."""
        started_s = self._clock.elapsed_s()
        assert candidates.features is not None
        candidates.light = self.model.light(candidates.features)
        ordered = best_first(candidates)
        if request.told:
            count = len(candidates.rows)
            self._tell(trace, "light", "scorer", count, count, started_s)
        return ordered

    def _score_heavy(
        self,
        request: RankingRequest,
        candidates: Candidates,
        view: ItemView,
        policy: Policy,
        deadline: Deadline,
        trace: Trace,
    ) -> Tier:
        started_s = self._clock.elapsed_s()
        heavy = self._heavy.score(self.model, request, candidates, view, deadline, policy.values)
        if heavy.reason:
            trace.reasons.append(heavy.reason)
        if request.told:
            came, note = len(candidates.rows), heavy.reason or ""
            self._tell(trace, "heavy", "scorer", came, heavy.ranked, started_s, note)
        if heavy.ranked:
            return Tier.FULL
        candidates.utility = candidates.light
        return Tier.LIGHT

    def _select(
        self,
        request: RankingRequest,
        candidates: Candidates,
        view: ItemView,
        policy: Policy,
        hydrated: Hydrated,
        tier: Tier,
        trace: Trace,
    ) -> Ranked:
        started_s = self._clock.elapsed_s()
        slate = policy.selector.select(request, candidates, view)
        if slate.short:
            trace.reasons.append("creator_floor_short")
        chosen = candidates.keep(slate.picks)
        if request.told:
            came, left = len(candidates.rows), len(chosen.rows)
            self._tell(trace, "slate", "selector", came, left, started_s)
        assert chosen.utility is not None
        assert chosen.features is not None
        assert chosen.places is not None
        assert chosen.light is not None
        return Ranked(
            chosen.rows,
            chosen.sources,
            _scores(chosen.utility, chosen.light),
            slate.propensity,
            chosen.features.take(chosen.places, 0),
            tier,
            hydrated,
            trace,
        )

    def _tell(
        self,
        trace: Trace,
        name: str,
        kind: str,
        came: int,
        left: int,
        started_s: float,
        note: str = "",
    ) -> None:
        ms = (self._clock.elapsed_s() - started_s) * 1000.0
        trace.stages.append(StageRecord(name, kind, came, left, ms, note))


def _by_rule(broken: Bits, ms: float) -> list[StageRecord]:
    """Return what each rule left of what the rules before it had left."""
    told, so_far, came = list[StageRecord](), 0, len(broken)
    for name, bit in RULES.items():
        so_far |= bit
        left = int(np.count_nonzero((broken & so_far) == 0))
        told.append(StageRecord(name, "filter", came, left, ms / len(RULES)))
        came = left
    return told


def _scores(utility: Floats, light: Floats) -> Floats:
    """Return (K,) finite numbers for a reply: those without a utility stand below the others."""
    scores = np.empty(len(utility), np.float32)
    fill_scores(utility, light, scores)
    return scores
