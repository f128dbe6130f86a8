"""What is compiled before a worker is ready is all that a request needs."""

import numpy as np
import pytest

from laws.feature_views import NOW_MS, item_view, query, unit, viewer
from laws.ranking_worlds import FakeModel, shared_of
from playbill.contracts import ServingSettings, Settings
from playbill.core import FixedClock
from playbill.features import FEATURES, assemble_kernel, empty_user
from playbill.features.layout import LIKED
from playbill.models import INTERESTS, ContentTower, Interests, interest_kernel
from playbill.models.interests import DEEDS
from playbill.ranking import (
    Deadline,
    Hydrator,
    Pipeline,
    RankingRequest,
    order_kernel,
    rules_kernel,
    slate_kernel,
)
from playbill.retrieval import (
    CatalogueVectors,
    DerivedLists,
    VectorIndex,
    gather_kernel,
    merge_kernel,
    near_kernel,
    scan_kernel,
    sources_kernel,
    transitions_kernel,
    view_of,
)
from playbill.serving.warm_up import warm_kernels

KERNELS = (
    assemble_kernel.assemble,
    interest_kernel.fill_ranker_input,
    gather_kernel.gather,
    merge_kernel.first_places,
    merge_kernel.joined,
    merge_kernel.merge,
    near_kernel.near_each,
    near_kernel.near_vector,
    order_kernel.fill_categories,
    order_kernel.fill_scores,
    order_kernel.fill_keys,
    order_kernel.fill_ordered,
    order_kernel.fill_utility,
    rules_kernel.broken_by,
    rules_kernel.fill_permitted,
    scan_kernel.assign,
    scan_kernel.scan,
    slate_kernel.choose,
    sources_kernel.drawn,
    sources_kernel.first_below,
    sources_kernel.listed_of,
    sources_kernel.newest_of_followed,
    sources_kernel.taken_to,
    transitions_kernel.next_of,
)
WIDTH = 64


@pytest.fixture
def shared():
    found = shared_of(item_view(300, authors=np.arange(300) % 30))
    for array in (found.items, found.authors, found.topics):
        array.flags.writeable = False
    return found


@pytest.fixture
def vectors(shared, tmp_path) -> CatalogueVectors:
    random = np.random.default_rng(1)
    matrix = unit(random.normal(size=(200, WIDTH)))
    VectorIndex.build(matrix, np.arange(1, 201, dtype=np.uint64), 1).save(tmp_path)
    index = VectorIndex.load(tmp_path)
    np.save(tmp_path / "rows.npy", np.asarray(index.keys).astype(np.int32) - 1)
    rows = np.asarray(np.load(tmp_path / "rows.npy", mmap_mode="r"))
    nothing = np.empty((0, WIDTH), np.float32)
    tower = ContentTower(
        nothing,
        np.empty(0, np.uint32),
        nothing,
        np.empty(0, np.uint16),
        nothing,
        np.ones((64, WIDTH), np.float32),
        np.ones((11, WIDTH), np.float32),
    )
    found = CatalogueVectors(index, rows)
    found.extend(view_of(shared).tables, tower)
    found.freshen(np.arange(299, 100, -1))
    return found


@pytest.fixture
def interests(tmp_path) -> Interests:
    nothing = np.zeros((300, INTERESTS), np.float32)
    Interests.of(nothing, np.zeros((DEEDS, INTERESTS), np.float32)).save(tmp_path)
    return Interests.load(tmp_path)


def test_no_request_waits_for_a_compiler(shared, vectors, interests):
    clock = FixedClock(NOW_MS)
    warm_kernels(shared, clock, Settings())
    ready = [list(kernel.signatures) for kernel in KERNELS]
    lists = DerivedLists(48 * 3_600_000)
    lists.refresh(view_of(shared), NOW_MS)
    model = FakeModel(clock, vectors)
    settings = ServingSettings(fresh_quota=20)
    pipeline = Pipeline(model, lists, Hydrator(shared, clock), settings, clock)
    known = np.frombuffer(
        viewer(history=[3, 7], actions=[LIKED, LIKED]).tobytes(), empty_user().dtype
    )
    for row in (known, empty_user()):
        for excluded in ([], [4, 9]):
            asked = RankingRequest(
                query=query(row, region=1, vector=unit(np.ones(WIDTH))),
                surface=1,
                size=10,
                excluded=np.array(excluded, np.int64),
                at_ms=NOW_MS,
                user_epoch=0,
            )
            ranked = pipeline.run(asked, view_of(shared), Deadline(clock, 150.0))
            assert ranked is not None
            rows = np.arange(len(ranked.features))
            interests.ranker_input(ranked.features, rows, rows, asked.query.user)
            assert ranked.features.shape == (10, len(FEATURES))
    assert [list(kernel.signatures) for kernel in KERNELS] == ready
