"""As much of curl as the documents use, for machines that lack it: -s, --json and an address."""

from __future__ import annotations

import sys

import urllib3


def main(words: list[str]) -> int:
    body: str | None = None
    address = ""
    while words:
        word = words.pop(0)
        if word == "--json":
            body = words.pop(0)
        elif word != "-s":
            address = word
    headers = {"content-type": "application/json"}
    method = "GET" if body is None else "POST"
    reply = urllib3.request(method, address, body=body, headers=headers)
    sys.stdout.write(reply.data.decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
