"""HTTP as bytes on one connection."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any


def head(*lines: str) -> bytes:
    """Return a request line and headers as they are sent."""
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


class Line:
    """One connection to a port of this machine."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._data = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: Any) -> None:
        self.socket.close()

    def say(self, data: bytes) -> Line:
        self.socket.sendall(data)
        return self

    def ended(self) -> bool:
        """Wait until the server closes; something that it still says is no end."""
        try:
            return self._data == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def reply(self, *, bodiless: bool = False) -> Reply:
        """Return the next reply; a connection that ends before it is whole is a failure."""
        while b"\r\n\r\n" not in self._data:
            self._more()
        top, self._data = self._data.split(b"\r\n\r\n", 1)
        first, *lines = top.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        length = 0 if bodiless else int(headers.get("content-length", 0))
        while len(self._data) < length:
            self._more()
        body, self._data = self._data[:length], self._data[length:]
        return Reply(int(first.split()[1]), headers, body)

    def _more(self) -> None:
        more = self.socket.recv(65_536)
        if not more:
            raise ConnectionError(f"closed after {self._data!r}")
        self._data += more
