"""The routes of the operator's page. For everybody else they do not exist."""

from __future__ import annotations

from typing import Annotated

from flask import Request, Response
from msgspec import Meta, Struct

from shared.accounts.auth import Caller
from shared.accounts.operators import Operators, User, UserPage
from shared.declared import Cursor
from shared.errors import Busy
from shared.web.routing import Routes

UserId = Annotated[str, Meta(examples=["108204268033311374519"])]


class UsersAsked(Struct):
    cursor: Cursor | None = None


class Suspension(Struct):
    suspended: bool


def add_routes(routes: Routes, operators: Operators) -> None:
    @routes.get("/api/operator/users", operators=True)
    def list_users(request: Request, caller: Caller, query: UsersAsked) -> UserPage:
        """The users of this site, and what each has cost this month. For operators."""
        return operators.users(query.cursor)

    @routes.post("/api/operator/users/<user_id>/suspend", operators=True, raises=[Busy])
    def suspend_user(request: Request, caller: Caller, user_id: UserId, body: Suspension) -> User:
        """Shut a user out at once and cancel the active jobs, or let the user in again. For operators."""
        return operators.suspend(user_id, body.suspended)

    @routes.delete("/api/operator/users/<user_id>", operators=True, raises=[Busy])
    def erase_user(request: Request, caller: Caller, user_id: UserId) -> Response:
        """Erase everything about a user. For operators."""
        operators.erase(user_id)
        return Response(status=204)
