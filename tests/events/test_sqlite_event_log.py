import sqlite3
import stat
from contextlib import contextmanager

import pytest
from sqlite_processes import READER, WRITER, ask, running

from laws.event_log_suite import EventLogSuite
from playbill.contracts import Batch, BatchKind
from playbill.core import Conflict, DependencyUnavailable, InvalidInput
from playbill.events.adapters.sqlite_log import SqliteEventLog


def batch(content=b"x"):
    return Batch(BatchKind.EVENTS, 1, content)


class TestSqliteEventLog(EventLogSuite):
    @pytest.fixture
    def new_log(self, tmp_path):
        logs = []

        def make():
            logs.append(SqliteEventLog(tmp_path / str(len(logs))))
            return logs[-1]

        yield make
        for log in logs:
            log.close()

    @contextmanager
    def refusing(self, log, writer):
        writer._db.execute("PRAGMA max_page_count = 1")
        yield
        writer._db.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
def log(tmp_path):
    opened = SqliteEventLog(tmp_path / "log")
    yield opened
    opened.close()


def test_a_log_opened_again_holds_what_it_held(tmp_path, log):
    writer = log.writer("worker-1")
    writer.append([batch(b"a"), batch(b"b")], 5)
    writer.close()
    again = SqliteEventLog(tmp_path / "log")
    assert again.partitions() == ["worker-1"]
    assert again.read("worker-1", 0, 9) == log.read("worker-1", 0, 9)
    writer = again.writer("worker-1")
    assert writer.append([batch(b"c")], 6) == 3
    writer.close()
    again.close()


@pytest.mark.parametrize("name", ["", "../epochs", "a/b", "A", "1a", "a.sqlite", "a" * 62, "é"])
def test_a_partition_can_never_name_another_file(log, name):
    for use in (log.writer, log.last_offset, lambda name: log.read(name, 0, 1)):
        with pytest.raises(InvalidInput, match="not a partition's name"):
            use(name)


@pytest.mark.parametrize("folder", ["a b", "50%41", "what?", "a#b", "größe"])
def test_a_log_may_lie_in_any_folder(tmp_path, folder):
    log = SqliteEventLog(tmp_path / folder)
    writer = log.writer("worker-1")
    writer.append([batch(b"a")], 5)
    assert [stored.payload for stored in log.read("worker-1", 0, 9)] == [b"a"]
    writer.close()
    log.close()


def test_every_file_of_a_partition_is_for_this_user_only(tmp_path, log):
    writer = log.writer("worker-1")
    writer.append([batch()], 5)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "log").iterdir()}
    assert set(modes) >= {"worker-1.sqlite", "worker-1.sqlite-wal", "worker-1.lock"}
    assert set(modes.values()) == {0o600}
    writer.close()


def test_a_commit_waits_for_the_disk(tmp_path, log):
    writer = log.writer("worker-1")
    assert writer._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert writer._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    writer.close()


def test_two_processes_cannot_write_one_partition(tmp_path, log):
    with running(WRITER, tmp_path / "log", 0, 1) as other:
        assert int(other.stdout.readline()) == 3
        with pytest.raises(Conflict, match="'worker-1' is written by another process") as caught:
            log.writer("worker-1")
        assert "stop the other playbill" in caught.value.hint
        log.writer("worker-2").close()


def test_the_partition_of_a_dead_process_is_free_at_once(tmp_path, log):
    with running(WRITER, tmp_path / "log", 0, 1) as other:
        assert int(other.stdout.readline()) == 3
        other.kill()
        other.wait()
        log.writer("worker-1").close()


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_killing_a_writer_in_the_middle_loses_nothing_that_it_acknowledged(
    tmp_path, log, acknowledged
):
    with running(WRITER, tmp_path / "log", 0, 200) as writer:
        for _ in range(acknowledged):
            offset = int(writer.stdout.readline())
        writer.kill()
        offset = max([offset, *map(int, writer.stdout.read().split())])
        writer.wait()
    found = log.read("worker-1", 0, 1_000_000)
    assert offset >= 3 * acknowledged
    assert len(found) >= offset
    assert len(found) % 3 == 0, "an append is stored whole or not at all"
    assert [stored.offset for stored in found] == list(range(1, len(found) + 1))
    assert [stored.payload for stored in found] == [b"%09d" % n * 200 for n in range(len(found))]


