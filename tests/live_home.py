"""A real ``playbill up`` in a folder of its own: what end-to-end and fault tests talk to."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from playbill.app.layout import Layout
from playbill.serving import Board

PATIENCE_S = 60.0
_POLL_S = 0.02


def until(holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Return what ``holds`` returns once it is true; fail when it never is."""
    end_s = time.monotonic() + patience_s
    while time.monotonic() < end_s:
        found = holds()
        if found:
            return found
        _pause()
    raise AssertionError(f"never within {patience_s:.0f} s: {what}")


def _pause() -> None:
    time.sleep(_POLL_S)


def free_port() -> int:
    """Return a port such that it and the next one are free, and stay so while a server restarts.

    Below the ports that the system gives to outgoing connections.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000, 2)
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


@dataclass
class LiveHome:
    """A home and the supervisor that runs on it."""

    home: Path
    workers: int = 1
    port: int = field(default_factory=free_port)
    scheme: str = "http"
    process: subprocess.Popen[bytes] | None = None
    pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(retries=False, timeout=10.0, maxsize=8)
    )

    @property
    def layout(self) -> Layout:
        return Layout(self.home)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def collector(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port + 1}"

    def configure(self, text: str) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "playbill.toml").write_text(text)

    def start(self) -> LiveHome:
        command = [sys.executable, "-m", "playbill.cli", "up", "--home", str(self.home)]
        command += ["--port", str(self.port), "--workers", str(self.workers)]
        self.home.mkdir(parents=True, exist_ok=True)
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        self.ready()
        return self

    @property
    def output(self) -> Path:
        return self.home.parent / f"{self.home.name}.out"

    def ready(self) -> None:
        def ended_or_answers() -> bool:
            assert self.process is not None
            status = self.process.poll()
            assert status is None, f"playbill up ended with {status}: {self.output.read_text()}"
            return self._answers()

        until(ended_or_answers, "the server and the collector answer")

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(60)
        self.pool.clear()
        return status

    def kill_supervisor(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def board(self) -> Board:
        return Board(self.layout.board, create=False)

    def pid(self, place: int) -> int:
        return int(self.board().rows["pid"][place])

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        reply = self.pool.request("GET", self.url + path, fields=query or None)
        return reply.status, json.loads(reply.data)

    def post(self, path: str, body: Any, base: str | None = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = self.pool.request(
            "POST",
            (base or self.url) + path,
            body=data,
            headers={"content-type": "application/json"},
        )
        return reply.status, json.loads(reply.data)

    def feed(self, user: str = "somebody", **query: Any) -> dict[str, Any]:
        status, reply = self.get("/v1/feed", user_id=user, **query)
        assert status == 200, reply
        assert isinstance(reply, dict)
        return reply

    def status(self) -> dict[str, Any]:
        _, reply = self.get("/v1/status")
        assert isinstance(reply, dict)
        return reply

    def post_videos(self, count: int, prefix: str = "v") -> list[str]:
        names = [f"{prefix}{number}" for number in range(count)]
        for first in range(0, count, 1000):
            bodies = [video(name) for name in names[first : first + 1000]]
            status, reply = self.post("/v1/videos", bodies)
            assert status == 202, reply
        known = self.status()["videos"]
        until(
            lambda: self.status()["videos"] >= min(known + 1, count), "videos are in the catalogue"
        )
        until(lambda: self.get(f"/v1/videos/{names[-1]}")[0] == 200, "the last video can be read")
        return names

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError((self.home.parent / f"{self.home.name}.out").read_text())
        try:
            ok = self.pool.request("GET", self.url + "/readyz").status == 200
            return ok and self.pool.request("GET", self.collector + "/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False


def video(name: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a video whose topic and author follow from its number."""
    number = int("".join(filter(str.isdigit, name)) or 0)
    return {
        "video_id": name,
        "author_id": f"author{number % 50}",
        "title": f"Video {number}",
        "topics": [f"topic{number % 10}"],
        "duration_ms": 30_000,
        "language": "en",
        **changes,
    }


def event(kind: str, user: str, video_id: str, number: int, **fields: Any) -> dict[str, Any]:
    """Return the body of an event that happens now."""
    return {
        "event_id": f"{user}-{video_id}-{kind}-{number}",
        "type": kind,
        "user_id": user,
        "video_id": video_id,
        "at": int(time.time() * 1000),
        **fields,
    }


def in_ci() -> bool:
    return os.environ.get("CI", "") not in ("", "0", "false")
