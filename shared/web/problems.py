"""Errors as application/problem+json (https://www.rfc-editor.org/rfc/rfc9457). ``detail`` is for a person."""

from __future__ import annotations

import json
from typing import Annotated, NotRequired, TypedDict

from flask import Request, Response
from msgspec import Meta
from werkzeug.exceptions import MethodNotAllowed as WrongMethod
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.exceptions import RequestEntityTooLarge

from shared import logs
from shared.config import INCOMPLETE, ConfigError
from shared.errors import (
    MethodNotAllowed,
    NotFound,
    RequestError,
    TooLarge,
    TooMany,
    Transient,
    Unauthenticated,
    Unavailable,
    Undeployed,
)

#: Seconds after which a client may ask again when a dependency did not answer.
_RETRY_AFTER = 2


class Problem(TypedDict):
    """An error, as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) has it.

    `detail` says what happened and what to do. `sign_in`: only with 401, where people sign in, or null.
    """

    type: Annotated[str, Meta(examples=["about:blank"])]
    title: Annotated[str, Meta(examples=["Not found"])]
    status: Annotated[int, Meta(examples=[404])]
    detail: Annotated[str, Meta(examples=["There is no such job."])]
    sign_in: NotRequired[str | None]


class _Defect(RequestError):
    status = 500
    title = "Internal server error"


def request_error(error: Exception, request: Request) -> RequestError:
    """The error that a caller is told about. Errors that are our fault are logged, and tell no secret."""
    match error:
        case Undeployed():
            logs.error("misconfigured", error)
            return error
        case RequestError():
            return error
        case NoRoute():
            return NotFound(f"There is nothing at {request.path[:200]}.")
        case WrongMethod():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            return MethodNotAllowed(f"{request.method} is not possible here; {allowed} is.", allowed)
        case RequestEntityTooLarge():
            return TooLarge(f"Expected at most {request.max_content_length:,} bytes.")
        case Transient():
            logs.warning("a dependency did not answer", error)
            return Unavailable(f"{error} Try again in a moment.")
        case ConfigError():
            logs.error("misconfigured", error)
            return Unavailable(INCOMPLETE)
        case _:
            logs.error("a defect", error)
            return _Defect("Something went wrong on our side. It is in the log.")


def problem(error: RequestError, *, sign_in: bool) -> Response:
    """The answer for an error. ``sign_in``: people can sign in here, so a page knows where to send them."""
    body: Problem = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
    }
    headers: dict[str, str] = {}
    match error:
        case Unauthenticated():
            body["sign_in"] = "/api/login" if sign_in else None
            headers["WWW-Authenticate"] = "Bearer"
        case MethodNotAllowed():
            headers["Allow"] = error.allowed
        case TooMany(retry_after=int()):
            headers["Retry-After"] = str(error.retry_after)
        case Unavailable():
            headers["Retry-After"] = str(_RETRY_AFTER)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text + "\n", error.status, headers=headers, mimetype="application/problem+json")
