"""The bytes of HTTP that a session of requests exchanges besides the bodies of answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import requests


class Heads:
    """Counts the requests of a session, and the heads of their answers. TLS and TCP are not counted.

    ``bytes``: since this object was made, or since it was set to 0.
    """

    def __init__(self, session: requests.Session) -> None:
        self.bytes = 0
        session.hooks["response"].append(self._count)

    def _count(self, response: requests.Response, **_: Any) -> None:
        request = response.request
        body = request.body or b""
        self.bytes += len(f"{request.method} {request.path_url} HTTP/1.1\r\nHost: www.youtube.com\r\n")
        self.bytes += _length(request.headers.items()) + len(body.encode() if isinstance(body, str) else body)
        self.bytes += len(f"HTTP/1.1 {response.status_code} {response.reason}\r\n")
        self.bytes += _length(response.raw.headers.items())


def _length(headers: Iterable[tuple[str, str | bytes]]) -> int:
    """Of the lines, and of the empty line after them."""
    return 2 + sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
