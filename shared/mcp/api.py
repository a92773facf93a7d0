"""The HTTP API, as its clients see it.

The tools ask it with the token of their caller and know nothing else. So nobody reaches more by a tool than
by a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx2
from mcp.server.mcpserver.exceptions import ToolError

#: Seconds for a connection, and for each part of an answer.
_CONNECT, _READ = 5.0, 30.0
#: A value of a parameter. None is left out.
Parameter = str | int | Sequence[str] | None


class ApiError(ToolError):
    """The API refused, or did not answer. The message is its sentence."""


class Api:
    """The API at an origin. Thread-safe; one object a process.

    ``proxies``: use those of the environment. ``transport``: instead of the network.
    """

    def __init__(
        self, origin: str, *, proxies: bool = False, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._client = _client(origin, proxies, transport)

    def send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The JSON object of the answer. ``options``: those of httpx2. Raises ApiError."""
        try:
            answer = self._client.request(method, path, **options)
            content = answer.json()
        except httpx2.TimeoutException as error:
            raise ApiError("The service did not answer in time. Try again in a moment.") from error
        except httpx2.TransportError as error:
            raise ApiError("The service cannot be reached. Try again in a moment.") from error
        except ValueError as error:
            raise ApiError(f"Expected JSON, found an answer with status {answer.status_code}.") from error
        if not isinstance(content, dict):
            raise ApiError(f"Expected a JSON object, found {type(content).__name__}.")
        if not answer.is_success:
            sentence = content.get("detail") or content.get("title")
            raise ApiError(str(sentence or f"The service refused with status {answer.status_code}."))
        return content


@dataclass(frozen=True, slots=True)
class Caller:
    """A user of the API. ``authorization``: the whole value of the header."""

    api: Api
    authorization: str = field(repr=False)

    def get(self, *path: str, **parameters: Parameter) -> dict[str, Any]:
        """``path``: its segments after ``/api``. Raises ApiError."""
        given = {name: _sendable(value) for name, value in parameters.items() if value is not None}
        return self.api.send("GET", _path(path), params=given, headers=self._headers)

    def post(self, *path: str, **body: Any) -> dict[str, Any]:
        """``body``: the fields of the JSON object. Raises ApiError."""
        return self.api.send("POST", _path(path), json=body, headers=self._headers)

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": self.authorization}


def _client(origin: str, proxies: bool, transport: httpx2.BaseTransport | None) -> httpx2.Client:
    return httpx2.Client(
        base_url=origin,
        transport=transport,
        trust_env=proxies,
        timeout=httpx2.Timeout(_READ, connect=_CONNECT),
        # No caller may get the cookie of another.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": "yts-mcp"},
    )


def _path(segments: Sequence[str]) -> str:
    return "/".join(["/api", *(quote(_whole(each), safe="") for each in segments)])


def _sendable(value: Parameter) -> Any:
    if isinstance(value, str):
        return _whole(value)
    return list(map(_whole, value)) if isinstance(value, Sequence) else value


def _whole(text: str) -> str:
    """Without half surrogate pairs, which JSON can carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
