"""The routes of the API's document, and of the page that shows it with Swagger UI."""

from __future__ import annotations

from importlib.resources import files as package
from typing import Annotated, Any

from flask import Request, Response
from msgspec import Meta

from shared.accounts.auth import Caller
from shared.errors import NotFound
from shared.page import CACHE_CONTROL, TYPES
from shared.web import openapi
from shared.web.routing import Routes

#: As strict as that of the page: nothing inline, nothing of another host.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The API of yts</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<script src="/api/docs/swagger-ui-bundle.js" defer></script>
<script src="/api/docs/start.js" defer></script>
</head>
<body><main id="api"></main></body>
</html>
"""
#: ``validatorUrl``: null, because the document is sent to nobody.
_START = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null,
});
"""
#: The files of Swagger UI that the page needs.
_OURS, _THEIRS = "start.js", ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
_TYPES = ("text/javascript", "text/css", "image/png")
#: The second one for a browser that has the file.
_STATUSES = (200, 304)
FileName = Annotated[str, Meta(examples=[_OURS])]


def add_routes(routes: Routes) -> None:
    @routes.get("/api/openapi.json", public=True, status=_STATUSES, files=["application/json"])
    def show_openapi(request: Request, caller: Caller) -> Response:
        """This document: OpenAPI 3.1."""
        return _file(request, openapi.FILE.read_bytes(), ".json")

    @routes.get("/api/docs", public=True, status=_STATUSES, files=["text/html"])
    def show_docs(request: Request, caller: Caller) -> Response:
        """A page that shows this document, and tries its requests out."""
        return _file(request, _PAGE.encode(), ".html")

    @routes.get("/api/docs/<name>", public=True, status=_STATUSES, files=_TYPES)
    def show_docs_file(request: Request, caller: Caller, name: FileName) -> Response:
        """The scripts and styles of that page."""
        if name == _OURS:
            return _file(request, _START.encode(), ".js")
        if name not in _THEIRS:
            raise NotFound(f"There is nothing at {request.path[:200]}.")
        content = package("flask_swagger_ui").joinpath("dist", name).read_bytes()
        return _file(request, content, name[name.rindex(".") :])


def _file(request: Request, content: bytes, ending: str) -> Response:
    headers: Any = {"Cache-Control": CACHE_CONTROL, "Content-Security-Policy": _POLICY}
    answer = Response(content, content_type=TYPES[ending], headers=headers)
    answer.add_etag()
    answer.make_conditional(request)
    return answer
