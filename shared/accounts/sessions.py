"""Sessions of browsers: a random id in a cookie, its hash in the database, and a fixed end.

Behind Firebase Hosting ``__session`` is the only cookie that reaches a function
(https://firebase.google.com/docs/hosting/manage-cache#using_cookies). So it carries both things that a
browser can have: ``SESSION``, ``~ATTEMPT`` (a sign-in that is under way), or ``SESSION~ATTEMPT``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared import clock
from shared.gcp.firestore import Firestore, delete_all
from shared.random_secrets import hash_secret, make_secret

#: A session ends so long after the sign-in, whether it is used or not.
LIFETIME = timedelta(days=14)
#: So long a person may take to sign in at Google.
ATTEMPT_LIFETIME = timedelta(minutes=10)
_TOKEN = re.compile(r"yts_session_[A-Za-z0-9_-]{43}")
_ATTEMPT = re.compile(r"yts_attempt_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Cookie:
    """The content of a browser's cookie. A part is None if it is missing or does not have the right form."""

    session: str | None = None
    attempt: str | None = None

    @classmethod
    def parse(cls, text: str) -> Cookie:
        session, _, attempt = text.partition("~")
        return cls(
            session if _TOKEN.fullmatch(session) else None,
            attempt if _ATTEMPT.fullmatch(attempt) else None,
        )

    @property
    def text(self) -> str:
        """The inverse of :meth:`parse`. Empty when there is nothing in it."""
        return (self.session or "") + (f"~{self.attempt}" if self.attempt else "")

    @property
    def lifetime(self) -> timedelta:
        """How long the browser keeps the cookie. Zero makes it forget the cookie."""
        if self.session:
            return LIFETIME
        return ATTEMPT_LIFETIME if self.attempt else timedelta()


def new_attempt_id() -> str:
    """A random id for a sign-in."""
    return make_secret("attempt")


class Sessions:
    """The sessions of all users."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def begin(self, user_id: str, replaced: str | None) -> str:
        """Starts a session for a user who has just signed in, and ends the session that it replaces.

        The id is always new. If an attacker has planted an id in the browser, it names no session
        afterwards (session fixation).
        """
        token = make_secret("session")
        now = clock.now()
        data = {"user_id": user_id, "created_at": now, "expires_at": now + LIFETIME}
        commit = self._db.commit().create(_path(token), data)
        if replaced:
            commit.delete(_path(replaced))
        commit.run()
        return token

    def user_of(self, token: str) -> str | None:
        """The user of a session. None when the session has ended or never existed."""
        data: Any = self._db.read(_path(token))[0].data
        return data["user_id"] if data and data["expires_at"] > clock.now() else None

    def end(self, token: str) -> None:
        """Ends a session. Copies of its cookie are of no use either."""
        self._db.commit().delete(_path(token)).run()

    def forget(self, user_id: str) -> None:
        """Ends all sessions of a user."""
        delete_all(self._db, "sessions", ("user_id", "==", user_id))


def _path(token: str) -> str:
    return f"sessions/{hash_secret(token)}"
