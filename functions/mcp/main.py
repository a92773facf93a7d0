"""/mcp: the Model Context Protocol, by which language models search a library."""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared import startup
from shared.gcp.firestore import Firestore
from shared.web.mcp import Tools, add_routes
from shared.web.origin import Site
from shared.web.routing import Routes

config = startup.begin("GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db = Firestore(config)
tools = Tools(config.public_url or f"http://127.0.0.1:{config.port}")
routes = Routes(config, db)
add_routes(routes, tools, Site(config))


@functions_framework.http
def mcp(request: Request) -> Response:
    return routes.dispatch(request)
