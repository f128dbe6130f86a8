"""Parity: feature vectors as they were served, against the same vectors recomputed from the log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from playbill.contracts import BatchKind, EventLog, Settings
from playbill.core import DependencyUnavailable, request_name
from playbill.events import EpochLog, Impressions
from playbill.events.batches import decode_impressions, decode_stored
from playbill.events.partitions import fact_partitions, stored_batches
from playbill.features.definitions import FEATURE_NAMES, features_digest
from playbill.features.point_in_time import Block, ServedFeatures
from playbill.features.replay import Replay


class ServedTrace(msgspec.Struct, frozen=True, array_like=True):
    """The feature vectors of one served feed, as they were: evidence for parity.

    ``videos`` are K keys, ``features`` K x F float32, both little-endian.
    """

    request: int
    features_digest: str
    videos: bytes
    features: bytes


_traces = msgspec.msgpack.Decoder(ServedTrace)


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """The first number that differs."""

    request_id: str
    video_key: int
    feature: str
    served: float
    recomputed: float


class ParityReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many feature vectors were compared, and how many are equal in every bit."""

    compared: int
    equal: int
    first_mismatch: Mismatch | None
    requests: int
    """Requests that the compared vectors belong to."""
    not_comparable: int
    """Vectors with evidence that was left out: served by other definitions, or never folded."""


@dataclass(slots=True)
class _Evidence:
    impressions: Impressions
    vectors: dict[int, tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]]
    not_comparable: int


def check_parity(
    log: EventLog,
    settings: Settings,
    sample: int,
    seed: int,
    on_progress: Callable[[str, float], None] | None = None,
    start: Replay | None = None,
) -> ParityReport:
    """Recompute about ``sample`` served vectors from nothing but the log.

    Args:
        log: read only.
        settings: as the live fold had them.
        sample: how many vectors, about.
        seed: chooses them.
        on_progress: told of each stage and its share.
        start: a replay that stands where the live state once stood, for a log that does not reach
            back to the beginning; only what was served since is compared.

    Raises:
        DependencyUnavailable: the log holds no evidence to compare with.
    """
    last = EpochLog(log).last()
    replay = Replay.from_nothing(log, settings) if start is None else start
    before = max(replay.state.epoch, replay.users.epoch())
    evidence = _collect(log, before, last.upto, sample, seed)
    if not evidence.vectors:
        raise DependencyUnavailable(
            "the log holds no served feature vectors that these definitions could recompute",
            hint="serve some feeds with a bundle, or raise serving.trace_share",
        )
    served = ServedFeatures(evidence.impressions)
    compared = equal = 0
    first: Mismatch | None = None
    for content in replay.contents():
        replay.fold(content)
        if on_progress is not None and content.epoch % 100 == 0:
            on_progress("replay", content.epoch / last.epoch)
        block = served.visit(replay.state, replay.users)
        if block is not None:
            same, mismatch = _compare(block, evidence)
            compared += len(same)
            equal += int(same.sum())
            first = first or mismatch
    if on_progress is not None:
        on_progress("replay", 1.0)
    return ParityReport(
        compared=compared,
        equal=equal,
        first_mismatch=first,
        requests=len(evidence.vectors),
        not_comparable=evidence.not_comparable,
    )


def _collect(log: EventLog, before: int, upto: dict[str, int], sample: int, seed: int) -> _Evidence:
    """Choose requests with evidence at random and find what they showed.

    Args:
        log: read only.
        before: only requests served from state of later epochs are of use.
        upto: where the last epoch ends, by partition.
        sample: how many vectors, about.
        seed: chooses them.
    """
    since = EpochLog(log).get(before).upto
    traces: list[ServedTrace] = []
    served: list[Impressions] = []
    for partition in fact_partitions(log):
        for trace, impressions in _scan(
            log, partition, since.get(partition, 0), upto.get(partition, 0)
        ):
            if impressions is not None:
                heads = impressions.requests
                later = np.minimum(heads["item_epoch"], heads["user_epoch"]) > before
                served.append(impressions.only(later) if before else impressions)
            elif trace is not None:
                traces.append(trace)
    recorded = {request for part in served for request in part.requests["request"].tolist()}
    ours = features_digest()
    comparable = [
        trace for trace in traces if trace.features_digest == ours and trace.request in recorded
    ]
    skipped = sum(map(_vectors_of, traces)) - sum(map(_vectors_of, comparable))
    chosen = _sampled(comparable, sample, seed)
    vectors = {
        trace.request: (
            np.frombuffer(trace.videos, "<u8"),
            np.frombuffer(trace.features, "<u4").reshape(-1, len(FEATURE_NAMES)),
        )
        for trace in chosen
    }
    wanted = np.array(list(vectors), np.uint64)
    impressions = Impressions.joined(
        [part.only(np.isin(part.requests["request"], wanted)) for part in served]
    )
    return _Evidence(impressions, vectors, skipped)


def _scan(
    log: EventLog, partition: str, after: int, upto: int
) -> Iterator[tuple[ServedTrace | None, Impressions | None]]:
    for stored in stored_batches(log, partition, after, upto):
        if stored.kind is BatchKind.TRACES:
            yield decode_stored(stored.kind, stored.payload, _traces.decode), None
        elif stored.kind is BatchKind.IMPRESSIONS:
            yield None, decode_impressions(stored.payload)


def _sampled(traces: list[ServedTrace], sample: int, seed: int) -> list[ServedTrace]:
    order = np.random.default_rng(seed).permutation(len(traces))
    chosen: list[ServedTrace] = []
    rows = 0
    for place in order:
        if rows >= sample:
            break
        chosen.append(traces[place])
        rows += _vectors_of(traces[place])
    return chosen


def _vectors_of(trace: ServedTrace) -> int:
    return len(trace.videos) // 8


def _compare(block: Block, evidence: _Evidence) -> tuple[npt.NDArray[np.bool_], Mismatch | None]:
    """Return (N,) True for each vector that is equal in every bit, and the first that is not."""
    heads, shown = evidence.impressions.requests, evidence.impressions.shown
    recomputed = block.features.view(np.uint32)
    same = np.zeros(len(recomputed), np.bool_)
    first: Mismatch | None = None
    for row in range(len(recomputed)):
        request = int(heads["request"][block.owner[row]])
        key = shown["video"][block.place[row]]
        videos, vectors = evidence.vectors[request]
        was = vectors[np.flatnonzero(videos == key)[0]]
        differs = np.flatnonzero(was != recomputed[row])
        same[row] = not len(differs)
        if len(differs) and first is None:
            column = int(differs[0])
            first = Mismatch(
                request_id=request_name(request),
                video_key=int(key),
                feature=FEATURE_NAMES[column],
                served=float(was.view(np.float32)[column]),
                recomputed=float(block.features[row, column]),
            )
    return same, first
