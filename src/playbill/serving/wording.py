"""From a slate of rows to a reply in words, and to the record of what was shown."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import TIER_CODES, FeedItem, FeedReply, Tier
from playbill.core import request_name
from playbill.retrieval import SOURCES, ItemView
from playbill.serving.asking import Asked
from playbill.serving.because import FAMILIARITY, because
from playbill.serving.fallbacks import Fallback
from playbill.serving.impressions import request_head, shown_videos
from playbill.serving.texts import Texts

Floats = npt.NDArray[np.float32]


class Worded(msgspec.Struct, frozen=True):
    """The part of a slate whose ids are known, so that what is recorded is what was shown.

    ``keys`` (K,) of its videos, and their ``ids``; ``about`` the first topic and the author of
    each; ``features`` (K, F), None where none were read.
    """

    slate: Fallback
    keys: npt.NDArray[np.uint64]
    ids: list[str]
    about: list[tuple[int, int]]
    features: Floats | None


def word(texts: Texts, view: ItemView, slate: Fallback, features: Floats | None) -> Worded:
    """Return a slate with its ids; videos whose id cannot be found now are left out."""
    records = view.tables.items.take(slate.rows)
    ids = [name.decode() for name in view.names.take(slate.rows).tolist()]
    if not all(ids):
        ids = _completed(ids, records["key"].tolist(), texts)
        kept = np.array(ids, np.bool_)
        slate = Fallback(
            slate.rows[kept], slate.sources[kept], slate.scores[kept], slate.propensity[kept]
        )
        records, ids = records[kept], list(filter(None, ids))
        features = None if features is None else features[kept]
    topics, authors = records["topics"][:, 0].tolist(), records["author"].tolist()
    about = list(zip(topics, authors, strict=True))
    return Worded(slate, records["key"], ids, about, features)


def _completed(ids: list[str], keys: list[int], texts: Texts) -> list[str]:
    """Return the ids with those from the store that are too long to lie beside the records."""
    named = texts.named([key for key, name in zip(keys, ids, strict=True) if not name])
    return [name or named.get(key, "") for key, name in zip(keys, ids, strict=True)]


def reply_of(
    asked: Asked,
    worded: Worded,
    texts: Texts,
    *,
    tier: Tier,
    reasons: Sequence[str],
    at_ms: int,
    bundle: str | None,
    region: str | None,
    cursor: str,
) -> FeedReply:
    """Return the reply; positions are those of what is shown."""
    slate = worded.slate
    familiar = None if worded.features is None else worded.features.take(FAMILIARITY, 1).tolist()
    scores, propensity = slate.scores.tolist(), slate.propensity.tolist()
    names = [SOURCES[code - 1] for code in slate.sources.tolist()]
    items = [
        FeedItem(
            video_id=video_id,
            position=place,
            score=scores[place],
            source=names[place],
            propensity=propensity[place],
            because=because(
                texts, names[place], worded.about[place], region, familiar and familiar[place]
            ),
        )
        for place, video_id in enumerate(worded.ids)
    ]
    return FeedReply(
        request_id=request_name(asked.key),
        served_at=at_ms,
        tier=tier,
        reasons=list(dict.fromkeys(reasons)),
        bundle=bundle,
        items=items,
        cursor=cursor,
    )


def record_of(
    asked: Asked,
    worded: Worded,
    reply: FeedReply,
    *,
    settings: str,
    item_epoch: int,
    settled: bool,
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
    """Return the (1,) ``REQUEST_RECORD`` and the (K,) ``SHOWN_RECORD`` of a reply."""
    slate = worded.slate
    head = request_head(
        request=asked.key,
        user=asked.user,
        session=asked.session,
        at_ms=reply.served_at,
        epochs=(item_epoch, asked.row.epoch),
        bundle=reply.bundle,
        settings=settings,
        shown=len(worded.keys),
        tier=TIER_CODES[reply.tier],
        place=(asked.request.surface, asked.request.query.region),
        settled=settled,
        personalised=asked.message.personalised,
    )
    shown = shown_videos(worded.keys, slate.scores, slate.propensity, slate.sources)
    return head, shown
