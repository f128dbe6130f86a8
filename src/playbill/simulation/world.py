"""A whole world: everything that follows from a seed and the instant it starts at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playbill.contracts import Fields
from playbill.core import DAY_MS, HOUR_MS, SECOND_MS, InvalidInput, nearest_name
from playbill.simulation.authors import Authors, make_authors
from playbill.simulation.bodies import user_body, video_body
from playbill.simulation.catalogue import Catalogue, make_catalogue
from playbill.simulation.columns import Floats, Ints, Mask
from playbill.simulation.policies import Policy, PolicyValue, evaluate, policy_named
from playbill.simulation.regions import awake
from playbill.simulation.responses import Outcomes, ResponseModel
from playbill.simulation.settings import WorldSettings, checked
from playbill.simulation.viewers import Viewers, make_viewers, viewer_row


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class World:
    """Immutable, so that any number of threads may ask it. Rows stand for viewers and videos."""

    settings: WorldSettings
    started_at_ms: int
    authors: Authors
    catalogue: Catalogue
    viewers: Viewers
    responses: ResponseModel
    rows: dict[str, int]
    """Video id to its row."""

    def known(self, video_ids: Sequence[str]) -> tuple[Ints, Mask]:
        """Return (K,) rows of the videos this world made, in order, and (C,) which those are."""
        found = [self.rows.get(video_id) for video_id in video_ids]
        rows = np.array([row for row in found if row is not None], dtype=np.int64)
        return rows, np.array([row is not None for row in found], dtype=np.bool_)

    def true_click(self, user: str | int, videos: Sequence[str] | Ints) -> Floats:
        """Return (C,) the true probability of a click on each video once it is looked at.

        Multiply by ``examination`` for a place in a feed.

        Raises:
            InvalidInput: a viewer or a video is not of this world.
        """
        return self.responses.chances(self._user(user), self._videos(videos)).p_click

    def expected_utility(self, user: str | int, videos: Sequence[str] | Ints) -> Floats:
        """Return (C,) the true expected utility of each video once it is looked at.

        Multiply by ``examination`` for a place in a feed. Units: those of ``ValueSettings``.

        Raises:
            InvalidInput: a viewer or a video is not of this world.
        """
        chances = self.responses.chances(self._user(user), self._videos(videos))
        return self.responses.utility(chances)

    def examination(self, user: str | int, positions: Ints) -> Floats:
        """Return (C,) the probability that a viewer looks at each position, from 0.

        Raises:
            InvalidInput: the viewer is not of this world.
        """
        return self.responses.examination(self._user(user), positions)

    def respond(
        self, user: int, videos: Ints, positions: Ints, rng: np.random.Generator
    ) -> Outcomes:
        """Draw what a viewer does with (C,) videos at (C,) positions of one feed."""
        chances = self.responses.chances(user, videos)
        return self.responses.draw(user, videos, positions, chances, rng)

    def policy_value(
        self, policy: str | Policy, *, viewers: int = 200, at_ms: int | None = None
    ) -> PolicyValue:
        """Return what a policy without a model would be worth; the start, when no instant is given.

        Raises:
            InvalidInput: there is no such policy, or fewer than two viewers.
        """
        if viewers < 2:
            raise InvalidInput(
                f"viewers is {viewers}; a standard error needs at least 2", field="viewers"
            )
        instant_ms = self.started_at_ms if at_ms is None else at_ms
        return evaluate(self.responses, policy_named(policy), viewers, instant_ms)

    def awake(self, at_ms: int) -> Floats:
        """Return (R,) how much of each region watches at a wall instant, by the world's time."""
        return awake(self.utc_hour(at_ms))

    def utc_hour(self, at_ms: int) -> float:
        """Return the world's hour of the day in UTC, in [0, 24).

        World time starts with wall time and then runs ``86,400 / day_s`` times as fast.
        """
        days = (at_ms - self.started_at_ms) / SECOND_MS / self.settings.day_s
        return ((self.started_at_ms % DAY_MS) / HOUR_MS + 24.0 * days) % 24.0

    def video_bodies(self, first: int, end: int) -> list[Fields]:
        """Return the bodies of ``POST /v1/videos`` for rows ``first`` to ``end``, exclusive."""
        return [video_body(self.catalogue, self.authors, row) for row in range(first, end)]

    def user_bodies(self, first: int, end: int) -> list[Fields]:
        """Return the bodies of ``POST /v1/users`` for rows ``first`` to ``end``, exclusive."""
        return [user_body(self.viewers, self.authors, row) for row in range(first, end)]

    def _user(self, user: str | int) -> int:
        row = viewer_row(user) if isinstance(user, str) else user
        if not 0 <= row < self.settings.users:
            raise InvalidInput(
                f"viewer {user!r} is not of this world, which has {self.settings.users}",
                field="user_id",
            )
        return row

    def _videos(self, videos: Sequence[str] | Ints) -> Ints:
        if isinstance(videos, np.ndarray):
            return videos
        rows, known = self.known(videos)
        if not known.all():
            stranger = videos[int(np.argmin(known))]
            raise InvalidInput(
                f"video {stranger!r} is not of this world.{nearest_name(stranger, self.rows)}",
                field="video_id",
            )
        return rows


def make_world(settings: WorldSettings, started_at_ms: int) -> World:
    """Return the world of a seed, the same every time.

    Args:
        settings: its size and pace.
        started_at_ms: the instant it starts at; the catalogue lies before it, arrivals after.

    Raises:
        InvalidInput: a setting leaves its range.
    """
    settings = checked(settings)
    authors = make_authors(settings)
    catalogue = make_catalogue(settings, authors, started_at_ms)
    viewers = make_viewers(settings, authors)
    return World(
        settings=settings,
        started_at_ms=started_at_ms,
        authors=authors,
        catalogue=catalogue,
        viewers=viewers,
        responses=ResponseModel(settings, authors, catalogue, viewers),
        rows={video_id: row for row, video_id in enumerate(catalogue.video_ids)},
    )
