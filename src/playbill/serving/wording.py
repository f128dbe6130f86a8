"""From a slate of rows to a reply in words, and to the record of what was shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.contracts import TIER_CODES, FeedItem, FeedReply, Tier
from playbill.core import request_name
from playbill.features import Caption
from playbill.retrieval import SOURCES, ItemView
from playbill.serving.asking import Asked
from playbill.serving.because import FAMILIARITY, because
from playbill.serving.fallbacks import Fallback
from playbill.serving.impressions import request_head, shown_videos
from playbill.serving.texts import Texts

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Worded:
    """The part of a slate whose words are known, so that what is recorded is what was shown.

    ``keys`` (K,) of its videos; ``features`` (K, F), None where none were read.
    """

    slate: Fallback
    keys: npt.NDArray[np.uint64]
    videos: list[Caption]
    features: Floats | None


def word(texts: Texts, view: ItemView, slate: Fallback, features: Floats | None) -> Worded:
    """Return a slate with its words; videos whose words cannot be found now are left out."""
    keys = view.tables.items["key"][slate.rows]
    found = texts.videos(keys.tolist())
    videos = [video for video in found if video is not None]
    if len(videos) == len(found):
        return Worded(slate, keys, videos, features)
    kept = np.array([video is not None for video in found], np.bool_)
    known = Fallback(
        slate.rows[kept], slate.sources[kept], slate.scores[kept], slate.propensity[kept]
    )
    return Worded(known, keys[kept], videos, None if features is None else features[kept])


def reply_of(
    asked: Asked,
    worded: Worded,
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
    familiar = None if worded.features is None else worded.features[:, FAMILIARITY].tolist()
    scores, propensity = slate.scores.tolist(), slate.propensity.tolist()
    names = [SOURCES[code - 1] for code in slate.sources.tolist()]
    items = [
        FeedItem(
            video_id=video.video_id,
            position=place,
            score=scores[place],
            source=names[place],
            propensity=propensity[place],
            because=because(names[place], video, region, familiar and familiar[place]),
        )
        for place, video in enumerate(worded.videos)
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
