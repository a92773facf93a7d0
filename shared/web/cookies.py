"""The one cookie, as HTTP carries it."""

from __future__ import annotations

from flask import Request, Response

from shared.accounts.auth import Caller
from shared.accounts.sessions import Cookie
from shared.accounts.signin import Step
from shared.web.origin import Site

#: Firebase Hosting lets no other cookie pass. See shared.accounts.sessions.
NAME = "__session"


def read_cookie(request: Request) -> Cookie:
    """The cookie of a request. Empty if it has none."""
    return Cookie.parse(request.cookies.get(NAME, ""))


def go_on(site: Site, request: Request, step: Step) -> Response:
    """Sends the browser to the next page of a sign-in."""
    answer = Response(status=302, headers={"Location": step.location})
    return set_cookie(answer, step.cookie, secure=site.is_secure(request))


def signed_out(site: Site, request: Request, caller: Caller) -> Response:
    """The answer to somebody who is signed out. The browser forgets its cookie."""
    answer = Response(status=204)
    if caller.session is not None:
        set_cookie(answer, Cookie(), secure=site.is_secure(request))
    return answer


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
