"""The route of the Model Context Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Request, Response

from shared.accounts.auth import Caller
from shared.errors import Unauthenticated
from shared.lazy import Lazy
from shared.web.origin import Site
from shared.web.routing import Routes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from shared.mcp.http import Exchange


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
    @routes.post("/mcp", status=(200, 202), files=["application/json"])
    def answer_model(request: Request, caller: Caller) -> Response:
        """A message of the Model Context Protocol: its own messages are in JSON-RPC, and described there."""
        if caller.session is not None:
            # The tools send the token on, and a cookie is only for the page.
            raise Unauthenticated(
                "Send an API token as `Authorization: Bearer TOKEN`. Make one in the settings."
            )
        site.require_own_address(request)
        return tools.answer(request)
