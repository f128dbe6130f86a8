import numpy as np

from playbill.features.layout import ITEM_RECORD
from playbill.features.prefetch_kernel import LINE_BYTES, ask_records


def test_records_are_made_of_whole_lines():
    assert ITEM_RECORD.itemsize % LINE_BYTES == 0


def test_asking_for_records_that_are_not_there_is_no_error_and_changes_none():
    items = np.frombuffer(np.random.default_rng(0).bytes(50 * ITEM_RECORD.itemsize), ITEM_RECORD)
    before = items.tobytes()
    for rows in ([], [0, 49, 7], [-1, 50, 1 << 40, -(1 << 40)]):
        ask_records(items.ctypes.data, ITEM_RECORD.itemsize, np.array(rows, np.int64))
    assert items.tobytes() == before
