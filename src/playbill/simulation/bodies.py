"""The world as a platform would post it: bodies of the HTTP API."""

from playbill.contracts import Fields
from playbill.simulation.authors import Authors
from playbill.simulation.catalogue import Catalogue
from playbill.simulation.regions import LANGUAGES, REGION_NAMES
from playbill.simulation.viewers import Viewers, viewer_id
from playbill.simulation.vocabulary import TOPICS

_INTERESTS = 3
_INTEREST_TASTE = 0.5


def video_body(catalogue: Catalogue, authors: Authors, video: int) -> Fields:
    """Return the body of ``POST /v1/videos`` for one row of the catalogue."""
    shown_in = catalogue.shown_in[video]
    regions = [] if shown_in.all() else [REGION_NAMES[row] for row in shown_in.nonzero()[0]]
    return {
        "video_id": catalogue.video_ids[video],
        "author_id": authors.handles[catalogue.author[video]],
        "title": catalogue.titles[video],
        "topics": [TOPICS[topic].name for topic in catalogue.topics_of(video)],
        "language": LANGUAGES[catalogue.language[video]],
        "duration_ms": int(catalogue.duration_ms[video]),
        "regions": regions,
        "age_rating": int(catalogue.age_rating[video]),
        "created_at": int(catalogue.created_at_ms[video]),
    }


def user_body(viewers: Viewers, authors: Authors, user: int) -> Fields:
    """Return the body of ``POST /v1/users`` for one viewer: facts, never the hidden taste itself.

    Those who chose interests at sign-up name up to three topics they like, best first.
    """
    body: Fields = {
        "user_id": viewer_id(user),
        "region": REGION_NAMES[viewers.region[user]],
        "language": LANGUAGES[viewers.language[user]],
        "age": int(viewers.age[user]),
        "follows": followed_at_start(viewers, authors, user),
    }
    if viewers.chose_interests[user]:
        taste = viewers.taste[user]
        best = (-taste).argsort(kind="stable")[:_INTERESTS]
        body["interests"] = [TOPICS[t].name for t in best if taste[t] >= _INTEREST_TASTE]
    return body


def followed_at_start(viewers: Viewers, authors: Authors, user: int) -> list[str]:
    """Return the handles a viewer follows when the world starts, without repeats."""
    rows = viewers.favourites[user][: viewers.follows[user]].tolist()
    return [authors.handles[row] for row in dict.fromkeys(rows)]
