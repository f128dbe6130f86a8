"""Pages that were looked at are there: the kernel says so."""

from pathlib import Path

import numpy as np

from playbill.features import touch
from playbill.features.adapters.shared_items import SharedItems

MIB = 1 << 20


def _resident_kib(path: Path) -> int:
    """Return how much of a mapped file this process has in its tables."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    total = 0
    for line in lines:
        if line.endswith(str(path)):
            total += next(int(part.split()[1]) for part in lines if part.startswith("Rss:"))
    return total


def test_every_page_of_a_mapped_array_is_read_once(tmp_path):
    path = tmp_path / "numbers"
    path.write_bytes(bytes(8 * MIB))
    mapped = np.memmap(path, np.float32, "r").reshape(-1, 64)
    assert _resident_kib(path) < 4 * 1024
    touch(mapped, np.empty(0, np.float32))
    assert _resident_kib(path) == 8 * 1024


def test_records_in_use_are_read_and_no_more_memory_is_taken(tmp_path):
    def mapped(create: bool) -> SharedItems:
        return SharedItems(
            tmp_path / "items", item_capacity=1 << 16, group_capacity=16, regions=1, create=create
        )

    writer = mapped(create=True)
    writer.header["items"] = 1 << 14
    writer.items[: 1 << 14]["key"] = 7
    reader = mapped(create=False)
    taken, before = (tmp_path / "items").stat().st_blocks, _resident_kib(tmp_path / "items")
    reader.touch()
    assert (tmp_path / "items").stat().st_blocks == taken
    assert _resident_kib(tmp_path / "items") - before >= (1 << 14) * 128 // 1024
