from pathlib import Path

import msgspec
import pytest
from training_worlds import SETTINGS, exposed_world

from playbill.contracts import Settings
from playbill.training import Dataset, Histories, Rows, build_dataset
from playbill.training.split import Split, quick_split


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a small world; read them, never write them."""
    folder = tmp_path_factory.mktemp("learning") / "tables"
    build_dataset(exposed_world().log, SETTINGS, folder)
    return folder


@pytest.fixture(scope="session")
def dataset(tables: Path) -> Dataset:
    return Dataset.open(tables)


@pytest.fixture(scope="session")
def quickly() -> Settings:
    """Settings that train in a second."""
    training = msgspec.structs.replace(
        SETTINGS.training, epochs=6, tower_epochs=8, batch_rows=128, learning_rate=3e-3, threads=1
    )
    return msgspec.structs.replace(SETTINGS, training=training)


@pytest.fixture(scope="session")
def rows(dataset: Dataset) -> Rows:
    """All rows of the small world."""
    return dataset.rows()


@pytest.fixture(scope="session")
def histories(dataset: Dataset) -> Histories:
    """What its viewers had done lately, by snapshot."""
    return dataset.histories()


@pytest.fixture(scope="session")
def split(rows: Rows, quickly: Settings) -> Split:
    """Its quick split."""
    return quick_split(rows.at_ms, quickly.training.holdout)
