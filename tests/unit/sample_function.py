"""A function with a route for everything that can happen. One route is closed; the others are public."""

from __future__ import annotations

import functions_framework
from flask import Request, Response
from msgspec import to_builtins

from shared import startup
from shared.accounts.auth import Caller
from shared.config import ConfigError
from shared.errors import Busy, NotFound, TooMany, Transient
from shared.web.routing import Routes
from tests.unit.sample_declarations import Body, Choice, Chosen, Found, Limit, Limited, Thing, Who
from tests.unit.stored import accounts_of_ada

SECRET = "postgres://hunter2"
routes = Routes(startup.begin(), accounts_of_ada())


@functions_framework.http
def sample(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/closed")
def closed(request: Request, caller: Caller) -> Who:
    """Who is calling."""
    return {"user": caller.user_id, "operator": caller.operator}


@routes.get("/open", public=True)
def opened(request: Request, caller: Caller) -> Who:
    """For everybody."""
    return {"user": caller.user_id}


@routes.post("/body", public=True, status=201)
def post_body(request: Request, caller: Caller, body: Body) -> Found:
    """What was sent."""
    return {"found": to_builtins(body)}


@routes.get("/limit", public=True)
def limit(request: Request, caller: Caller, query: Limit) -> Limited:
    """A number."""
    return {"limit": query.limit}


@routes.get("/choice", public=True)
def choice(request: Request, caller: Caller, query: Choice) -> Chosen:
    """One of two."""
    return {"choice": query.format}


@routes.get("/things/<thing>", public=True)
def thing(request: Request, caller: Caller, thing: str) -> Thing:
    """A variable of the path."""
    return {"thing": thing}


@routes.delete("/things/<thing>", public=True)
def remove(request: Request, caller: Caller, thing: str) -> Response:
    """No content."""
    return Response(status=204)


@routes.get("/stream", public=True, files=["text/plain"])
def stream(request: Request, caller: Caller) -> Response:
    """A file in pieces."""
    # The request is read when the answer is under way.
    return Response((f"{request.path} {number}\n" for number in range(3)), mimetype="text/plain")


@routes.get("/unencodable", public=True)
def unencodable(request: Request, caller: Caller) -> Thing:
    """A text that UTF-8 cannot carry."""
    return {"thing": "\ud800"}


@routes.get("/raise/<kind>", public=True)
def fail(request: Request, caller: Caller, kind: str) -> Thing:
    """Each error."""
    raise {
        "missing": NotFound("There is no such thing."),
        "busy": Busy("Wait for the other one."),
        "often": TooMany("You have asked too often.", 17),
        "much": TooMany("You can never have so much.", None),
        "transient": Transient("The database did not answer in time.", detail=SECRET),
        "config": ConfigError(f"ELASTICSEARCH_URL: expected {SECRET}"),
        "defect": ZeroDivisionError(SECRET),
        "recursion": RecursionError(SECRET),
    }[kind]
