import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing_worlds import exposure, write_kuairand

from playbill.core import DependencyUnavailable, InvalidInput, NotFound
from playbill.importing import KuaiRand


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"absent is not a folder"):
        KuaiRand(tmp_path / "absent")


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(NotFound, match=r"holds no file videos.csv"):
        list(KuaiRand(tmp_path).videos())
    (tmp_path / "video.csv").write_text("video_id\n")
    with pytest.raises(NotFound, match=r"holds no file videos.csv. Did you mean 'video.csv'\?"):
        list(KuaiRand(tmp_path).videos())
    write_kuairand(tmp_path, [exposure()])
    (tmp_path / "exposures_0425_0505.parquet").unlink()
    with pytest.raises(NotFound, match=r"holds no file exposures_\*.parquet"):
        KuaiRand(tmp_path).events()


def test_missing_columns_are_named_with_the_nearest_ones(tmp_path):
    write_kuairand(tmp_path, [exposure()])
    (tmp_path / "users.csv").write_text("userid,fans\n1,2\n")
    with pytest.raises(
        InvalidInput, match=r"lacks 1 of 1 columns: 'user_id'. Did you mean 'userid'"
    ):
        list(KuaiRand(tmp_path).users())
    path = tmp_path / "exposures_0425_0505.parquet"
    table = pq.read_table(path).rename_columns({"time_ms": "time", "tab": "screen"})
    pq.write_table(table, path)
    with pytest.raises(
        InvalidInput, match=r"lacks 2 of 12 columns: 'time_ms'. Did you mean 'time'"
    ):
        KuaiRand(tmp_path, history=False).events()


def test_a_column_of_texts_is_refused_where_numbers_belong(tmp_path):
    write_kuairand(tmp_path, [exposure()])
    path = tmp_path / "exposures_0425_0505.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index("tab")
    pq.write_table(table.set_column(place, "tab", table.column("tab").cast(pa.string())), path)
    with pytest.raises(InvalidInput, match=r"column 'tab' of .* holds string; whole numbers"):
        KuaiRand(tmp_path, history=False).events()


def test_a_torn_parquet_file_is_named(tmp_path):
    write_kuairand(tmp_path, [exposure()])
    path = tmp_path / "exposures_0425_0505.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InvalidInput, match=r"exposures_0425_0505.parquet is not a whole Parquet"):
        KuaiRand(tmp_path, history=False).events()


def test_a_table_that_is_not_utf8_is_named(tmp_path):
    write_kuairand(tmp_path, [exposure()])
    (tmp_path / "users.csv").write_bytes(b"user_id,fans\n1,\xff\n")
    with pytest.raises(InvalidInput, match=r"users.csv is not CSV in UTF-8 soon after row 0"):
        list(KuaiRand(tmp_path).users())


def test_without_pyarrow_the_extra_to_install_is_named(tmp_path, monkeypatch):
    write_kuairand(tmp_path, [exposure()])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DependencyUnavailable, match="needs pyarrow") as caught:
        KuaiRand(tmp_path).events()
    assert caught.value.hint == "install playbill[train]"


def test_the_station_loads_without_pyarrow():
    code = "import sys, playbill.importing; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