def test_a_full_disk_is_named_and_what_was_stored_stays_readable(tmp_path, log):
    with running(WRITER, tmp_path / "log", 300_000, 2_000) as writer:
        offsets = []
        while (line := writer.stdout.readline().strip()).isdigit():
            offsets.append(int(line))
        assert line.startswith("refused log_unavailable the log cannot be written")
        assert line.endswith("nothing was stored")
        assert [stored.offset for stored in log.read("worker-1", 0, 1_000)] == list(
            range(1, offsets[-1] + 1)
        )
    room_again = log.writer("worker-1")
    assert room_again.append([batch()], 9) == offsets[-1] + 1
    room_again.close()


def test_a_batch_that_the_table_refuses_takes_its_neighbours_with_it(log):
    writer = log.writer("worker-1")
    not_bytes = Batch(BatchKind.EVENTS, 1, "a text")
    with pytest.raises(DependencyUnavailable, match="nothing was stored"):
        writer.append([batch(b"a"), not_bytes, batch(b"b")], 5)
    assert log.last_offset("worker-1") == 0
    assert writer.append([batch(b"c")], 6) == 1
    writer.close()


def test_a_reader_in_another_process_sees_each_commit(tmp_path, log):
    with running(READER, tmp_path / "log") as reader:
        assert reader.stdout.readline() == "ready\n"
        assert ask(reader, 0) == "0"
        writer = log.writer("worker-1")
        assert ask(reader, 0) == "0"
        for n in range(1, 6):
            writer.append([batch(bytes([n]))], n)
            assert ask(reader, n - 1) == f"{n} {n:02x}"
        writer.close()
        assert ask(reader, 3) == "5 04 05"


def test_readers_do_not_wait_for_a_writer_in_the_middle(log):
    writer = log.writer("worker-1")
    writer.append([batch(b"a")], 5)
    writer._db.execute("BEGIN IMMEDIATE")
    writer._db.execute(
        "INSERT INTO batches (at_ms, kind, records, payload) VALUES (6, 1, 1, x'62')"
    )
    assert [stored.payload for stored in log.read("worker-1", 0, 9)] == [b"a"]
    writer._db.execute("ROLLBACK")
    writer.close()


def test_a_damaged_partition_is_named_and_not_taken_for_an_empty_one(tmp_path, log):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "worker-1.sqlite").write_bytes(b"not a database" * 500)
    for use in (lambda: log.read("worker-1", 0, 9), lambda: log.last_offset("worker-1")):
        with pytest.raises(DependencyUnavailable, match="cannot be read") as caught:
            use()
        assert caught.value.code == "log_unavailable"
    with pytest.raises(DependencyUnavailable, match="cannot be written"):
        log.writer("worker-1")
    (tmp_path / "log" / "worker-1.sqlite").unlink()
    log.writer("worker-1").close()


def test_a_partition_that_cannot_be_opened_is_named(tmp_path, log):
    (tmp_path / "log" / "worker-1.sqlite").mkdir(parents=True)
    with pytest.raises(DependencyUnavailable, match="cannot be read"):
        log.read("worker-1", 0, 9)
    with pytest.raises(DependencyUnavailable, match="cannot be written"):
        log.writer("worker-1")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "log").touch()
    with pytest.raises(DependencyUnavailable, match="log folder cannot be written"):
        SqliteEventLog(tmp_path / "log").writer("worker-1")


def test_a_half_made_partition_reads_as_empty(tmp_path, log):
    (tmp_path / "log").mkdir()
    sqlite3.connect(tmp_path / "log" / "worker-1.sqlite").close()
    (tmp_path / "log" / "worker-1.sqlite").touch()
    assert log.last_offset("worker-1") == 0
    assert log.read("worker-1", 0, 9) == []
