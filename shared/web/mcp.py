"""The route of the Model Context Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from flask import Request, Response
from msgspec import Struct

from shared.accounts.auth import Caller
from shared.errors import BadRequest
from shared.lazy import Lazy
from shared.web.origin import Site
from shared.web.routing import Routes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from shared.mcp.http import Exchange


class Message(Struct):
    """A message in JSON-RPC 2.0. Without `id`, it is a notification and gets no answer."""

    jsonrpc: Literal["2.0"]
    method: str
    id: int | str | None = None
    params: dict[str, Any] | None = None


class Tools:
    """The tools, which ask the API at ``origin``. They are made when the first message comes."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._app: WSGIApplication | None = None
        self._exchange = Lazy(self._load)

    def ask(self, app: WSGIApplication) -> None:
        """Lets them ask this process itself, before the first message.

        A request to its own address would wait for one of its threads while it holds another one.
        """
        self._app = app

    def answer(self, request: Request) -> Response:
        status, headers, body = self._exchange().answer(dict(request.headers), request.get_data())
        return Response(body, status, headers)

    def _load(self) -> Exchange:
        # The packages take a second to import. A function that serves the page, too, must not wait for them.
        from shared.mcp.http import Exchange

        return Exchange(self._origin, self._app)


def add_routes(routes: Routes, tools: Tools, site: Site) -> None:
    # The tools send the token on, and a cookie is only for the page.
    @routes.post("/mcp", programs=True, status=(200, 202, 400, 406), files=["application/json"])
    def answer_model(request: Request, caller: Caller, body: Message) -> Response:
        """A message of the Model Context Protocol, and its answer in JSON-RPC.

        What the protocol refuses has an `error` in JSON-RPC, too, with status 200, 400 or 406.
        """
        site.require_own_address(request)
        if request.mimetype != "application/json":
            raise BadRequest("Expected a message with the header `Content-Type: application/json`.")
        return tools.answer(request)
