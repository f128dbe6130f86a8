"""The collector: what a process does with writes, from a body to a durable log."""

from collections.abc import Sequence
from concurrent.futures import Future

import msgspec

from playbill.contracts import (
    Batch,
    BatchKind,
    Event,
    EventsReply,
    RejectedEvent,
    Settings,
    Takedown,
    User,
    Video,
)
from playbill.core import Clock, key64
from playbill.events.admission import Admission, Bounds
from playbill.events.batches import (
    ServedFeeds,
    encode_events,
    encode_impressions,
    encode_takedowns,
    encode_users,
    encode_videos,
)
from playbill.events.dead_letters import DeadLetters
from playbill.events.decoding import Decoded, decode_events_body
from playbill.events.facts import store_user, store_video
from playbill.events.group_commit import GroupCommit
from playbill.privacy import Pseudonyms


class Collector:
    """Take events, videos, users and impression records; each future means "durable now".

    Args:
        settings: bounds and vocabulary.
        pseudonyms: what stands for users.
        log: the process's own partition.
        catalogue: its own partition of videos.
        takedowns: its own partition of take-downs.
        dead: the process's own dead-letter partition.
        letters: how refused events are kept.
        clock: stamps arrivals.
    """

    def __init__(
        self,
        settings: Settings,
        pseudonyms: Pseudonyms,
        log: GroupCommit,
        catalogue: GroupCommit,
        takedowns: GroupCommit,
        dead: GroupCommit,
        letters: DeadLetters,
        clock: Clock,
    ) -> None:
        self.admission = Admission(settings, pseudonyms, Bounds.of(settings.admission))
        self._max_event_bytes = settings.admission.max_event_bytes
        self._pseudonyms = pseudonyms
        self._log = log
        self._catalogue = catalogue
        self._takedowns = takedowns
        self._dead = dead
        self._letters = letters
        self._clock = clock

    def take_events(self, body: bytes) -> tuple[EventsReply, list["Future[int]"]]:
        """Return what became of a batch, and what must be durable before it is true.

        Raises:
            InvalidInput: the body as a whole cannot be read.
            Overloaded: too much waits for the disk; the whole batch is to be sent again.
        """
        return self._take(decode_events_body(body, self._max_event_bytes))

    def take_typed(self, events: Sequence[Event]) -> tuple[EventsReply, list["Future[int]"]]:
        """Take events that are already typed, as the console has them."""
        return self._take(Decoded(list(enumerate(events)), []))

    def take_videos(self, videos: Sequence[Video]) -> "Future[int]":
        """Queue catalogue entries; their regions must be declared.

        Raises:
            InvalidInput: a region nobody declared.
            Overloaded: too much waits for the disk.
        """
        now_ms = self._clock.now_ms()
        stored = [store_video(video, now_ms, self.admission.regions) for video in videos]
        return self._catalogue.submit([encode_videos(stored)])

    def take_down(self, video_id: str) -> "Future[int]":
        """Queue a take-down."""
        takedown = Takedown(key=key64(video_id), at_ms=self._clock.now_ms())
        return self._takedowns.submit([encode_takedowns([takedown])])

    def take_users(self, users: Sequence[User]) -> "Future[int]":
        """Queue viewers' facts under their pseudonyms."""
        now_ms = self._clock.now_ms()
        stored = [
            store_user(user, now_ms, self._pseudonyms, self.admission.regions) for user in users
        ]
        return self._log.submit([encode_users(stored)])

    def take_impressions(self, feeds: ServedFeeds) -> "Future[int]":
        """Queue the records of served feeds."""
        return self._log.submit([encode_impressions(feeds)])

    def take_traces(self, payloads: Sequence[bytes]) -> "Future[int]":
        """Queue feature vectors kept for parity."""
        return self._log.submit([Batch(BatchKind.TRACES, 1, payload) for payload in payloads])

    def close(self) -> None:
        """Write what waits and give all partitions up."""
        self._log.close()
        self._catalogue.close()
        self._takedowns.close()
        self._dead.close()

    def _take(self, decoded: Decoded) -> tuple[EventsReply, list["Future[int]"]]:
        admitted = self.admission.admit(decoded.events, self._clock.now_ms())
        by_index = dict(decoded.events) if admitted.rejected else {}
        refused = decoded.refused + [
            (problem, msgspec.json.encode(by_index[problem.index])) for problem in admitted.rejected
        ]
        durable: list[Future[int]] = []
        if len(admitted.records):
            durable.append(self._log.submit([encode_events(admitted.records)]))
        if refused:
            durable.append(self._dead.submit([self._letters.batch(refused)]))
        problems: list[RejectedEvent] = sorted(
            (problem for problem, _ in refused), key=lambda problem: problem.index
        )
        reply = EventsReply(
            accepted=len(admitted.records), duplicates=admitted.duplicates, rejected=problems
        )
        return reply, durable
