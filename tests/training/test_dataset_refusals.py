import shutil

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from training_worlds import SETTINGS, STARTED_AT_MS, LivingLog, exposed_world, video

from playbill.core import DependencyUnavailable, InvalidInput, NotFound
from playbill.events import MemoryEventLog, encode_videos
from playbill.training import Dataset, build, build_dataset, require_extra
from playbill.training.schema import REPORT_FILE, ROWS_TABLE


@pytest.fixture
def copied(tables, tmp_path):
    return shutil.copytree(tables, tmp_path / "tables")


def rewrite(folder, table):
    """Replace the rows, and let the report name the new version."""
    path = str(folder / ROWS_TABLE)
    write_deltalake(path, table, mode="overwrite", schema_mode="overwrite")
    report = msgspec.json.decode((folder / REPORT_FILE).read_bytes())
    report["table_version"] = DeltaTable(path).version()
    (folder / REPORT_FILE).write_bytes(msgspec.json.encode(report))


def rows_of(folder):
    return DeltaTable(str(folder / ROWS_TABLE)).to_pyarrow_dataset().to_table()


@pytest.mark.parametrize("videos", [0, 2])
def test_a_log_without_impressions_is_refused_and_nothing_is_written(tmp_path, videos):
    world = LivingLog()
    if videos:
        world.close([encode_videos([video(n) for n in range(videos)])], STARTED_AT_MS)
    log = world.log if videos else MemoryEventLog()
    with pytest.raises(InvalidInput, match="no impression of a known video"):
        build_dataset(log, SETTINGS, tmp_path / "tables")
    assert list((tmp_path / "tables").iterdir()) == []


def test_a_failed_build_leaves_the_last_one(copied):
    before = Dataset.open(copied).report
    with pytest.raises(InvalidInput):
        build_dataset(MemoryEventLog(), SETTINGS, copied)
    assert Dataset.open(copied).report == before
    assert len(Dataset.open(copied).rows()) == before.rows


def test_a_folder_that_cannot_be_written_is_named_before_the_replay(tmp_path):
    (tmp_path / "file").write_text("")
    told = []
    with pytest.raises(DependencyUnavailable, match="cannot be written"):
        build_dataset(
            exposed_world(days=1).log,
            SETTINGS,
            tmp_path / "file" / "tables",
            on_progress=lambda stage, share: told.append(stage),
        )
    assert told == []


def test_where_nothing_was_built_there_is_no_data_set(tmp_path):
    with pytest.raises(NotFound, match="no data set"):
        Dataset.open(tmp_path)


@pytest.mark.parametrize("text", [b"{", b'{"rows": "\xff"}', b"\xff\xfe"])
def test_a_damaged_report_is_refused(copied, text):
    (copied / REPORT_FILE).write_bytes(text)
    with pytest.raises(InvalidInput, match="cannot be read"):
        Dataset.open(copied)


def test_other_feature_definitions_are_refused(copied):
    report = msgspec.json.decode((copied / REPORT_FILE).read_bytes())
    report["features"] = "sha256:" + "0" * 64
    (copied / REPORT_FILE).write_bytes(msgspec.json.encode(report))
    with pytest.raises(InvalidInput, match="holds features sha256:000"):
        Dataset.open(copied)


def test_a_missing_column_is_named_with_the_one_that_may_be_meant(copied):
    table = rows_of(copied)
    names = ["item_age_h" if name == "item_age" else name for name in table.column_names]
    rewrite(copied, table.rename_columns(names))
    with pytest.raises(InvalidInput, match=r"lacks columns \[item_age\].*Did you mean"):
        Dataset.open(copied).rows()


def test_rows_that_are_not_there_are_missed(copied):
    rewrite(copied, rows_of(copied).slice(10))
    with pytest.raises(InvalidInput, match="lacks 10 of"):
        Dataset.open(copied).rows()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_feature_that_is_no_number_is_named(copied, bad):
    table = rows_of(copied)
    place = table.column_names.index("item_duration")
    values = table.column(place).to_numpy().copy()
    values[3:5] = bad
    rewrite(copied, table.set_column(place, table.schema.field(place), pa.array(values)))
    with pytest.raises(InvalidInput, match="2 rows hold NaN or infinity in item_duration"):
        Dataset.open(copied).rows()


def test_a_table_that_is_gone_is_a_dependency(copied):
    shutil.rmtree(copied / "training_histories")
    with pytest.raises(DependencyUnavailable, match="training_histories"):
        Dataset.open(copied).histories()


@pytest.mark.parametrize("name", ["training_rows", "training_histories", "training_items"])
@pytest.mark.parametrize("keep", [0.0, 0.7], ids=["emptied", "torn"])
def test_a_table_whose_files_are_damaged_is_a_dependency(copied, name, keep):
    for file in (copied / name).glob("*.parquet"):
        data = file.read_bytes()
        file.write_bytes(data[: int(len(data) * keep)].ljust(len(data), b"\xa5"))
    dataset = Dataset.open(copied)
    read = getattr(dataset, name.removeprefix("training_"))
    with pytest.raises(DependencyUnavailable, match=f"{name} version 0 cannot be read") as refusal:
        read()
    assert "build the data set again" in refusal.value.hint


def test_a_join_without_room_on_the_disk_is_a_dependency(tmp_path, monkeypatch):
    def full(*_):
        raise duckdb.OutOfMemoryException("failed to offload data block: disk is full")

    monkeypatch.setattr(build, "join_labels", full)
    with pytest.raises(DependencyUnavailable, match=r"cannot be written: .*offload") as refusal:
        build_dataset(exposed_world(days=1).log, SETTINGS, tmp_path / "tables")
    assert "free space" in refusal.value.hint
    assert list((tmp_path / "tables").iterdir()) == []


def test_a_machine_without_the_extra_is_told_what_to_install():
    with pytest.raises(DependencyUnavailable, match="no_such_library") as refusal:
        require_extra(("numpy", "no_such_library"))
    assert "playbill[train]" in refusal.value.hint
