"""``playbill models``: what an auditor is told of a bundle, and which bundles may serve."""

import json

import pytest
from typer.testing import CliRunner

from playbill.app.verbs import Home
from playbill.cli.main import app
from playbill.contracts import BUNDLE_FORMAT, Manifest

READ = {"regions": ["north", "south"], "training": {"seed": 7, "epochs": 2}}


def sealed(home: Home, made_in: str | None) -> str:
    """Put a bundle into a home and return its digest."""
    draft = home.wiring.layout.bundles / "draft"
    draft.mkdir(parents=True)
    (draft / "light.npz").write_bytes(b"weights")
    manifest = Manifest(
        format=BUNDLE_FORMAT,
        created_at_ms=1_000,
        home=made_in,
        features="sha256:features",
        feature_names=["a"],
        files={},
        value_weights={"click": 1.0},
        data={"rows": 10, "split_by": "days"},
        training={"settings": "sha256:settings", "settings_read": READ},
        metrics={},
    )
    return home.bundles.add(draft, manifest)


@pytest.fixture
def home(tmp_path):
    found = Home(tmp_path / "home")
    found.wiring.recorded()
    return found


def run(home: Home, *words: str):
    command = ["models", *words, "--home", str(home.wiring.layout.home)]
    return CliRunner().invoke(app, command, env={"COLUMNS": "400"})


def test_show_prints_the_whole_manifest_for_programs(home):
    digest = sealed(home, home.wiring.home_id())
    shown = json.loads(run(home, "show", digest, "--json").output)
    assert shown["digest"] == digest
    assert shown["home"] == home.wiring.home_id()
    assert shown["training"]["settings_read"] == READ


def test_show_prints_home_data_and_settings_for_people(home):
    digest = sealed(home, home.wiring.home_id())
    text = run(home, "show", digest.removeprefix("sha256:")[:8]).output
    assert digest in text
    assert home.wiring.home_id() in text
    assert 'settings: training           {"epochs":2,"seed":7}' in text
    assert 'settings: regions            ["north","south"]' in text
    assert "split_by                     days" in text


def test_a_bundle_of_another_home_is_listed_as_refused_and_neither_shown_nor_promoted(home):
    digest = sealed(home, "0" * 32)
    (listed,) = json.loads(run(home, "list", "--json").output)
    assert f"made in home {'0' * 32}" in listed["refused"]
    for verb in ("show", "promote"):
        refused = run(home, verb, digest)
        assert refused.exit_code == 2
        assert f"made in home {'0' * 32}" in " ".join(refused.stderr.split())
    assert home.bundles.champion() is None


def test_promote_takes_a_bundle_of_this_home(home):
    digest = sealed(home, home.wiring.home_id())
    assert run(home, "promote", digest[:12]).exit_code == 0
    assert home.bundles.champion() == digest
