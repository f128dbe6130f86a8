"""An API over hand-made parts, and requests as a server would hand them to it."""

import asyncio
import json
from contextlib import suppress
from types import SimpleNamespace

from playbill.contracts import RateSettings
from playbill.core import FixedClock
from playbill.serving import Board
from playbill.serving.http import Api
from playbill.serving.http.keys import ApiKeys
from playbill.serving.http.rates import Rates
from playbill.serving.http.reads import Reads
from playbill.serving.texts import Texts


def api_over(users, tmp_path, **parts):
    """Return an API that reads a store; further parts in place of those it has."""
    service = SimpleNamespace(
        texts=Texts(users.texts), state=SimpleNamespace(shared=None, pipeline=None)
    )
    health = SimpleNamespace(livez=None, readyz=None, metrics=None)
    return Api(
        **{
            "answer": None,
            "writes": None,
            "reads": Reads(service, None, ("world",), 1_000),
            "health": health,
            "keys": ApiKeys({}),
            "rates": Rates(RateSettings(), 0, FixedClock(1_000_000)),
            "board": Board(tmp_path / "board", create=True).row(0),
            "max_body_bytes": 1_000,
            **parts,
        }
    )


def get(api, path, query=""):
    """Return status, headers and body of a GET.

    What the API raises once it has answered is for the server, which has nothing to add.
    """
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "headers": [],
    }
    with suppress(Exception):
        asyncio.run(api(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(body)
