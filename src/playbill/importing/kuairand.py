"""KuaiRand: a real short-video feed with exposures and outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from playbill.contracts import Declared, Fields
from playbill.importing.kuairand_catalogue import read_users, read_videos
from playbill.importing.kuairand_exposures import SURFACES, read_exposures
from playbill.importing.kuairand_history import read_history
from playbill.importing.showings import REGION, Showings, count_events, events_of
from playbill.importing.tables import require_folder
from playbill.importing.tally import Count, Ints, Tally

DAY_OFFSET_H = 8
EXPOSURES_FROM = datetime(2022, 4, 24, 16, tzinfo=UTC)
"""25 April in China; what was watched before has an order and no times."""


@dataclass(frozen=True, slots=True)
class KuaiRand:
    """KuaiRand as history: every exposure is an impression, its outcomes follow it.

    Args:
        folder: holds ``exposures_*.parquet``, ``videos.csv``, ``users.csv`` and, unless
            ``history`` is False, ``user_history_*.parquet``.
        history: also yield what users watched before the exposures. Their order is real; their
            times are made up.

    Raises:
        NotFound: the folder is not there.

    Source: Gao et al., KuaiRand (CIKM 2022), CC BY-SA 4.0.
    """

    folder: Path
    history: bool = field(default=True, kw_only=True)
    tally: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_folder(self.folder)

    def declared(self) -> Declared:
        """Return one region, since the set names none, the 15 tabs of the app, and China's days."""
        training: dict[str, object] = {"day_offset_h": DAY_OFFSET_H}
        if self.history:
            training["rows_from"] = EXPOSURES_FROM
        return Declared(regions=(REGION,), surfaces=SURFACES, training=training)

    def videos(self) -> Iterator[Fields]:
        """Yield the catalogue; videos without any known duration are rejected."""
        return read_videos(self.folder, self.tally.start("videos"))

    def users(self) -> Iterator[Fields]:
        """Yield viewers by id alone; the set's other columns are not part of our contract."""
        return read_users(self.folder, self.tally.start("users"))

    def events(self) -> Iterator[tuple[int, Fields]]:
        """Yield impressions and outcomes of taken videos, by the instant they were received."""
        count = self.tally.start("events")
        showings = self._showings(count)
        count.expected = count_events(showings)
        return events_of(showings)

    def _showings(self, count: Count) -> Showings:
        taken: Ints = np.array(
            [(int(body["video_id"]), body["duration_ms"]) for body in self._catalogue()],
            dtype=np.int64,
        ).reshape(-1, 2)
        taken = taken[np.argsort(taken[:, 0])]
        exposures = read_exposures(self.folder, taken[:, 0], count)
        if not self.history:
            return exposures
        return _joined(exposures, read_history(self.folder, taken, count))

    def _catalogue(self) -> Iterator[Fields]:
        return read_videos(self.folder, Count())


def _joined(first: Showings, second: Showings) -> Showings:
    """Return the showings of both; the second's origins and surfaces come after the first's."""
    return Showings(
        origins=first.origins + second.origins,
        surfaces=first.surfaces + second.surfaces,
        origin=np.concatenate([first.origin, second.origin + len(first.origins)]),
        surface=np.concatenate([first.surface, second.surface + len(first.surfaces)]),
        number=np.concatenate([first.number, second.number]),
        user=np.concatenate([first.user, second.user]),
        video=np.concatenate([first.video, second.video]),
        shown_at_ms=np.concatenate([first.shown_at_ms, second.shown_at_ms]),
        known_at_ms=np.concatenate([first.known_at_ms, second.known_at_ms]),
        did=np.concatenate([first.did, second.did]),
        watch_ms=np.concatenate([first.watch_ms, second.watch_ms]),
        long_view=np.concatenate([first.long_view, second.long_view]),
    )
