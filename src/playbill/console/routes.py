"""The console as routes, to be mounted by the server."""

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from playbill.console.headers import SecureHeaders
from playbill.console.pages import Handler, Pages
from playbill.console.rendering import STATIC_FOLDER
from playbill.contracts import ConsoleBackend
from playbill.core import Clock


def routes(backend: ConsoleBackend, clock: Clock) -> list[BaseRoute]:
    """Return the console's routes, relative to the path that they are mounted under.

    Any number of processes may serve them side by side: nothing is kept between two requests.
    """
    pages = Pages(backend, clock)

    def page(path: str, handler: Handler, methods: Sequence[str] = ("GET",)) -> Route:
        guards = [Middleware(SecureHeaders)]
        return Route(path, pages.told(handler), methods=list(methods), middleware=guards)

    return [
        page("/", pages.home),
        page("/shown", pages.shown),
        page("/act", pages.act, ("POST",)),
        page("/status", pages.status),
        page("/viewer", pages.viewer),
        page("/trace", pages.trace),
        Mount(
            "/static",
            app=StaticFiles(directory=STATIC_FOLDER),
            middleware=[Middleware(SecureHeaders, cache="no-cache")],
        ),
        page("/{path:path}", pages.missing, ("GET", "POST")),
    ]
