"""Videos and viewers held out entirely: who they are, and what is asked of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playbill.core import InvalidInput
from playbill.features import NO_TOPIC
from playbill.training.last_videos import LastVideos
from playbill.training.leave_one_out import FEWEST_VIEWERS
from playbill.training.sequences import Sequences

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]

HELD_SHARE = 0.1
"""Of the videos that somebody took, and of the viewers."""
_SALT = 0xC01D
_KINDRED_TAKES = 5.0
"""An author's other videos count beside so many of the usual author."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What the towers never meet: (I,) True for videos, and the numbers of viewers."""

    videos: Mask
    viewers: Ints

    @classmethod
    def draw(cls, sequences: Sequences, size: int, seed: int) -> "HeldOut":
        """Return a tenth of the videos that somebody took and a tenth of the viewers, by chance."""
        random = np.random.default_rng([seed, _SALT])
        taken, viewers = np.unique(sequences.items), np.unique(sequences.viewers)
        videos = np.zeros(size, np.bool_)
        videos[random.choice(taken, round(HELD_SHARE * len(taken)), replace=False)] = True
        chosen = random.choice(viewers, round(HELD_SHARE * len(viewers)), replace=False)
        return cls(videos, np.sort(chosen))

    def parts(self, sequences: Sequences) -> tuple[Sequences, Sequences, Sequences]:
        """Return what trains, what other viewers took, and what new viewers took of old videos."""
        new = np.isin(sequences.viewers, self.viewers)
        cold = self.videos[sequences.items]
        return sequences.only(~new & ~cold), sequences.only(~new), sequences.only(new & ~cold)


def kindred_takes(items: Records, takes: Ints, known: Mask) -> Floats:
    """Return (I,) how often a video like each is taken: by its topics, times that of its author.

    Args:
        items: (I,) ``ITEM_RECORD``.
        takes: (I,) of the videos that are known.
        known: (I,) videos whose takes count.
    """
    usual = max(float(takes[known].mean()), 1e-9)
    topics = items["topics"].astype(np.int64)
    there = topics != NO_TOPIC
    size = int(topics[there].max(initial=0)) + 1
    of_known = there & known[:, None]
    weights = np.broadcast_to(takes[:, None], topics.shape)[of_known]
    sums = np.bincount(topics[of_known], weights=weights, minlength=size)
    count = np.bincount(topics[of_known], minlength=size)
    by_topic = (sums + usual) / (count + 1.0)
    mine = np.where(there, by_topic[np.where(there, topics, 0)], 0.0).sum(axis=1)
    of_topics = np.where(there.any(axis=1), mine / np.maximum(there.sum(axis=1), 1), usual)
    authors = items["author"].astype(np.int64)
    sums = np.bincount(authors, weights=takes * known)
    count = np.bincount(authors, weights=known)
    of_author = (sums + _KINDRED_TAKES * usual) / (count + _KINDRED_TAKES)
    found: Floats = (of_topics * of_author[authors] / usual).astype(np.float32)
    return found


def last_new(sequences: Sequences, new: Mask) -> LastVideos:
    """Return each viewer's last new video, with the old ones that the viewer took before it.

    Raises:
        InvalidInput: fewer than ten viewers took a new video after an old one.
    """
    cold = new[sequences.items]
    starts = sequences.starts()
    whose = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    last = np.full(len(starts) - 1, -1, np.int64)
    last[whose[cold]] = np.flatnonzero(cold)
    known = ~cold & (np.arange(len(sequences)) < last[whose])
    told = np.bincount(whose[known], minlength=len(last)) > 0
    if told.sum() < FEWEST_VIEWERS:
        raise InvalidInput(
            f"{int(told.sum()):,} viewers took a held-out video after another; cold-start needs "
            f"{FEWEST_VIEWERS}",
            hint="import a longer history, or use the quick protocol",
        )
    return LastVideos(sequences.only(known), sequences.items[last[told]], new)


def after_some(sequences: Sequences, size: int, among: Mask) -> LastVideos:
    """Return the next video of each viewer who has taken so many, and those."""
    starts = sequences.starts()
    told = np.diff(starts) > size
    told &= among[sequences.items[np.minimum(starts[:-1] + size, len(sequences) - 1)]]
    targets = starts[:-1][told] + size
    place = np.arange(len(sequences)) - np.repeat(starts[:-1], np.diff(starts))
    known = (place < size) & np.repeat(told, np.diff(starts))
    return LastVideos(sequences.only(known), sequences.items[targets], among)
