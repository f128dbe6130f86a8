"""Routes that tell what is there."""

from typing import Any

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from playbill.contracts import FeedRequest, Status
from playbill.core import InvalidInput, NotFound
from playbill.features import VISIBLE, empty_user
from playbill.ranking import Trace
from playbill.retrieval import EVERY_REGION, SOURCES, best_rows, gate_of, view_of
from playbill.serving.feed_service import FeedService
from playbill.serving.http.replies import reply
from playbill.serving.http.requests import decode, read_body
from playbill.serving.status import StatusReader

_MOST = 100
_DIGITS = len(str(_MOST))


class Reads:
    """``GET`` of videos, neighbours, trends and status, and the traced preview."""

    def __init__(
        self,
        service: FeedService,
        status: StatusReader,
        regions: tuple[str, ...],
        max_body_bytes: int,
    ) -> None:
        self._service = service
        self._status = status
        self._regions = regions
        self._max_body_bytes = max_body_bytes

    async def video(self, request: Request) -> Response:
        """Return one catalogue entry; while the store is gone, nobody knows that there is none."""
        entry = self._service.texts.entry(request.path_params["video_id"])
        if entry is None:
            raise _no_video()
        return reply(entry.view())

    async def similar(self, request: Request) -> Response:
        """Return the videos nearest to one."""
        size = _size(request)
        entry = self._service.texts.entry(request.path_params["video_id"])
        if entry is None:
            raise _no_video()
        return reply({"items": self._neighbours(entry.row, size)})

    async def trending(self, request: Request) -> Response:
        """Return what a region watches most now, or everywhere."""
        size = _size(request)
        region = request.query_params.get("region")
        if region is not None and region not in self._regions:
            raise InvalidInput(
                f"region {region[:60]!r} is not declared; declared are {', '.join(self._regions)}",
                code="undeclared_value",
                field="region",
            )
        group = 0 if region is None else self._regions.index(region) + 1
        shared = self._service.state.shared
        if shared is None:
            return reply({"items": []})
        view = view_of(shared)
        rows = view.trending[group]
        return reply({"items": self._named(rows[(rows >= 0) & (rows < view.count)], size)})

    async def preview(self, request: Request) -> Response:
        """Return a feed with what each stage did; nothing is recorded."""
        body = await read_body(request, self._max_body_bytes)
        return reply(self.traced(decode(body, FeedRequest)))

    async def status(self, request: Request) -> Response:
        """Return how the deployment is doing."""
        found: Status = self._status.read()
        return reply(found)

    def traced(self, message: FeedRequest) -> dict[str, Any]:
        """Return a previewed reply and its stages."""
        answer, trace = self._service.preview(message)
        stages = [
            {
                "name": stage.name,
                "kind": stage.kind,
                "in": stage.came,
                "out": stage.left,
                "ms": round(stage.ms, 4),
                "note": stage.note,
            }
            for stage in trace.stages
        ]
        return {
            "reply": msgspec.to_builtins(answer),
            "stages": stages,
            "candidates": self._candidates(trace),
        }

    def _candidates(self, trace: Trace) -> list[dict[str, str]]:
        shared, candidates = self._service.state.shared, trace.candidates
        if shared is None or candidates is None:
            return []
        keys = view_of(shared).tables.items["key"][candidates.rows].tolist()
        return [
            {"video_id": video.video_id, "source": SOURCES[code - 1]}
            for video, code in zip(
                self._service.texts.videos(keys), candidates.sources.tolist(), strict=True
            )
            if video is not None
        ]

    def _neighbours(self, row: int, size: int) -> list[dict[str, Any]]:
        pipeline, shared = self._service.state.pipeline, self._service.state.shared
        if pipeline is None or shared is None:
            return []
        table = pipeline.model.table
        vectors, known = table.vectors(np.array([row]))
        if not known[0]:
            return []
        gate = gate_of(view_of(shared), EVERY_REGION, empty_user())
        hits, found = table.near(vectors, size + 1, gate)
        rows = best_rows(hits[0, : found[0]])
        return self._named(rows[rows != row], size)

    def _named(
        self, rows: "np.ndarray[Any, np.dtype[np.int64]]", size: int
    ) -> list[dict[str, Any]]:
        shared = self._service.state.shared
        assert shared is not None
        items = view_of(shared).tables.items
        rows = rows[(items["flags"][rows] & VISIBLE) != 0][:size]
        videos = self._service.texts.videos(items["key"][rows].tolist())
        return [
            {"video_id": video.video_id, "position": place, "title": video.title}
            for place, video in enumerate(video for video in videos if video is not None)
        ]


def _size(request: Request) -> int:
    text = request.query_params.get("size", "20")
    digits = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    if not (digits and 1 <= int(text) <= _MOST):
        raise InvalidInput(f"size is {text[:20]!r}; expected 1 to {_MOST}", field="size")
    return int(text)


def _no_video() -> NotFound:
    return NotFound("there is no such video", hint="a posted video appears within a second")
