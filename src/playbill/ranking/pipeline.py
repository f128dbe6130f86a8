"""One request as stages over columns: sources, filters, features, scorers, selector, visibility."""

from dataclasses import dataclass, field

import numpy as np

from playbill.contracts import ServingSettings, Tier
from playbill.core import Clock
from playbill.ranking.deadline import Deadline
from playbill.ranking.filters import PERSONAL, VISIBILITY
from playbill.ranking.hydrate import Hydrated, Hydrator
from playbill.ranking.scorers import HeavyScorer, RankingModel
from playbill.ranking.selector import SlateSelector
from playbill.ranking.stages import (
    Candidates,
    Filter,
    Floats,
    RankingRequest,
    Rows,
    StageRecord,
    Trace,
)
from playbill.retrieval import (
    SOURCE_CODES,
    DerivedLists,
    ExploreSource,
    FollowedSource,
    FreshSource,
    ItemView,
    SimilarSource,
    Source,
    TrendingSource,
    VectorSource,
)


@dataclass(frozen=True, slots=True)
class Ranked:
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
    trace: Trace = field(default_factory=Trace)


def sources_of(
    model: RankingModel, lists: DerivedLists, settings: ServingSettings
) -> tuple[tuple[Source, int], ...]:
    """Return every source with its quota, in the order in which time is spent on them."""
    return (
        (VectorSource(model.table), settings.ann_quota),
        (SimilarSource(model.table), settings.similar_quota),
        (FollowedSource(lists), settings.followed_quota),
        (FreshSource(lists, model.table), settings.fresh_quota),
        (TrendingSource(), settings.trending_quota),
        (ExploreSource(lists), settings.explore_quota),
    )


