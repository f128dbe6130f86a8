"""A bundle is opened, touched and rehearsed before it serves; what breaks it breaks no start."""

import contextlib

import pytest

from playbill.app.opening import Opening
from playbill.app.verbs import Home
from playbill.core import DependencyUnavailable, InvalidInput
from playbill.models import LightScorer
from playbill.retrieval import DerivedLists, view_of
from playbill.serving import UserRows, rehearsal
from playbill.serving.rehearsal import REHEARSED, requests_again
from trained_home import copy_of


@pytest.fixture
def opened(template, tmp_path):
    """An ``Opening`` of a home with a past, its item state, digest and feeds of late."""
    live = copy_of(template, tmp_path / "home")
    wiring = Home(live.home).wiring
    with contextlib.ExitStack() as stack:
        stack.enter_context(wiring.alone())
        store = wiring.users(writer=True)
        stack.callback(store.close)
        items = wiring.items(create=True)
        wiring.updater(store, items).recover()
        lists = DerivedLists(wiring.settings.serving.fresh_s * 1000)
        lists.refresh(view_of(items), wiring.clock.now_ms())
        opening = Opening(wiring, lists, 2)
        users = UserRows(lambda: store, wiring.clock, 1_000.0)
        again = requests_again(opening.heads(), users, wiring.clock.now_ms())
        yield opening, items, opening.store.champion(), again


def test_feeds_of_late_are_found_in_the_log(opened):
    _, _, _, again = opened
    assert len(again) == REHEARSED
    assert all(request.query.user["history_count"][0] for request in again)


def test_a_bundle_is_rehearsed_with_them(opened, monkeypatch):
    opening, items, digest, again = opened
    monkeypatch.setattr(rehearsal, "BUDGET_S", 60.0)
    scored = []
    score = LightScorer.score
    monkeypatch.setattr(
        LightScorer, "score", lambda self, dense: scored.append(len(dense)) or score(self, dense)
    )
    model, popular = opening.open(digest, items, again, replaces=True)
    assert model.digest == digest
    assert len(scored) == len(again)
    assert set(popular) == set(model.popular)


def test_with_nothing_recorded_it_is_opened_all_the_same(opened):
    opening, items, digest, _ = opened
    assert opening.open(digest, items, [], replaces=True)[0].digest == digest
    assert opening.open(digest, None, [], replaces=False)[1] == {}


@pytest.mark.parametrize("error", [DependencyUnavailable("it gave up"), ValueError("a bug")])
def test_one_that_makes_no_feed_does_not_replace_one_that_does(opened, monkeypatch, error, caplog):
    opening, items, digest, again = opened

    def fails(self, dense):
        raise error

    monkeypatch.setattr(LightScorer, "score", fails)
    refusal = InvalidInput if isinstance(error, DependencyUnavailable) else ValueError
    with pytest.raises(refusal, match=r"made none of 16 feeds of late: it gave up|a bug"):
        opening.open(digest, items, again, replaces=True)
    assert opening.open(digest, items, again, replaces=False)[0].digest == digest
    assert len(caplog.messages) == isinstance(error, ValueError)


def test_a_log_that_cannot_be_read_costs_the_rehearsal_only(opened, caplog):
    opening, _, _, _ = opened
    for path in opening.wiring.layout.log.glob("serve-*.sqlite*"):
        if not path.name.endswith(".lock"):
            path.write_bytes(b"damaged" * 1000)
    assert len(opening.heads()) == 0
    assert len(caplog.messages) == 1
