"""Fixtures that every folder may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from trained_home import trained_home


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the trained template home, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    return trained_home(base if worker_id == "master" else base.parent)
