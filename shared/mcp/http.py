"""Messages of the protocol over streamable HTTP, without sessions.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports

Each message is a request of its own and gets one JSON object. So any process can answer the next message, and
nothing is lost when one dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings

from shared.mcp.api import Api, Caller
from shared.mcp.server import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_PATH = "/mcp"
#: Headers of a message that the protocol knows, besides those that begin with Mcp-.
_HANDED_ON = ("accept", "authorization", "content-type")
#: Whoever calls this has done it (see shared.web.origin).
_CHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)

#: Status, headers and body.
Answer = tuple[int, dict[str, str], bytes]


class Exchange:
    """The tools, which ask the API at an origin; or ``app``, which is the API in this process."""

    def __init__(self, origin: str, app: WSGIApplication | None = None) -> None:
        self._api = Api(origin, transport=httpx2.WSGITransport(app) if app else None)
        self._server = make_server(self._caller_of)

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to one message, whose headers include a token."""
        # A loop of its own keeps a message apart from all others, and in the thread that logs for it.
        return asyncio.run(self._answer(headers, body))

    async def _answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        app = self._server.streamable_http_app(
            streamable_http_path=_PATH, json_response=True, stateless_http=True, transport_security=_CHECKED
        )
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() in _HANDED_ON or name.lower().startswith("mcp-")
        }
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://mcp") as client,
        ):
            found = await client.post(_PATH, content=body, headers=kept)
        shown = {name: value for name, value in found.headers.items() if name != "content-length"}
        return found.status_code, shown, found.content

    def _caller_of(self, ctx: Context[Any]) -> Caller:
        if ctx.headers is None:
            raise RuntimeError("expected the headers of a request, found none")
        return Caller(self._api, ctx.headers["authorization"])
