"""The golden corpus of slates: every rule decides a case, and without it the case is another."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from laws.feature_views import item_view
from laws.feature_worlds import World, video
from laws.ranking_worlds import EXPLORE, candidates, request
from laws.slates import FREE
from playbill.features import NO_TOPIC, VISIBLE
from playbill.features.layout import DISLIKED
from playbill.ranking import (
    RULES,
    Slate,
    SlateRules,
    SlateSelector,
    broken_rules,
    permitted,
)
from playbill.retrieval import ItemView

CASES = tomllib.loads(Path(__file__).with_name("golden_slates.toml").read_text("utf-8"))["case"]
NUMBERS = {"none": np.nan, "much": np.inf}
ASKED_ABOUT = ("visible", "exclude", "seen", "disliked", "posted_later")
"""Rules that are bits; the others are numbers of the slate, or the order itself."""


def _numbered(names) -> list[int]:
    known: dict[str, int] = {}
    return [known.setdefault(name, len(known)) for name in names]


def _view(case) -> ItemView:
    authors = [author for author, *_ in case["candidates"]]
    view = item_view(len(authors), authors=_numbered(authors))
    items = view.tables.items
    names = sorted({topic for _, topics, *_ in case["candidates"] for topic in topics})
    for row, (author, topics, _, _, state) in enumerate(case["candidates"]):
        items["topics"][row] = NO_TOPIC
        items["topics"][row, : len(topics)] = [names.index(topic) for topic in topics]
        items["flags"][row] = 0 if state == "hidden" else VISIBLE
        shown = 0 if author.startswith("new") else 5_000
        view.tables.authors["slots"][items["author"][row], 0] = shown
    view.tables.authors["landmark_ms"] = view.at_ms
    return view


def _viewer(case):
    """Return the row of a viewer to whom the log says this happened."""
    world = World()
    world.post(*(video(f"v{row}") for row in range(len(case["candidates"]))))
    world.step()
    states = [state for *_, state in case["candidates"]]
    shown = [f"v{row}" for row, state in enumerate(states) if state in ("seen", "acted")]
    if shown:
        world.serve("ann", shown)
    world.act(world.event("search", "ann"))
    for row, state in enumerate(states):
        if state == "acted":
            world.act(world.event("click", "ann", f"v{row}"))
        if state == "disliked":
            world.act(world.event("hide", "ann", f"v{row}"))
    world.step()
    return world.viewer("ann")


def _rows(case, *states: str) -> list[int]:
    return [row for row, (*_, state) in enumerate(case["candidates"]) if state in states]


def slate_without(case, off: str) -> tuple[list[int], Slate]:
    """Return a case's slate by numbers of its candidates, with one rule switched off.

    Args:
        off: its name, empty for none.
    """
    said = dict(case["rules"])
    said.pop(off, None)
    view = _view(case)
    later = _rows(case, "later")
    asked = request(
        size=case["places"],
        user=_viewer(case),
        seed=case.get("seed", 0),
        excluded=_rows(case, "excluded", "before"),
        shown=np.array(_rows(case, "before"), np.int64),
        showings_held=said.pop("repeat_showings", 0),
    )
    below = min(later) if later else view.count
    asked = structs.replace(asked, query=replace(asked.query, below=below))
    broken = broken_rules(asked, np.arange(view.count), view)
    if off in ASKED_ABOUT:
        broken &= np.uint8(0xFF ^ RULES[off])
    kept = permitted(broken, asked.size)
    utility = np.array([NUMBERS.get(u, u) for _, _, u, _, _ in case["candidates"]], np.float32)
    if off == "finite":
        utility = np.nan_to_num(utility, nan=1e9)
    sources = [EXPLORE if source == "explore" else 1 for *_, source, _ in case["candidates"]]
    share = said.pop("explore_share", 0.0)
    chosen = SlateSelector(FREE._replace(**said), share)
    found = candidates(view.count, utility=utility, sources=sources).keep(kept)
    slate = chosen.select(asked, found, view)
    return kept[slate.picks].tolist(), slate


def by_name(case) -> str:
    return case["name"]


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_slate_is_as_it_was_written_down(case):
    numbers, slate = slate_without(case, "")
    assert numbers == case["slate"]
    assert slate.short == case.get("short", 0)
    if "propensity" in case:
        assert slate.propensity.tolist() == case["propensity"]


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_without_the_rule_that_decides_it_the_slate_is_another(case):
    numbers, _ = slate_without(case, case["decides"])
    assert numbers != case["slate"]


def test_every_rule_decides_a_case():
    numbers = {"explore_share", "repeat_showings", *SlateRules._fields} - {"creator_impressions"}
    assert {case["decides"] for case in CASES} == {*numbers, *ASKED_ABOUT, "finite"}
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_a_disliked_video_is_one_by_the_layout():
    (case,) = (case for case in CASES if case["decides"] == "disliked")
    assert _viewer(case)["history_action"][0, 0] == DISLIKED
