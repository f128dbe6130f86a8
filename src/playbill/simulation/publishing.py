"""The platform's side of the catalogue: what is there is posted, what arrives is posted too."""

from collections.abc import Callable

from playbill.contracts import MAX_VIDEOS_PER_BATCH
from playbill.simulation.client import FeedService
from playbill.simulation.world import World

USERS_PER_BATCH = 1_000


def publish_world(
    world: World, client: FeedService, on_progress: Callable[[int, int], None] | None = None
) -> None:
    """Post the first catalogue and every viewer's facts. Safe to repeat.

    Args:
        world: what to post.
        client: where to.
        on_progress: called after each batch with what is done and what there is in all.

    Raises:
        InvalidInput: a batch was refused; those before it were taken.
        DependencyUnavailable: a batch could not be sent; those before it were taken.
    """
    videos, users = world.settings.videos, world.settings.users
    for first in range(0, videos, MAX_VIDEOS_PER_BATCH):
        end = min(first + MAX_VIDEOS_PER_BATCH, videos)
        client.post_videos(world.video_bodies(first, end))
        if on_progress is not None:
            on_progress(end, videos + users)
    for first in range(0, users, USERS_PER_BATCH):
        end = min(first + USERS_PER_BATCH, users)
        client.post_users(world.user_bodies(first, end))
        if on_progress is not None:
            on_progress(videos + end, videos + users)


class Arrivals:
    """Post new videos as the world brings them forth. One thread at a time."""

    def __init__(self, world: World, client: FeedService) -> None:
        self._world = world
        self._client = client
        self._posted = world.settings.videos

    def post_due(self, at_ms: int) -> int:
        """Post what arrived until an instant and return how many videos that was.

        Raises:
            InvalidInput: a batch was refused; it stays due.
            DependencyUnavailable: a batch could not be sent; it stays due.
        """
        before = self._posted
        due = self._world.catalogue.arrived(at_ms)
        while self._posted < due:
            end = min(self._posted + MAX_VIDEOS_PER_BATCH, due)
            self._client.post_videos(self._world.video_bodies(self._posted, end))
            self._posted = end
        return self._posted - before
