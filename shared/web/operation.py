"""The routes of the operator's page. For everybody else they do not exist."""

from __future__ import annotations

from typing import Any

from flask import Request, Response

from shared.accounts.auth import Caller
from shared.accounts.operators import Operators
from shared.errors import BadRequest
from shared.web.requests import body_of, flag_of
from shared.web.routing import Routes


def add_routes(routes: Routes, operators: Operators) -> None:
    @routes.get("/api/operator/users", operators=True)
    def list_users(request: Request, caller: Caller) -> dict[str, Any]:
        return operators.users(request.args.get("cursor") or None)

    @routes.post("/api/operator/users/<user_id>/suspend", operators=True)
    def suspend(request: Request, caller: Caller, user_id: str) -> dict[str, Any]:
        body = body_of(request)
        if "suspended" not in body:
            raise BadRequest("suspended: expected true or false, found nothing.")
        return operators.suspend(user_id, flag_of(body, "suspended"))

    @routes.delete("/api/operator/users/<user_id>", operators=True)
    def erase(request: Request, caller: Caller, user_id: str) -> Response:
        operators.erase(user_id)
        return Response(status=204)
