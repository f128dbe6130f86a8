"""The console's pages: what each address answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from playbill.console import asking, rendering
from playbill.console.acting import act_on_card, watch_topic
from playbill.console.deployment import Deployment, deployment_of
from playbill.console.feed_view import feed_view
from playbill.console.guard import Visit, posted_form, visit_of
from playbill.console.showing import Shown, remembered, seal, unseal
from playbill.console.tracing import trace_of
from playbill.console.trouble import problem_of, status_of
from playbill.console.viewer import Viewer, viewer_of
from playbill.contracts import ConsoleBackend, FeedRequest, Problem
from playbill.core import (
    SECOND_MS,
    BrokenContract,
    Clock,
    InvalidInput,
    NotFound,
    Overloaded,
    PlaybillError,
)

MAX_EXAMPLES = 200
_SEE_OTHER = 303
_SENT_TEXTS = frozenset("123456789")

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """Handlers over one backend. They keep nothing between two requests."""

    backend: ConsoleBackend
    clock: Clock
    templates: Environment = field(default_factory=rendering.templates)

    async def home(self, request: Request) -> Response:
        """Answer the first page: a viewer's next feed, or the invitation to pick one."""
        given = asking.given_fields(request.query_params)
        if picked := self._picked(request.query_params.get("pick", ""), given):
            return self._redirect(request, "/", {**given, "user_id": picked})
        if "user_id" not in given:
            return self._page("welcome.html", request, visit_of(request), given=given)
        feed_request = asking.feed_request(given)
        started_s = self.clock.elapsed_s()
        reply = await self.backend.feed(feed_request)
        took_ms = (self.clock.elapsed_s() - started_s) * SECOND_MS
        # The next feed is asked for anew, so the place where this one ended is not carried along.
        reply = msgspec.structs.replace(reply, cursor=None)
        return self._feed(request, Shown(request=feed_request, reply=reply, took_ms=took_ms))

    async def shown(self, request: Request) -> Response:
        """Answer a feed that was served before, with what was done to it since."""
        now = unseal(request.query_params.get("now"), visit_of(request).token)
        if now is None:
            given = asking.given_fields(request.query_params)
            return self._redirect(request, "/", given)
        return self._feed(request, now)

    async def act(self, request: Request) -> Response:
        """Send what a button stands for, then show the same feed again."""
        visit = visit_of(request)
        form = await posted_form(request, visit)
        now = unseal(form.get("now"), visit.token)
        if now is None:
            raise InvalidInput(
                "this page's feed cannot be read back; nothing was sent",
                hint="ask for the next feed",
            )
        videos = self.backend.videos([item.video_id for item in now.reply.items])
        at_ms = self.clock.now_ms()
        if "topic" in form:
            acting = watch_topic(form["topic"], now, videos, at_ms)
        else:
            acting = act_on_card(form.get("act", ""), now, videos, at_ms)
        reply = await self.backend.act(list(acting.events))
        if reply.rejected:
            first = reply.rejected[0]
            raise InvalidInput(first.message, code=first.code, field=first.field)
        before = form.get("before", "")
        fields = {
            **asking.query_fields(now.request),
            "sent": str(len(acting.deeds)),
            "before": before if unseal(before, visit.token) else "",
            "now": seal(acting.after(now), visit.token),
        }
        return self._redirect(request, "/shown", fields, anchor=f"card-{acting.deeds[0].position}")

    async def status(self, request: Request) -> Response:
        """Answer the deployment strip alone, for the page that refreshes it."""
        return rendering.rendered(
            self.templates,
            "_deployment.html",
            request,
            visit_of(request),
            {"deployment": self._deployment()},
        )

    async def viewer(self, request: Request) -> Response:
        """Answer what is known of a viewer, as a page of its own."""
        given = asking.given_fields(request.query_params)
        feed_request = asking.feed_request(given)
        viewer = viewer_of(feed_request.user_id, self.backend.profile(feed_request.user_id))
        return self._page("viewer.html", request, visit_of(request), given=given, viewer=viewer)

    async def trace(self, request: Request) -> Response:
        """Answer what each stage did for a request like the feed's, as a page of its own."""
        given = asking.given_fields(request.query_params)
        traced = await self.backend.trace(asking.feed_request(given))
        trace = trace_of(traced)
        return self._page("trace.html", request, visit_of(request), given=given, trace=trace)

    async def missing(self, request: Request) -> Response:
        """Answer every address that is no page."""
        raise NotFound("the console has no such page", hint="go back to the feed")

    def told(self, handler: Handler) -> Handler:
        """Return a handler that tells an error of the server as a page.

        Our own bugs pass through to the server's outermost border, which logs them.
        """

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except BrokenContract:
                raise
            except PlaybillError as error:
                return self._problem(request, error)

        return answer

    def _picked(self, pick: str, given: dict[str, str]) -> str | None:
        if pick == "new":
            return asking.new_viewer(self.clock.now_ms())
        examples = self.backend.example_users()
        if pick == "any" and examples:
            return asking.any_viewer(examples, given.get("user_id"), self.clock.now_ms())
        return None

    def _feed(self, request: Request, shown: Shown) -> Response:
        visit = visit_of(request)
        before_text = request.query_params.get("before", "")
        before = unseal(before_text, visit.token)
        if before is not None and before.request.user_id != shown.request.user_id:
            before = None
        items = [item.video_id for item in shown.reply.items]
        before_items = [item.video_id for item in before.reply.items] if before else []
        view = feed_view(
            shown,
            self.backend.videos(items),
            before,
            self.backend.videos(before_items),
            server=rendering.server_of(request),
            sent=_sent(request.query_params.get("sent", "")),
        )
        given = asking.query_fields(shown.request)
        return self._page(
            "feed.html",
            request,
            visit,
            given=given,
            feed=view,
            viewer=self._viewer(shown.request),
            trace_query=asking.address("", given),
            now_sealed=seal(shown, visit.token),
            next_sealed=seal(remembered(shown), visit.token),
            before_sealed=before_text if before else "",
        )

    def _page(
        self, name: str, request: Request, visit: Visit, *, status: int = 200, **context: Any
    ) -> Response:
        context["examples"] = self.backend.example_users()[:MAX_EXAMPLES]
        context["deployment"] = self._deployment()
        return rendering.rendered(self.templates, name, request, visit, context, status)

    def _problem(self, request: Request, error: PlaybillError) -> Response:
        response = self._page(
            "problem.html",
            request,
            visit_of(request),
            status=status_of(error),
            given=asking.given_fields(request.query_params),
            problem=problem_of(error),
        )
        if isinstance(error, Overloaded):
            response.headers["retry-after"] = str(error.retry_after_s)
        return response

    def _deployment(self) -> Deployment | Problem:
        try:
            return deployment_of(self.backend.status())
        except BrokenContract:
            raise
        except PlaybillError as error:
            return problem_of(error)

    def _viewer(self, request: FeedRequest) -> Viewer | Problem:
        try:
            return viewer_of(request.user_id, self.backend.profile(request.user_id))
        except BrokenContract:
            raise
        except PlaybillError as error:
            return problem_of(error)

    def _redirect(
        self, request: Request, path: str, fields: dict[str, str], anchor: str = ""
    ) -> Response:
        target = asking.address(rendering.root_of(request) + path, fields)
        return RedirectResponse(f"{target}#{anchor}" if anchor else target, _SEE_OTHER)


def _sent(text: str) -> int:
    """Return how many deeds an address says were just sent; 0 for anything else."""
    return int(text) if text in _SENT_TEXTS else 0
