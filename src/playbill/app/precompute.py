"""Making the lists of the lower tiers ahead, in a process of its own."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.app.activity import most_active
from playbill.app.wiring import Wiring
from playbill.contracts import ServingSettings
from playbill.core import Conflict, DependencyUnavailable, InvalidInput, NotFound
from playbill.features import USER_RECORD, empty_user
from playbill.features.adapters.shared_items import SharedItems
from playbill.ranking import Deadline, Hydrator, Pipeline, Ranked, RankingRequest
from playbill.retrieval import NEAR_AMONG, DerivedLists, Query, view_of
from playbill.serving.bundle_model import BundleModel
from playbill.serving.lists_ahead import write_lists

OnProgress = Callable[[str, float], None]
Listed = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]

_PATIENCE_MS = 60_000.0
_REFRESH_EVERY = 500
_FIRST_SURFACE = 1
_NO_ROWS = np.empty(0, np.int64)


class Precomputed(msgspec.Struct, frozen=True, kw_only=True):
    """What a run made."""

    viewers: int
    """Viewers with a list."""
    without: int
    """Viewers for whom nothing was found, or who could not be reached in time."""
    regions: int
    """Lists of regions, one for each surface."""
    bytes: int
    """Size of the file."""
    seconds: float
    """Time from begin to end."""
    bundle: str
    """Digest of what ranked them."""


def precompute(
    wiring: Wiring, user_ids: Sequence[str] | None, on_progress: OnProgress | None = None
) -> Precomputed:
    """Rank for the most active viewers, or for those named, and replace the file of lists.

    Args:
        wiring: of a home that runs.
        user_ids: None for the most active ones.

    Raises:
        NotFound: no bundle was promoted.
        InvalidInput: more viewers are named than ``precompute.viewers``, or the bundle is refused.
        Conflict: another precomputation runs on this home.
        DependencyUnavailable: item state or the user store is gone, or the disk refused.
    """
    most = wiring.settings.precompute.viewers
    if user_ids is not None and len(user_ids) > most:
        raise InvalidInput(
            f"{len(user_ids):,} viewers are named; precompute.viewers allows {most:,}",
            field="precompute.viewers",
            hint="raise it in playbill.toml and restart playbill up, or name fewer",
        )
    with _one_at_a_time(wiring):
        return _precompute(wiring, user_ids, on_progress or (lambda stage, share: None))


def _precompute(
    wiring: Wiring, user_ids: Sequence[str] | None, on_progress: OnProgress
) -> Precomputed:
    clock, settings = wiring.clock, wiring.settings.precompute
    began_s = clock.elapsed_s()
    maker = _Maker.of(wiring)
    store = wiring.users(writer=False)
    try:
        on_progress("choosing viewers", 0.0)
        if user_ids is None:
            users = most_active(store.rows(), settings.viewers, clock.now_ms())
        else:
            pseudonyms = wiring.pseudonyms()
            users = list(dict.fromkeys(map(pseudonyms.user, user_ids)))
        on_progress("regions", 0.0)
        regions = maker.regions(settings.region_size)
        lists: dict[bytes, Listed] = {}
        for place, user in enumerate(users):
            if clock.elapsed_s() - began_s > settings.budget_s:
                break
            if place % _REFRESH_EVERY == 0:
                maker.refresh()
                on_progress("viewers", place / len(users))
            row, epoch = store.read(user)
            found = maker.viewer(row, epoch, settings.size)
            if found is not None:
                lists[user] = found
        on_progress("viewers", 1.0)
    finally:
        store.close()
    _write(wiring, maker.model.digest, lists, regions)
    return Precomputed(
        viewers=len(lists),
        without=len(users) - len(lists),
        regions=len(regions) * len(wiring.settings.surfaces),
        bytes=wiring.layout.lists.stat().st_size,
        seconds=round(clock.elapsed_s() - began_s, 3),
        bundle=maker.model.digest,
    )


@dataclass(slots=True)
class _Maker:
    """A pipeline over running item state that leaves nothing to chance and has time."""

    wiring: Wiring
    items: SharedItems
    model: BundleModel
    lists: DerivedLists
    pipeline: Pipeline
    random: np.random.Generator

    @classmethod
    def of(cls, wiring: Wiring) -> "_Maker":
        items = wiring.items(create=False)
        store = wiring.bundles()
        digest = store.champion()
        if digest is None:
            raise NotFound("no bundle was promoted yet", hint="playbill train")
        model = BundleModel.load(store.path(digest), digest, store.verify(digest))
        serving = wiring.settings.serving
        lists = DerivedLists(serving.fresh_s * 1000)
        pipeline = Pipeline(
            model, lists, Hydrator(items, wiring.clock), _unhurried(serving), wiring.clock
        )
        maker = cls(wiring, items, model, lists, pipeline, np.random.default_rng())
        maker.refresh()
        return maker

    def refresh(self) -> None:
        """Come up to date with what was posted and taken down meanwhile.

        Raises:
            DependencyUnavailable: the item state that is mapped is no longer the home's.
        """
        if not self.items.present():
            raise DependencyUnavailable(
                "item state was laid out anew meanwhile", hint="run playbill precompute again"
            )
        view = view_of(self.items)
        self.lists.refresh(view, self.wiring.clock.now_ms())
        self.model.vectors.extend(view.tables, self.model.tower)
        self.model.vectors.freshen(self.lists.fresh[:NEAR_AMONG])

    def viewer(self, row: bytes | None, epoch: int, size: int) -> Listed | None:
        """Return the list of one viewer on the first surface, None where nothing was found."""
        user = empty_user() if row is None else np.frombuffer(row, USER_RECORD)
        return self._ranked(user, int(user["region"][0]) or 1, _FIRST_SURFACE, epoch, size)

    def regions(self, size: int) -> list[list[npt.NDArray[np.uint64]]]:
        """Return what a stranger would get in each region on each surface."""
        settings = self.wiring.settings
        return [
            [self._stranger(region, surface, size) for surface, _ in _codes(settings.surfaces)]
            for region, _ in _codes(settings.regions)
        ]

    def _stranger(self, region: int, surface: int, size: int) -> npt.NDArray[np.uint64]:
        found = self._ranked(empty_user(), region, surface, 0, size)
        return np.empty(0, np.uint64) if found is None else found[0]

    def _ranked(
        self, user: npt.NDArray[np.void], region: int, surface: int, epoch: int, size: int
    ) -> Listed | None:
        view = view_of(self.items)
        request = RankingRequest(
            query=Query(user, region, self.model.user_vector(user), self.random),
            surface=surface,
            size=size,
            excluded=_NO_ROWS,
            at_ms=self.wiring.clock.now_ms(),
            user_epoch=epoch,
        )
        try:
            deadline = Deadline(self.wiring.clock, _PATIENCE_MS)
            ranked: Ranked | None = self.pipeline.run(request, view, deadline)
        except DependencyUnavailable:
            return None
        if ranked is None:
            return None
        return view.tables.items["key"][ranked.rows], ranked.sources


def _unhurried(serving: ServingSettings) -> ServingSettings:
    """Return settings without chance, and with time for a process that others push aside.

    A place that chance gave once and that is shown many times is no draw.
    """
    return msgspec.structs.replace(
        serving,
        explore_share=0.0,
        source_budget_ms=_PATIENCE_MS,
        scorer_budget_ms=_PATIENCE_MS,
    )


def _codes(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    return enumerate(names, start=1)


def _write(
    wiring: Wiring,
    bundle: str,
    lists: dict[bytes, Listed],
    regions: Sequence[Sequence[npt.NDArray[np.uint64]]],
) -> None:
    settings = wiring.settings.precompute
    try:
        write_lists(
            wiring.layout.lists,
            created_at_ms=wiring.clock.now_ms(),
            bundle=bundle,
            size=settings.size,
            viewers=lists,
            regions=regions,
            region_size=settings.region_size,
        )
    except OSError as error:
        raise DependencyUnavailable(
            f"the lists cannot be written: {error.strerror}",
            hint="the old ones keep serving; make room on the disk of the home",
        ) from error


@contextmanager
def _one_at_a_time(wiring: Wiring) -> Iterator[None]:
    """Hold the home's precomputation lock."""
    with wiring.layout.lists.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                "another precomputation runs on this home", hint="wait for it, or stop it"
            ) from None
        yield
