"""MovieLens: ratings of films, read as what a video platform would have seen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from playbill.contracts import Declared, EventType, Fields
from playbill.core import MINUTE_MS
from playbill.importing.movielens_films import Film, read_films
from playbill.importing.movielens_ratings import Ratings, read_ratings
from playbill.importing.showings import (
    REGION,
    SETTLES_MS,
    Showings,
    count_events,
    did_bit,
    events_of,
)
from playbill.importing.tables import require_folder
from playbill.importing.tally import Count, Ints, Tally

AUTHOR = "movielens"
SURFACE = "home"
DURATION_MS = 100 * MINUTE_MS
"""What every film is said to last, since the set does not know."""

LIKED = 4.0
"""A rating from here on is a long view."""

DISLIKED = 2.0
"""A rating up to here is a skip."""

_WATCHED_MS = {False: MINUTE_MS, None: DURATION_MS // 2, True: DURATION_MS}
_ALWAYS = did_bit(EventType.IMPRESSION) | did_bit(EventType.CLICK) | did_bit(EventType.WATCH)


@dataclass(frozen=True, slots=True)
class MovieLens:
    """MovieLens as history: every rating is a showing, a click and a watch.

    Args:
        folder: an unpacked copy of ml-1m (``ratings.dat``, ``movies.dat``, ``users.dat``), of
            ml-latest or its relatives (``ratings.csv``, ``movies.csv``), or
            ``interactions.parquet`` beside ``movies.dat``. The first layout that fits is read.

    Raises:
        NotFound: the folder is not there.

    Source: Harper and Konstan, The MovieLens Datasets (ACM TiiS 2015).
    """

    folder: Path
    tally: Tally = field(default_factory=Tally, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_folder(self.folder)

    def declared(self) -> Declared:
        """Return one region and one surface, since the set names neither."""
        return Declared(regions=(REGION,), surfaces=(SURFACE,))

    def videos(self) -> Iterator[Fields]:
        """Yield films, published when first rated, or in their year when nobody rated them."""
        first = _first_ratings(read_ratings(self.folder, Count()))
        for film in read_films(self.folder, self.tally.start("videos")):
            body: Fields = {
                "video_id": str(film.film_id),
                "author_id": AUTHOR,
                "title": film.title,
                "topics": list(film.genres),
                "duration_ms": DURATION_MS,
            }
            created_at_ms = first.get(film.film_id, film.year_at_ms)
            if created_at_ms is not None:
                body["created_at"] = created_at_ms
            yield body

    def users(self) -> Iterator[Fields]:
        """Yield everyone who rated, by id alone."""
        count = self.tally.start("users")
        names = np.unique(read_ratings(self.folder, Count()).user).tolist()
        count.read = count.expected = len(names)
        for name in names:
            yield {"user_id": str(name)}

    def events(self) -> Iterator[tuple[int, Fields]]:
        """Yield impressions at the instant of the rating, and their outcomes a minute later."""
        count = self.tally.start("events")
        films: Ints = np.array(sorted(film.film_id for film in self._films()), dtype=np.int64)
        showings = _showings(read_ratings(self.folder, count, films))
        count.expected = count_events(showings)
        count.notes.append(
            f"ratings stand for watching: {LIKED:g} and more is a long view, {DISLIKED:g} and "
            f"less a skip; lengths of play are made up, and so is every film's duration of "
            f"{DURATION_MS // MINUTE_MS} minutes"
        )
        count.notes.append(
            f"no film has an author, so that all share {AUTHOR!r}; raise serving.author_cap, or "
            "it caps the whole feed"
        )
        return events_of(showings)

    def _films(self) -> Iterator[Film]:
        return read_films(self.folder, Count())


def _first_ratings(ratings: Ratings) -> dict[int, int]:
    """Return the instant of each film's first rating, in ms."""
    order = np.argsort(ratings.rated_at_ms, kind="stable")
    films, first = np.unique(ratings.film[order], return_index=True)
    return dict(zip(films.tolist(), ratings.rated_at_ms[order][first].tolist(), strict=True))


def _showings(ratings: Ratings) -> Showings:
    liked, disliked = ratings.stars >= LIKED, ratings.stars <= DISLIKED
    verdict = np.select([disliked, liked], [1, 2], default=0).astype(np.int64)
    lengths = np.array([_WATCHED_MS[None], _WATCHED_MS[False], _WATCHED_MS[True]], dtype=np.int64)
    return Showings(
        origins=("ml-",),
        surfaces=(SURFACE,),
        origin=np.zeros_like(ratings.row),
        number=ratings.row,
        user=ratings.user,
        video=ratings.film,
        shown_at_ms=ratings.rated_at_ms,
        known_at_ms=ratings.rated_at_ms + SETTLES_MS,
        did=_ALWAYS | np.where(disliked, did_bit(EventType.SKIP), 0).astype(np.int64),
        watch_ms=lengths[verdict],
        long_view=verdict,
        surface=np.zeros_like(ratings.row),
    )
