"""The route of the Model Context Protocol: streamable HTTP without sessions.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports

Each message is a request of its own and gets one JSON object. So any process can answer the next message, and
nothing is lost when one dies.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from flask import Request, Response
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from shared.accounts.auth import Caller
from shared.errors import Unauthenticated
from shared.mcp import api
from shared.mcp.server import make_server
from shared.web.origin import Site
from shared.web.routing import Routes

PATH = "/mcp"
#: Headers of a message that the protocol knows, besides those that begin with Mcp-.
_HANDED_ON = ("Accept", "Authorization", "Content-Type")
#: The origin has been checked already, see shared.web.origin.
_CHECKED = TransportSecuritySettings(enable_dns_rebinding_protection=False)


def add_routes(routes: Routes, served: api.Api, site: Site) -> None:
    """``served``: the API, which the tools ask in the name of the caller."""

    def caller_of(ctx: Context[Any]) -> api.Caller:
        headers = ctx.headers
        if headers is None:
            raise RuntimeError("expected the headers of a request, found none")
        return api.Caller(served, headers["authorization"])

    server = make_server(caller_of)

    @routes.post(PATH)
    def answer(request: Request, caller: Caller) -> Response:
        if caller.session is not None:
            # The tools send the token on, and a cookie is only for the page.
            raise Unauthenticated(
                "Send an API token as `Authorization: Bearer TOKEN`. Make one in the settings."
            )
        site.require_own_address(request)
        # A loop of its own keeps a message apart from all others, and in the thread that logs for it.
        return asyncio.run(_exchange(server, request, request.get_data()))


async def _exchange(server: MCPServer[Any], request: Request, body: bytes) -> Response:
    app = server.streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, transport_security=_CHECKED
    )
    headers = {
        name: value
        for name, value in request.headers.items()
        if name in _HANDED_ON or name.lower().startswith("mcp-")
    }
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://mcp") as client,
    ):
        found = await client.post(PATH, content=body, headers=headers)
    kept = {name: value for name, value in found.headers.items() if name != "content-length"}
    return Response(found.content, found.status_code, headers=kept)
