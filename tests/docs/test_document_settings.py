"""Settings that a document shows are settings that a home takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import ROOT, blocks

from playbill.app.config import read_settings

SHOWN = [
    block
    for document in sorted((ROOT / "docs").rglob("*.md"))
    for block in blocks(document)
    if block.language == "toml" and "[api_keys]" not in block.text
]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.place)
def test_settings_that_are_shown_are_taken(block, tmp_path: Path) -> None:
    file = tmp_path / "playbill.toml"
    file.write_text(block.text)
    read_settings(file)


def test_the_example_of_policies_is_among_them() -> None:
    assert any("[serving.policies." in block.text for block in SHOWN)
