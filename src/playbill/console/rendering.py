"""Templates to replies. Every value is escaped unless a template of ours says otherwise."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from playbill.console.guard import Visit, remember
from playbill.contracts import MAX_FEED_SIZE

_FOLDER = Path(__file__).parent
STATIC_FOLDER = _FOLDER / "static"


def templates() -> Environment:
    """Return the console's templates, compiled on first use."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["max_feed_size"] = MAX_FEED_SIZE
    return environment


def rendered(
    environment: Environment,
    name: str,
    request: Request,
    visit: Visit,
    context: dict[str, Any],
    status: int = 200,
) -> HTMLResponse:
    """Return a page, and the browser's secret with it where that is new."""
    html = environment.get_template(name).render(
        root=root_of(request), token=visit.token, **context
    )
    response = HTMLResponse(html, status_code=status)
    remember(response, request, visit)
    return response


def root_of(request: Request) -> str:
    """Return the path that the console is mounted under, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def server_of(request: Request) -> str:
    """Return the address of the server as the browser wrote it, for commands to paste."""
    return f"{request.url.scheme}://{request.url.netloc}"
