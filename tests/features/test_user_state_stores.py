import itertools
import mmap
import subprocess
import sys

import pytest

from laws.user_state import ANN, BOB, UserStateSuite
from playbill.core import DependencyUnavailable
from playbill.features import BatchedUsers, MemoryUserState
from playbill.features.adapters import lmdb_users
from playbill.features.adapters.lmdb_users import LmdbUserState


class TestMemoryUserState(UserStateSuite):
    @pytest.fixture
    def store(self):
        return MemoryUserState()


class TestBatchedUsers(UserStateSuite):
    @pytest.fixture
    def below(self):
        return MemoryUserState()

    @pytest.fixture
    def store(self, below):
        return BatchedUsers(below)

    def test_commits_are_held_back_until_they_are_flushed(self, store, below):
        store.commit(1, {ANN: b"1"}, {b"v1": b"1"})
        assert (store.read(ANN), below.read(ANN)) == ((b"1", 1), (None, 0))
        store.flush()
        assert below.read(ANN) == (b"1", 1)
        assert below.texts([b"v1"]) == [b"1"]

    def test_what_is_held_back_hides_what_lies_below(self, below):
        below.commit(1, {ANN: b"1", BOB: b"1"}, {b"v1": b"1", b"v2": b"1"})
        store = BatchedUsers(below)
        store.commit(2, {ANN: b"2"}, {b"v1": b"2"})
        assert store.read_many([BOB, ANN]) == [b"1", b"2"]
        assert store.texts([b"v1", b"v2"]) == [b"2", b"1"]

    @pytest.mark.parametrize(("epochs", "committed"), [(511, 0), (512, 512), (513, 512)])
    def test_much_is_committed_by_itself(self, store, below, epochs, committed):
        for epoch in range(1, epochs + 1):
            store.commit(epoch, {ANN: b"%d" % epoch}, {})
        assert below.epoch() == committed
        assert store.epoch() == epochs

    def test_many_rows_are_committed_by_themselves(self, store, below):
        store.commit(1, {b"%d" % n: b"1" for n in range(49_999)}, {})
        assert below.epoch() == 0
        store.commit(2, {b"one more": b"1"}, {})
        assert below.epoch() == 2

    def test_closing_commits_what_is_held_back(self, store, below):
        store.commit(1, {ANN: b"1"}, {})
        store.close()
        assert below.read(ANN) == (b"1", 1)

    def test_flushing_twice_commits_once(self, store, below):
        store.commit(1, {}, {})
        store.flush()
        store.flush()
        assert below.epoch() == 1


