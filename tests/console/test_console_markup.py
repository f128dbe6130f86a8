"""Rules that every page keeps, for keyboards, screen readers and a strict policy."""

import itertools
import re
from pathlib import Path

import pytest
from console_browsing import Browser, Page
from fake_backend import FakeBackend

import playbill.console
from playbill.core import NotFound

PAGES = {
    "welcome": "/console/",
    "feed": "/console/?user_id=u-ada&size=8",
    "viewer": "/console/viewer?user_id=u-ada",
    "trace": "/console/trace?user_id=u-ada",
    "problem": "/console/nowhere",
    "refused": "/console/?user_id=u-ada&size=999",
}
FOLDER = Path(playbill.console.__file__).parent
OURS = [
    path
    for path in sorted(FOLDER.rglob("*"))
    if path.is_file() and "vendor" not in path.parts and path.suffix not in {".pyc"}
]


@pytest.fixture(params=[*PAGES, "acted", "compared"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Page:
    if request.param in PAGES:
        return browser.get(PAGES[request.param]).page
    acted = browser.press(browser.get(PAGES["feed"]).page, "act", "watch.0").page
    return acted if request.param == "acted" else browser.next_feed(acted).page


def test_nothing_that_the_policy_blocks_is_written(page: Page) -> None:
    for element in page.elements:
        assert "style" not in element.attributes, element
        assert not [name for name in element.attributes if name.startswith("on")], element
        assert not [name for name in element.attributes if name.startswith("hx-on")], element
    assert page.all("style") == []
    assert all(script.attributes.get("src") for script in page.all("script"))


def test_ids_are_unique_and_references_lead_somewhere(page: Page) -> None:
    ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for element in page.elements:
        for name in ("for", "aria-labelledby", "form", "list", "data-copy"):
            for reference in element.attributes.get(name, "").split():
                assert reference in ids, (name, reference)


def test_headings_form_an_outline(page: Page) -> None:
    levels = [int(each.tag[1]) for each in page.elements if re.fullmatch(r"h[1-6]", each.tag)]
    assert levels.count(1) == 1
    inside = [
        int(each.tag[1])
        for each in page.elements
        if re.fullmatch(r"h[1-6]", each.tag)
        and any(ancestor.tag == "main" for ancestor in each.ancestors)
    ]
    assert inside[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(inside))


def test_landmarks_and_skip_link_are_there(page: Page) -> None:
    for tag in ("header", "nav", "main", "footer"):
        assert len(page.all(tag)) == 1
    assert page.all("a")[0].attributes["href"] == "#main"
    assert page.by_id("announce").attributes["role"] == "status"
    assert page.all("html")[0].attributes["lang"] == "en"


def test_every_control_has_a_name_of_its_own(page: Page) -> None:
    names = []
    for control in (*page.all("button"), *page.all("a")):
        name = control.attributes.get("aria-label") or " ".join(control.text.split())
        assert name
        if control.tag == "button":
            names.append(name)
    assert len(names) == len(set(names))
    labelled = {label.attributes["for"] for label in page.all("label")}
    for field in page.all("input"):
        if field.attributes.get("type") != "hidden":
            assert field.attributes["id"] in labelled


def test_buttons_of_a_card_name_its_title(browser: Browser, backend: FakeBackend) -> None:
    page = browser.get(PAGES["feed"]).page
    title = page.by_id("title-0").text

    for act in ("watch", "like", "skip", "hide"):
        (button,) = page.all("button", value=f"{act}.0")
        assert title in button.text


def test_pictures_and_bars_are_hidden_from_readers(page: Page) -> None:
    for drawing in page.all("svg"):
        hidden = [drawing, *drawing.ancestors]
        assert any(each.attributes.get("aria-hidden") == "true" for each in hidden)


def test_status_fragment_fits_the_page_that_it_refreshes(browser: Browser) -> None:
    fragment = browser.get("/console/status").body.decode().strip()
    whole = browser.get("/console/").page

    assert "<html" not in fragment
    assert Page(fragment).by_id("deployment-heading")
    assert whole.by_id("deployment").attributes["hx-get"] == "/console/status"


def test_problem_keeps_what_was_asked_for(browser: Browser, backend: FakeBackend) -> None:
    backend.raises = NotFound("gone")

    page = browser.get("/console/?user_id=u-ada&surface=%3Cb%3E&size=7").page

    assert page.by_id("surface").attributes["value"] == "<b>"
    assert page.by_id("size").attributes["value"] == "7"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_file_of_ours_names_another_host(path: Path) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'`)<]+", path.read_text()))

    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_vendored_files_carry_name_version_and_licence() -> None:
    vendor = FOLDER / "static" / "vendor"
    told = (vendor / "README.md").read_text()

    for folder, file in (("htmx", "htmx.min.js"), ("uplot", "uPlot.iife.min.js")):
        assert "Permission" in (vendor / folder / "LICENSE").read_text()
        assert file in told
    assert '"2.0.11"' in (vendor / "htmx" / "htmx.min.js").read_text()
    assert "v1.6.32" in (vendor / "uplot" / "uPlot.iife.min.js").read_text()
    assert "2.0.11" in told
    assert "1.6.32" in told
