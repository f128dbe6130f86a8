"""Fixtures that every folder may use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbill.app.layout import Layout
from trained_home import trained_home


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the trained template home, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    return trained_home(base if worker_id == "master" else base.parent)


@pytest.fixture(scope="session", autouse=True)
def _no_shared_memory_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Remove what homes of this run, killed ones included, left in shared memory."""
    yield
    for log in tmp_path_factory.getbasetemp().rglob("log"):
        shutil.rmtree(Layout(log.parent).run, ignore_errors=True)
