"""What every ``UserState`` does. An adapter's tests inherit the suite and provide ``store``."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbill.core import BrokenContract

ANN, BOB, CLEO = (name.ljust(16, b"\0") for name in (b"ann", b"bob", b"cleo"))

small_keys = st.binary(min_size=1, max_size=3)
maps = st.dictionaries(small_keys, st.binary(min_size=1, max_size=8), max_size=5)


class UserStateSuite:
    """Inherit it, and return an empty store from the fixture ``store``."""

    @pytest.fixture
    def store(self):
        raise NotImplementedError

    def test_an_empty_store_stands_at_epoch_0_and_knows_nobody(self, store):
        assert store.epoch() == 0
        assert store.read(ANN) == (None, 0)
        assert store.read_many([ANN, BOB]) == [None, None]
        assert store.texts([b"v1"]) == [None]
        assert list(store.rows()) == []

    def test_a_commit_shows_rows_texts_and_epoch_together(self, store):
        store.commit(1, {ANN: b"row of ann"}, {b"v1": b"text"})
        assert store.epoch() == 1
        assert store.read(ANN) == (b"row of ann", 1)
        assert store.texts([b"v1", b"v2"]) == [b"text", None]

    def test_texts_may_come_before_their_epoch_and_change_nothing_else(self, store):
        store.commit(1, {ANN: b"1"}, {b"v1": b"1"})
        for _ in range(2):
            store.put_texts({b"v1": b"2", b"v2": b"2"})
        assert store.texts([b"v1", b"v2"]) == [b"2", b"2"]
        assert store.read(ANN) == (b"1", 1)
        store.commit(2, {}, {})
        assert store.texts([b"v1", b"v2"]) == [b"2", b"2"]

    def test_a_later_commit_replaces_rows_and_leaves_the_others(self, store):
        store.commit(1, {ANN: b"1", BOB: b"1"}, {b"v1": b"1", b"v2": b"1"})
        store.commit(2, {ANN: b"22"}, {b"v1": b"22"})
        assert store.read_many([ANN, BOB]) == [b"22", b"1"]
        assert store.texts([b"v1", b"v2"]) == [b"22", b"1"]

    def test_a_row_is_read_at_the_epoch_of_the_last_commit_not_of_its_own(self, store):
        store.commit(1, {ANN: b"1"}, {})
        store.commit(7, {BOB: b"7"}, {})
        assert store.read(ANN) == (b"1", 7)

    def test_many_rows_come_in_the_order_asked_for_strangers_and_repeats_included(self, store):
        store.commit(1, {ANN: b"a", BOB: b"b"}, {})
        assert store.read_many([BOB, CLEO, ANN, BOB]) == [b"b", None, b"a", b"b"]
        assert store.read_many([]) == []

    @pytest.mark.parametrize("epoch", [3, 2, 0])
    def test_an_epoch_that_is_not_later_is_refused_and_changes_nothing(self, store, epoch):
        store.commit(3, {ANN: b"3"}, {b"v1": b"3"})
        with pytest.raises(BrokenContract, match=f"epoch {epoch} does not lie after epoch 3"):
            store.commit(epoch, {ANN: b"x", BOB: b"x"}, {b"v1": b"x"})
        assert store.read_many([ANN, BOB]) == [b"3", None]
        assert store.texts([b"v1"]) == [b"3"]
        assert store.epoch() == 3

    def test_an_epoch_may_change_nobody_and_epochs_may_be_left_out(self, store):
        store.commit(1, {}, {})
        store.commit(9, {}, {})
        assert store.epoch() == 9

    def test_rows_come_ordered_by_user(self, store):
        names = [bytes([n * 37 % 256]) * 16 for n in range(40)]
        store.commit(1, {name: name[:1] for name in names[:20]}, {})
        store.commit(2, {name: name[:1] for name in names[20:]}, {b"v1": b"no row"})
        assert list(store.rows()) == [(name, name[:1]) for name in sorted(names)]

    def test_users_and_texts_do_not_share_keys(self, store):
        store.commit(1, {b"epoch": b"row"}, {b"epoch": b"text"})
        assert (store.read(b"epoch"), store.texts([b"epoch"])) == ((b"row", 1), [b"text"])

    def test_bytes_come_back_as_they_were(self, store):
        row = bytes(range(256)) * 5
        store.commit(1, {ANN: row}, {b"v1": row[::-1]})
        assert store.read(ANN) == (row, 1)
        assert store.texts([b"v1"]) == [row[::-1]]

    @settings(
        max_examples=25,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,  # it is inherited on purpose
        ],
    )
    @given(commits=st.lists(st.tuples(st.integers(1, 400), maps, maps), max_size=6))
    def test_a_store_is_two_dictionaries_and_a_number(self, store, commits):
        rows = dict(store.rows())
        for step, changed, texts in commits:
            epoch = store.epoch() + step
            store.commit(epoch, changed, texts)
            rows.update(changed)
            assert store.epoch() == epoch
            asked = list(rows) or [ANN]
            assert store.read_many(asked) == [rows.get(name) for name in asked]
            assert store.texts(list(texts)) == list(texts.values())
        assert list(store.rows()) == sorted(rows.items())
