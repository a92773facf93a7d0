"""Sessions of browsers: a random id in a cookie, its hash in Firestore, an end.

Behind Firebase Hosting ``__session`` is the only cookie that reaches a function
(https://firebase.google.com/docs/hosting/manage-cache#using_cookies). So it carries both what a browser
can have: ``SESSION``, ``~ATTEMPT`` (a sign-in that is under way), or ``SESSION~ATTEMPT``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Request, Response

from shared import clock, documents, origin
from shared.documents import Commit

COOKIE = "__session"
#: A session ends so long after the sign-in, whatever happens in it.
LIFETIME = timedelta(days=14)
#: So long a person may take to sign in at Google.
ATTEMPT_LIFETIME = timedelta(minutes=10)
_TOKEN = re.compile(r"yts_session_[A-Za-z0-9_-]{43}")
_ATTEMPT = re.compile(r"yts_attempt_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Cookie:
    """What a browser holds; None for what it does not, or what is no such thing."""

    session: str | None
    attempt: str | None

    @classmethod
    def of(cls, request: Request) -> Cookie:
        session, _, attempt = request.cookies.get(COOKIE, "").partition("~")
        return cls(
            session if _TOKEN.fullmatch(session) else None,
            attempt if _ATTEMPT.fullmatch(attempt) else None,
        )

    def put(self, answer: Response, request: Request) -> Response:
        """Into an answer; without anything in it, the browser forgets it."""
        value = (self.session or "") + (f"~{self.attempt}" if self.attempt else "")
        lifetime = LIFETIME if self.session else ATTEMPT_LIFETIME
        answer.set_cookie(
            COOKIE,
            value,
            max_age=int(lifetime.total_seconds()) if value else 0,
            path="/",
            httponly=True,
            secure=origin.of(request).startswith("https://"),
            # Lax, not Strict: the way back from Google is a link from another site.
            samesite="Lax",
        )
        return answer


def new_attempt_id() -> str:
    return f"yts_attempt_{secrets.token_urlsafe(32)}"


def begin(user_id: str, replaced: str | None) -> str:
    """A new session for who has just signed in; what was in this browser before ends with it.

    The id is always new: one that somebody planted in the browser beforehand becomes nobody's.
    """
    token = f"yts_session_{secrets.token_urlsafe(32)}"
    now = clock.now()
    commit = Commit().create(
        _path(token), {"user_id": user_id, "created_at": now, "expires_at": now + LIFETIME}
    )
    if replaced:
        commit.delete(_path(replaced))
    commit.run()
    return token


def user_of(token: str) -> str | None:
    """Whose session it is; None when it has ended or never was."""
    data: Any = documents.read(_path(token))[0].data
    return data["user_id"] if data and data["expires_at"] > clock.now() else None


def end(token: str) -> None:
    """From now on it is nobody's, wherever it may have been copied to."""
    Commit().delete(_path(token)).run()


def forget(user_id: str) -> None:
    """Ends all sessions of a user."""
    for snapshot in documents.query("sessions", ("user_id", "==", user_id), fields=["user_id"]):
        Commit().delete(snapshot.path).run()


def hashed(secret: str) -> str:
    """256 random bits need no slow hash; and the document is found by it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _path(token: str) -> str:
    return f"sessions/{hashed(token)}"