class TestLmdbUserState(UserStateSuite):
    @pytest.fixture
    def store(self, tmp_path):
        store = LmdbUserState(tmp_path / "users", map_gib=1, writer=True)
        yield store
        store.close()


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens the one store of this test, closing what was open."""
    stores = []

    def again(*, writer: bool = True) -> LmdbUserState:
        while stores:
            stores.pop().close()
        stores.append(LmdbUserState(tmp_path / "users", map_gib=1, writer=writer))
        return stores[-1]

    yield again
    while stores:
        stores.pop().close()


def test_what_was_committed_is_there_in_the_next_process(opened):
    opened().commit(4, {ANN: b"4"}, {b"v1": b"4"})
    for writer in (False, True):
        store = opened(writer=writer)
        assert store.read(ANN) == (b"4", 4)
        assert store.texts([b"v1"]) == [b"4"]
        assert list(store.rows()) == [(ANN, b"4")]


def test_only_this_user_can_read_the_files(opened, tmp_path):
    opened()
    for path in (tmp_path / "users", *(tmp_path / "users").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_reader_cannot_write(opened):
    opened().commit(1, {ANN: b"1"}, {})
    with pytest.raises(DependencyUnavailable, match="the user store cannot be used"):
        opened(writer=False).commit(2, {ANN: b"2"}, {})


def test_a_store_knows_that_its_file_was_deleted(opened, tmp_path):
    store = opened()
    assert store.present()
    (tmp_path / "users" / "data.mdb").unlink()
    assert not store.present()
    (tmp_path / "users" / "data.mdb").write_bytes(b"another one took its place")
    assert not store.present()


def test_a_reader_of_no_store_is_told_so(tmp_path):
    with pytest.raises(DependencyUnavailable) as refusal:
        LmdbUserState(tmp_path / "nothing", map_gib=1, writer=False)
    assert refusal.value.code == "user_store_unavailable"
    assert not (tmp_path / "nothing").exists()


def test_a_damaged_file_is_refused_with_its_reason(opened, tmp_path):
    opened().commit(1, {ANN: b"1"}, {})
    opened().close()
    (tmp_path / "users" / "data.mdb").write_bytes(b"\xa5" * 65_536)
    for writer in (False, True):
        with pytest.raises(DependencyUnavailable, match=r"cannot be used: .*INVALID"):
            LmdbUserState(tmp_path / "users", map_gib=1, writer=writer)


def _lose_pages(file):
    """Empty every page behind the two that say where the trees begin."""
    with file.open("r+b") as pages:
        size = pages.seek(0, 2)
        pages.seek(2 * mmap.PAGESIZE)
        pages.write(bytes(size - 2 * mmap.PAGESIZE))


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.epoch(),
        lambda store: store.read(ANN),
        lambda store: store.read_many([ANN]),
        lambda store: store.texts([b"v1"]),
        lambda store: list(store.rows()),
        lambda store: store.commit(2, {ANN: b"2"}, {}),
    ],
    ids=["epoch", "read", "read_many", "texts", "rows", "commit"],
)
def test_damage_that_is_met_later_is_told_as_the_port_says(opened, tmp_path, use):
    store = opened()
    store.commit(1, {b"%016d" % n: b"1" * 500 for n in range(50)}, {b"v1": b"1"})
    _lose_pages(tmp_path / "users" / "data.mdb")
    with pytest.raises(DependencyUnavailable, match="the user store cannot be used") as refusal:
        use(store)
    assert "remove the folder users/" in refusal.value.hint


def test_a_full_store_names_the_setting_and_stays_as_it_was(opened, monkeypatch):
    """No rebuilding makes room: the log would be folded over and over."""
    monkeypatch.setattr(lmdb_users, "_GIB", 1 << 20)
    store = opened()
    store.commit(1, {ANN: b"1"}, {})
    with pytest.raises(DependencyUnavailable, match="full: epoch 2 does not fit into 1 GiB") as no:
        store.commit(2, {ANN: b"2", BOB: b"b" * (1 << 20)}, {})
    assert "raise state.user_store_gib" in no.value.hint
    assert store.read_many([ANN, BOB]) == [b"1", None]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "users").write_text("a file")
    with pytest.raises(DependencyUnavailable, match="cannot be used: File exists"):
        LmdbUserState(tmp_path / "users", map_gib=1, writer=True)


def test_rows_of_other_definitions_are_never_read(opened, monkeypatch):
    """A writer begins anew, and the updater folds the log; a reader waits for it."""
    with monkeypatch.context() as other:
        other.setattr(lmdb_users, "features_digest", lambda: "sha256:of other definitions")
        opened().commit(5, {ANN: b"other"}, {b"v1": b"other"})
        assert opened().read(ANN) == (b"other", 5)
    with pytest.raises(DependencyUnavailable, match="another version of the feature definitions"):
        opened(writer=False)
    store = opened()
    assert store.read(ANN) == (None, 0)
    assert store.texts([b"v1"]) == [None]
    assert opened(writer=False).epoch() == 0


_READER = """
import sys
from pathlib import Path
from playbill.features.adapters.lmdb_users import LmdbUserState

store = LmdbUserState(Path(sys.argv[1]), map_gib=1, writer=False)
print("ready", flush=True)
epochs = set()
while len(epochs) < 30:
    (a, b), (row, epoch) = store.read_many([b"a", b"b"]), store.read(b"a")
    assert a == b, (a, b)
    assert row == str(epoch).encode(), (row, epoch)
    epochs.add(epoch)
"""


def test_a_reader_in_another_process_sees_whole_epochs_only(opened, tmp_path):
    store = opened()
    store.commit(1, {b"a": b"1", b"b": b"1"}, {})
    command = [sys.executable, "-c", _READER, str(tmp_path / "users")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline() == "ready\n"
        epochs = itertools.count(2)
        while reader.poll() is None:
            epoch = next(epochs)
            number = str(epoch).encode()
            store.commit(epoch, {b"a": number, b"b": number}, {})
    assert reader.returncode == 0