class Pipeline:
    """The stages of a personal feed for one bundle. One request at a time."""

    def __init__(
        self,
        model: RankingModel,
        lists: DerivedLists,
        hydrator: Hydrator,
        settings: ServingSettings,
        clock: Clock,
    ) -> None:
        self.model = model
        self._clock = clock
        self._settings = settings
        self._sources = sources_of(model, lists, settings)
        self._hydrator = hydrator
        self._heavy = HeavyScorer(clock, settings.heavy_rows, settings.scorer_budget_ms)
        self._selector = SlateSelector(
            settings.author_cap, settings.topic_cap, settings.explore_share
        )

    def run(self, request: RankingRequest, view: ItemView, deadline: Deadline) -> Ranked | None:
        """Return the slate, None when no candidate may be shown.

        Raises:
            DependencyUnavailable: the light scorer failed; the caller has a lower tier.
        """
        trace = Trace()
        candidates = self._retrieve(request, view, trace)
        candidates = self._filter(VISIBILITY, request, candidates, view, trace)
        candidates = self._filter_personal(request, candidates, view, trace)
        trace.candidates = candidates
        if not len(candidates.rows):
            return None
        hydrated = self._fill(request, candidates, trace)
        candidates = self._score_light(candidates, trace)
        tier = self._score_heavy(request, candidates, view, deadline, trace)
        return self._select(request, candidates, view, hydrated, tier, trace)

    def _retrieve(self, request: RankingRequest, view: ItemView, trace: Trace) -> Candidates:
        deadline = Deadline(self._clock, self._settings.source_budget_ms)
        rows, sources = [], []
        for source, quota in self._sources:
            if deadline.left_ms() <= 0.0:
                trace.reasons.append(f"source_skipped:{source.name}")
                continue
            started_s = self._clock.elapsed_s()
            found = source.retrieve(request.query, view, quota)
            rows.append(found)
            sources.append(np.full(len(found), SOURCE_CODES[source.name], np.uint8))
            self._record(trace, source.name, "source", 0, len(found), started_s)
        merged = np.concatenate(rows) if rows else np.empty(0, np.int64)
        named = np.concatenate(sources) if sources else np.empty(0, np.uint8)
        _, firsts = np.unique(merged, return_index=True)
        firsts.sort()
        return Candidates(merged[firsts], named[firsts])

    def _filter(
        self,
        filters: tuple[Filter, ...],
        request: RankingRequest,
        candidates: Candidates,
        view: ItemView,
        trace: Trace,
    ) -> Candidates:
        for stage in filters:
            started_s = self._clock.elapsed_s()
            came = len(candidates.rows)
            candidates = candidates.keep(~stage.drop(request, candidates, view))
            self._record(trace, stage.name, "filter", came, len(candidates.rows), started_s)
        return candidates

    def _filter_personal(
        self, request: RankingRequest, candidates: Candidates, view: ItemView, trace: Trace
    ) -> Candidates:
        """Drop what the viewer should not meet again, unless that empties the feed."""
        kept = self._filter(PERSONAL, request, candidates, view, trace)
        if len(kept.rows) >= min(request.size, len(candidates.rows)):
            return kept
        asked = self._filter(PERSONAL[:1], request, candidates, view, trace)
        trace.reasons.append("catalogue_exhausted")
        again = asked.keep(~np.isin(asked.rows, kept.rows))
        return Candidates(
            np.concatenate([kept.rows, again.rows]), np.concatenate([kept.sources, again.sources])
        )

    def _fill(self, request: RankingRequest, candidates: Candidates, trace: Trace) -> Hydrated:
        started_s = self._clock.elapsed_s()
        hydrated = self._hydrator.fill(request, candidates)
        candidates.features = hydrated.features
        if not hydrated.settled:
            trace.reasons.append("item_state_unsettled")
        count = len(candidates.rows)
        self._record(trace, "features", "features", count, count, started_s)
        return hydrated

    def _score_light(self, candidates: Candidates, trace: Trace) -> Candidates:
        started_s = self._clock.elapsed_s()
        assert candidates.features is not None
        came = len(candidates.rows)
        light = self.model.light(candidates.features)
        candidates.light = np.where(np.isfinite(light), light, np.float32(-np.inf))
        best = np.lexsort((candidates.rows, -candidates.light))
        chosen = candidates.keep(best)
        self._record(trace, "light", "scorer", came, len(chosen.rows), started_s)
        return chosen

    def _score_heavy(
        self,
        request: RankingRequest,
        candidates: Candidates,
        view: ItemView,
        deadline: Deadline,
        trace: Trace,
    ) -> Tier:
        started_s = self._clock.elapsed_s()
        heavy = self._heavy.score(self.model, request, candidates, view, deadline)
        if heavy.reason:
            trace.reasons.append(heavy.reason)
        note = heavy.reason or ""
        came = len(candidates.rows)
        self._record(trace, "heavy", "scorer", came, heavy.ranked, started_s, note)
        if heavy.ranked:
            return Tier.FULL
        candidates.utility = candidates.light
        return Tier.LIGHT

    def _select(
        self,
        request: RankingRequest,
        candidates: Candidates,
        view: ItemView,
        hydrated: Hydrated,
        tier: Tier,
        trace: Trace,
    ) -> Ranked:
        started_s = self._clock.elapsed_s()
        slate = self._selector.select(request, candidates, view)
        chosen = candidates.keep(slate.picks)
        barred = np.zeros(len(chosen.rows), np.bool_)
        for stage in VISIBILITY:
            barred |= stage.drop(request, chosen, view)
        chosen = chosen.keep(~barred)
        came = len(candidates.rows)
        self._record(trace, "slate", "selector", came, len(chosen.rows), started_s)
        assert chosen.utility is not None
        assert chosen.features is not None
        assert chosen.light is not None
        return Ranked(
            chosen.rows,
            chosen.sources,
            _scores(chosen.utility, chosen.light),
            slate.propensity[~barred],
            chosen.features,
            tier,
            hydrated,
            trace,
        )

    def _record(
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


def _scores(utility: Floats, light: Floats) -> Floats:
    """Return (K,) finite numbers for a reply: those without a utility stand below the others."""
    ranked = np.isfinite(utility)
    floor = utility[ranked].min(initial=np.inf)
    scores = np.where(ranked, utility, np.minimum(light, floor))
    told = np.isfinite(scores)
    lowest = scores[told].min(initial=0.0)
    return np.where(told, scores, lowest).astype(np.float32)
