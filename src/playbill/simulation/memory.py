"""What a run remembers of viewers: what they were shown, and whom they follow."""

import numpy as np

from playbill.simulation.columns import Ints, Mask
from playbill.simulation.world import World

_REMEMBERED = 64


class RecentlyShown:
    """The last 64 videos shown to each viewer. Threads may share it if viewers are disjoint."""

    def __init__(self, users: int) -> None:
        # Rows are stored plus one: zeroed pages cost nothing until a viewer comes.
        self._rows = np.zeros((users, _REMEMBERED), dtype=np.int32)
        self._next = np.zeros(users, dtype=np.int64)

    def show(self, user: int, videos: Ints) -> int:
        """Note (C,) videos as shown and return how many of them were remembered already."""
        remembered = self._rows[user]
        repeats = int(np.isin(videos + 1, remembered).sum())
        places = (self._next[user] + np.arange(videos.size)) % _REMEMBERED
        remembered[places] = videos + 1
        self._next[user] += videos.size
        return repeats


class Following:
    """Who follows whom, so that nobody follows an author twice. One thread at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pairs: set[tuple[int, int]] = set()

    def begin(self, user: int, videos: Ints, followed: Mask) -> Mask:
        """Return (C,) which of the follows just drawn are the first of their author."""
        new = followed.copy()
        viewers = self._world.viewers
        for row in np.flatnonzero(followed).tolist():
            author = int(self._world.catalogue.author[videos[row]])
            at_start = viewers.favourites[user][: viewers.follows[user]]
            new[row] = (user, author) not in self._pairs and author not in at_start
            self._pairs.add((user, author))
        return new
