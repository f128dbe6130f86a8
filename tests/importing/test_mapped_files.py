import pytest
from importing_worlds import ONE_EACH, RecordingSink, mapped, play, write_jsonl

from playbill.core import InvalidInput, NotFound
from playbill.importing import Mapped, load


def test_a_line_that_is_not_utf8_is_named(tmp_path):
    source = mapped(tmp_path, [play(1)])
    with (tmp_path / "events.jsonl").open("ab") as lines:
        lines.write(b'{"who": "\xff"}\n')
    with pytest.raises(InvalidInput, match=r"events.jsonl, line 2: not UTF-8 at byte 9"):
        source.events()


@pytest.mark.parametrize("keep", [10, 40])
def test_a_torn_gzip_file_is_named(tmp_path, keep):
    text = ONE_EACH.format(sorted="").replace("events.jsonl", "events.jsonl.gz")
    source = mapped(tmp_path, [], text=text)
    whole = write_jsonl(tmp_path / "events.jsonl.gz", [play(n) for n in range(40)]).read_bytes()
    (tmp_path / "events.jsonl.gz").write_bytes(whole[:keep])
    with pytest.raises(InvalidInput, match=r"events.jsonl.gz is not a whole gzip file"):
        source.events()


def test_a_torn_parquet_file_is_named(tmp_path):
    text = ONE_EACH.format(sorted="").replace("events.jsonl", "events.parquet")
    (tmp_path / "events.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InvalidInput, match=r"events.parquet is not a whole Parquet file"):
        mapped(tmp_path, [], text=text).events()


def test_missing_files_folders_and_kinds_are_named(tmp_path):
    source = mapped(tmp_path, [])
    (tmp_path / "events.jsonl").rename(tmp_path / "event.jsonl")
    with pytest.raises(NotFound, match=r"no file events.jsonl. Did you mean 'event.jsonl'\?"):
        source.events()
    with pytest.raises(NotFound, match="is not a folder"):
        Mapped(tmp_path / "absent", tmp_path / "mapping.toml")
    with pytest.raises(NotFound, match=r"no file mappings.toml. Did you mean 'mapping.toml'"):
        Mapped(tmp_path, tmp_path / "mappings.toml")
    text = ONE_EACH.format(sorted="").replace("events.jsonl", "events.csv")
    with pytest.raises(InvalidInput, match=r"events.csv is neither .jsonl, .jsonl.gz nor .parquet"):
        mapped(tmp_path, [], text=text).events()


def test_an_empty_table_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="holds no event to import"):
        load(mapped(tmp_path, []), RecordingSink())
