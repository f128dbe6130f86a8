"""Mapping the lists made ahead, and the ones that take their place, beside the loop."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from playbill.core import PlaybillError
from playbill.features.adapters.shared_items import SharedItems
from playbill.retrieval import rows_of_keys, view_of
from playbill.serving import BoardRow, log_mishap
from playbill.serving.ahead import Ahead
from playbill.serving.lists_ahead import ListsAhead

Rows = npt.NDArray[np.int64]
Name = TypeVar("Name")
_log = logging.getLogger("playbill")


class ListsWatch:
    """Keep ``ahead`` at what the file holds; a file that is refused leaves what was there.

    A file that is gone takes its lists with it.

    Args:
        path: of the file.
        ahead: what requests look at.
        items: what turns keys into rows, None while it cannot be mapped.
        row: counts refusals.
    """

    def __init__(
        self,
        path: Path,
        ahead: Ahead,
        items: Callable[[], SharedItems | None],
        row: BoardRow,
    ) -> None:
        self._path = path
        self._ahead = ahead
        self._items = items
        self._row = row
        self._seen: tuple[int, int, int] | None = None
        self._loading: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begin to load a file that was not met before; called between requests."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.get_running_loop().create_task(self.load())

    async def load(self) -> None:
        """Load the file if it is a new one, reading and searching in a thread."""
        items = self._items()
        seen = self._signature()
        if items is None or seen == self._seen:
            return
        self._seen = seen
        if seen is None:
            self._ahead.lists, self._ahead.rows_by_place = None, {}
            return
        try:
            lists, rows = await asyncio.to_thread(self._open, items)
        except FileNotFoundError:
            self._seen = None
        except PlaybillError as error:
            self._row.add("errors")
            _log.error("%s (%s)", error.message, error.hint)
        except Exception as error:
            self._row.add("errors")
            log_mishap("loading the lists made ahead", error)
        else:
            self._ahead.lists, self._ahead.rows_by_place = lists, rows

    def _open(self, items: SharedItems) -> tuple[ListsAhead, dict[tuple[int, int], Rows]]:
        lists = ListsAhead.open(self._path)
        records = view_of(items).tables.items
        return lists, rows_of(partial(rows_of_keys, records), lists.by_place())

    def _signature(self) -> tuple[int, int, int] | None:
        """Return what tells one file from the next, None without a file."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def rows_of(
    found_by: Callable[[npt.NDArray[np.uint64]], Rows],
    lists: Mapping[Name, npt.NDArray[np.uint64]],
) -> dict[Name, Rows]:
    """Return lists of keys as rows of item state, without those that it does not hold.

    Args:
        found_by: returns (K,) rows of (K,) keys, -1 for none; called once, for a pass in a thread.
        lists: (K,) keys each.
    """
    rows = found_by(np.concatenate([np.empty(0, np.uint64), *lists.values()]))
    found = np.split(rows, np.cumsum([len(keys) for keys in lists.values()]))
    return {name: part[part >= 0] for name, part in zip(lists, found, strict=False)}
