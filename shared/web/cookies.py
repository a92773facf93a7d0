"""The one cookie, as HTTP carries it."""

from __future__ import annotations

from flask import Request, Response

from shared.accounts.sessions import Cookie

#: Firebase Hosting lets no other cookie pass. See shared.accounts.sessions.
NAME = "__session"


def read_cookie(request: Request) -> Cookie:
    """The cookie of a request. Empty if it has none."""
    return Cookie.parse(request.cookies.get(NAME, ""))


def set_cookie(answer: Response, cookie: Cookie, *, secure: bool) -> Response:
    """Sets the browser's cookie, or deletes it if ``cookie`` is empty."""
    answer.set_cookie(
        NAME,
        cookie.text,
        max_age=int(cookie.lifetime.total_seconds()),
        path="/",
        httponly=True,
        secure=secure,
        # Lax, not Strict: the way back from Google is a link from another site.
        samesite="Lax",
    )
    return answer
