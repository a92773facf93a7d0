"""Answers errors as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from shared.errors import MethodNotAllowed, RequestError, Unavailable


class GatewayTimeout(RequestError):
    status = 504
    title = "Gateway timeout"


@web.middleware
async def answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestError as error:
        body = {"type": "about:blank", "title": error.title, "status": error.status, "detail": str(error)}
        answer = web.json_response(body, status=error.status, content_type="application/problem+json")
        if isinstance(error, Unavailable):
            answer.headers["Retry-After"] = "2"
        if isinstance(error, MethodNotAllowed):
            answer.headers["Allow"] = error.allowed
        return answer
