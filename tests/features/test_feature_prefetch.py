import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.features.layout import GROUP_RECORD, ITEM_RECORD
from playbill.features.prefetch_kernel import LINE_BYTES, ask_records
from playbill.features.records_kernel import put_records, take_records


def test_records_are_made_of_whole_lines():
    assert ITEM_RECORD.itemsize % LINE_BYTES == 0


def test_asking_for_records_that_are_not_there_is_no_error_and_changes_none():
    items = np.frombuffer(np.random.default_rng(0).bytes(50 * ITEM_RECORD.itemsize), ITEM_RECORD)
    before = items.tobytes()
    for rows in ([], [0, 49, 7], [-1, 50, 1 << 40, -(1 << 40)]):
        ask_records(items.ctypes.data, ITEM_RECORD.itemsize, np.array(rows, np.int64))
    assert items.tobytes() == before


@given(
    count=st.integers(1, 400),
    rows=st.lists(st.integers(0, 399), max_size=400, unique=True),
    kind=st.sampled_from([ITEM_RECORD, GROUP_RECORD]),
)
@settings(deadline=None)
def test_records_are_taken_and_put_whole_whatever_their_order(count, rows, kind):
    rows = np.array([row for row in rows if row < count], np.int64)
    words = kind.itemsize // 8
    table = np.arange(count * words, dtype=np.uint64).reshape(count, words)
    other, taken = table + np.uint64(10**6), np.empty((len(rows), words), np.uint64)
    take_records(table, rows, taken)
    assert (taken == table[rows]).all()
    put_records(other, rows, taken)
    left = np.setdiff1d(np.arange(count), rows)
    assert (other[rows] == table[rows]).all()
    assert (other[left] == table[left] + np.uint64(10**6)).all()
