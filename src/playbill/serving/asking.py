"""From a message to a request with everything looked up."""

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import REASONS, FeedRequest, Settings
from playbill.core import Clock, DependencyUnavailable, RequestIds, key64
from playbill.events import Vocabulary
from playbill.features import empty_user
from playbill.privacy import Pseudonyms
from playbill.ranking import Policies, RankingRequest
from playbill.retrieval import Query
from playbill.serving.cursor import Cursors, Trail, first_page
from playbill.serving.texts import Texts
from playbill.serving.user_rows import UserRow, UserRows


class Asked(msgspec.Struct, frozen=True):
    """A validated request with everything looked up.

    ``row_read`` is False where the viewer's row could not be read and was needed; ``reasons`` are
    what is already known to be otherwise than usual; ``session`` is 0 for none.
    """

    request: RankingRequest
    message: FeedRequest
    user: bytes
    session: int
    row: UserRow
    row_read: bool
    trail: Trail
    key: int
    reasons: list[str]

    @property
    def reader(self) -> bytes:
        """Return what stands for the viewer on this surface."""
        return self.user + bytes([self.request.surface])

    def with_vector(self, vector: npt.NDArray[np.float32] | None) -> RankingRequest:
        """Return the request with the viewer's vector."""
        self.request.query.vector = vector
        return self.request


class Asker:
    """Look up who asks for what. Not for two threads at once.

    Args:
        settings: declared regions and surfaces.
        users: viewers' rows.
        texts: what turns excluded ids into rows.
        pseudonyms: what stands for viewers and sessions.
        clock: stamps requests.
        ids: numbers requests.
        random: what exploration draws from.
    """

    def __init__(
        self,
        settings: Settings,
        users: UserRows,
        texts: Texts,
        pseudonyms: Pseudonyms,
        clock: Clock,
        ids: RequestIds,
        random: np.random.Generator,
    ) -> None:
        self._users = users
        self._texts = texts
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._ids = ids
        self._random = random
        self._cursors = Cursors(pseudonyms.tokens, settings.serving.cursor_age_s)
        self._policies = Policies(settings.serving, settings.surfaces)
        self._regions = Vocabulary("region", settings.regions)
        self._surfaces = Vocabulary("surface", settings.surfaces)

    def ask(self, message: FeedRequest, *, told: bool = False, store: bool = True) -> Asked:
        """Return the request, with the viewer's row where it can be read.

        Args:
            told: whether a trace is wanted.
            store: False leaves the user store alone.

        Raises:
            InvalidInput: an undeclared surface or region, or a cursor that is not good here.
        """
        surface = self._surfaces.code(message.surface) or 1
        region = self._regions.code(message.region)
        user = self._pseudonyms.user(message.user_id)
        session = self._pseudonyms.session(message.session_id) if message.session_id else 0
        at_ms, trail = self._clock.now_ms(), None
        if message.cursor is not None:
            trail = self._cursors.read(message.cursor, user, (surface, session), at_ms)
        reasons: list[str] = []
        row = self._row(user, message, reasons) if store else None
        row_read = row is not None or not message.personalised
        row = row or _unread()
        policy = self._policies.of(surface)
        if trail is None:
            last_at_ms = int(row.row["last_at_ms"][0])
            rested = 0 < last_at_ms <= at_ms - policy.repeat_rest_ms
            trail = first_page(at_ms, rested=rested)
        home = int(row.row["region"][0]) or 1
        request = RankingRequest(
            query=Query(row.row, region or home, None, self._random, trail.below),
            surface=surface,
            size=message.size,
            excluded=self._excluded(message, trail),
            at_ms=at_ms,
            user_epoch=row.epoch,
            told=told,
            showings_held=0 if trail.rested else policy.repeat_showings,
            shown=trail.shown,
            places_before=trail.places,
        )
        key = self._ids.issue(at_ms)
        return Asked(request, message, user, session, row, row_read, trail, key, reasons)

    def next_cursor(self, asked: Asked, page: npt.NDArray[np.int64], count: int) -> str:
        """Return the cursor after a page.

        Args:
            asked: what led to the page.
            page: (K,) rows it showed.
            count: videos there are.
        """
        place = (asked.request.surface, asked.session)
        return self._cursors.write(asked.trail, page, count, asked.user, place)

    def region(self, request: RankingRequest) -> str | None:
        """Return the name of a request's region."""
        return self._regions.name(request.query.region)

    def _row(self, user: bytes, message: FeedRequest, reasons: list[str]) -> UserRow | None:
        """Return the viewer's row; without personalisation only the age is taken from it."""
        if not message.personalised:
            reasons.append("not_personalised")
        try:
            row = self._users.read(user)
        except DependencyUnavailable as error:
            if message.personalised:
                reasons.append(error.code if error.code in REASONS else "user_store_unavailable")
            return None
        if message.personalised:
            if not row.known:
                reasons.append("new_user")
            return row
        plain = empty_user()
        plain["age"] = row.row["age"]
        return UserRow(plain, known=False, epoch=0)

    def _excluded(self, message: FeedRequest, trail: Trail) -> npt.NDArray[np.int64]:
        if not message.exclude:
            return np.sort(trail.shown) if len(trail.shown) else trail.shown
        named = self._texts.rows([key64(name) for name in message.exclude])
        return np.sort(np.concatenate([trail.shown, named]))


def _unread() -> UserRow:
    """Return the row of a viewer whose own cannot be read: nothing is known, a child at worst."""
    row = empty_user()
    row["age"] = 0
    return UserRow(row, known=False, epoch=0)
