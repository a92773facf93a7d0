"""HTTP functions: routes, callers, JSON, and errors as application/problem+json (RFC 9457).

Closed by default: a route asks who is calling unless it says ``public=True``. Who comes with a cookie and
wants to change something must come from a page of ours (see shared.origin).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import MethodNotAllowed as NoMethod
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import Map, RequestRedirect, Rule

from shared import auth, config, failpoints, logs, origin
from shared.auth import Caller
from shared.config import ConfigError
from shared.errors import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    RequestError,
    TooLarge,
    TooMany,
    Transient,
    Unavailable,
)
from shared.sessions import Cookie

#: Bytes of a request's body; the largest sensible one is a URL.
MAXIMUM_BODY = 65_536
ANYBODY = Caller("")

Handler = Callable[..., "Response | dict[str, Any] | tuple[dict[str, Any], int]"]

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Frame-Options": "DENY",
}


class Routes:
    """The routes of one function. A handler gets the request, the caller and the path's variables."""

    def __init__(self) -> None:
        self._map = Map(strict_slashes=False, merge_slashes=False)
        self._handlers: dict[str, tuple[Handler, bool]] = {}

    def add(self, method: str, rule: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            endpoint = f"{method} {rule}"
            self._map.add(Rule(rule, methods=[method], endpoint=endpoint))
            self._handlers[endpoint] = (handler, public)
            return handler

        return register

    @property
    def endpoints(self) -> list[tuple[str, str, bool]]:
        """Method, rule and whether it is public, of every route."""
        return [(*endpoint.split(" ", 1), public) for endpoint, (_, public) in self._handlers.items()]  # type: ignore[misc]

    def dispatch(self, request: Request) -> Response:
        """Answers a request; never raises but for defects, which are logged and answered 500."""
        with logs.context(method=request.method, path=request.path):
            try:
                return self._answer(request)
            except RequestError as error:
                return problem(error)
            except Transient as error:
                logs.warning(
                    "a dependency did not answer",
                    reason=str(error),
                    detail=error.detail,
                    cause=repr(error.__cause__),
                )
                return problem(Unavailable(f"{error} Try again in a moment."))
            except ConfigError as error:
                logs.error("misconfigured", error)
                return problem(
                    Unavailable("The server is not configured completely; its log says what is missing.")
                )
            except Exception as error:
                logs.error("a defect", error)
                failure = RequestError("Something went wrong on our side. It is in the log.")
                failure.status, failure.title = 500, "Internal server error"
                return problem(failure)

    def _answer(self, request: Request) -> Response:
        try:
            endpoint, arguments = self._map.bind("").match(request.path, request.method)
        except NoMethod as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            raise MethodNotAllowed(
                f"{request.method} is not possible here; {allowed} is.", allowed
            ) from error
        except (NoRoute, RequestRedirect) as error:
            raise NotFound(f"There is nothing at {request.path[:200]}.") from error
        handler, public = self._handlers[endpoint]
        caller = ANYBODY if public else _caller(request)
        with logs.context(user=caller.user_id or None):
            answer = handler(request, caller, **arguments)
        failpoints.answer("answer")
        if isinstance(answer, Response):
            for name, value in _HEADERS.items():
                answer.headers.setdefault(name, value)
            return answer
        body, status = answer if isinstance(answer, tuple) else (answer, 200)
        return as_json(body, status)


def _caller(request: Request) -> Caller:
    caller = auth.authenticate(request.headers.get("Authorization"), Cookie.of(request).session)
    if caller.session is not None:
        origin.require_same(request)
    return caller


def as_json(body: Any, status: int = 200, mimetype: str = "application/json") -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text + "\n", status, headers=_HEADERS, mimetype=mimetype)


def problem(error: RequestError) -> Response:
    """RFC 9457; ``detail`` is for a person."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
    }
    if error.status == 401:
        # Where a page sends who is nobody yet; null where only tokens are known.
        body["sign_in"] = "/api/login" if _sign_in() else None
    response = as_json(body, error.status, "application/problem+json")
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = error.allowed
    if error.status == 503:
        response.headers["Retry-After"] = "2"
    return response


def _sign_in() -> bool:
    try:
        return config.load().sign_in
    except ConfigError:
        return False


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises:
        BadRequest: says what was found instead.
        TooLarge: it is longer than MAXIMUM_BODY.
    """
    request.max_content_length = MAXIMUM_BODY
    try:
        data = request.get_data()
    except RequestEntityTooLarge as error:
        # functions-framework reads the body once more before it answers, and must not fail at that.
        request.stream = BytesIO()
        raise TooLarge(f"Expected at most {MAXIMUM_BODY:,} bytes.") from error
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"Expected a JSON object, found {data[:80]!r}.") from error
    if not isinstance(body, dict):
        raise BadRequest(f"Expected a JSON object, found {type(body).__name__}.")
    return body


def limit_of(request: Request, default: int, maximum: int) -> int:
    """The ``limit`` parameter. Raises BadRequest when it is not a number from 1 to ``maximum``."""
    text = request.args.get("limit", str(default))
    if not (re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= maximum):
        raise BadRequest(f"limit: expected a number from 1 to {maximum}, found {text[:40]!r}.")
    return int(text)
