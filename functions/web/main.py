"""The page and all of its routes at one origin: what a deployment without a domain of its own serves.

With a domain, a load balancer hands each route to its function. Here their main modules are imported, so that
each route is declared once.
"""

from __future__ import annotations

from pathlib import Path

import functions_framework
from flask import Request, Response

from functions.account.main import routes as account
from functions.health.main import routes as health
from functions.index.main import routes as index
from functions.jobs.main import routes as jobs
from functions.keep.main import routes as keep
from functions.library.main import routes as library
from functions.mcp.main import routes as mcp
from functions.mcp.main import tools
from functions.search.main import routes as search
from shared import startup
from shared.accounts.auth import Caller
from shared.gcp.firestore import Firestore
from shared.page import is_api, security_headers
from shared.web.page import Page
from shared.web.routing import Routes

# Each function that is imported above has named the variables that it needs.
config = startup.begin()
#: The directory of this file's deployment, or of the repository.
root = next(each for each in Path(__file__).resolve().parents if (each / "frontend").is_dir())
page = Page(root / "frontend", security_headers(root / "infra" / "headers.json", config))
db = Firestore(config)
routes, files = Routes(config, db), Routes(config, db)
for each in (account, health, index, jobs, keep, library, mcp, search):
    routes.include(each)
tools.ask(routes.answer)


@functions_framework.http
def web(request: Request) -> Response:
    return page.with_headers((routes if is_api(request.path) else files).dispatch(request))


@files.get("/", public=True, files=["text/html"])
@files.get("/<path:_>", public=True, files=["text/html"])
def show_file(request: Request, caller: Caller, _: str = "") -> Response:
    """A file of the page."""
    return page.answer(request)
