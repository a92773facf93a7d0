"""Authentication: a request comes with the cookie of a session or with an API token. The two never mix."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from shared.accounts.sessions import Sessions
from shared.accounts.tokens import Tokens
from shared.config import Config
from shared.errors import Unauthenticated
from shared.gcp.firestore import Firestore


@dataclass(frozen=True, slots=True)
class Caller:
    """The user in whose name a request is served.

    ``operator``: the command line of a local run, which may act for any local user. ``session``: the token
    of the session, if the request came with a cookie.
    """

    user_id: str
    operator: bool = False
    session: str | None = field(default=None, repr=False)


#: The caller of public routes, which do not authenticate.
ANONYMOUS = Caller("")


class Auth:
    """Finds out who is calling."""

    def __init__(self, config: Config, db: Firestore) -> None:
        # Only with emulators: in the cloud no variable gives access to all libraries.
        self._operator_token = config.operator_token if config.local else None
        self._sessions = Sessions(db)
        self._tokens = Tokens(db)

    def authenticate(self, authorization: str | None, session: str | None = None) -> Caller:
        """The caller, by the ``Authorization`` header or, only if there is none, by a session.

        Raises:
            Unauthenticated: there is neither, the token is not known, or the session has ended.
            Transient: the database does not answer.
        """
        if authorization is None and session is not None:
            return self._of_session(session)
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(
                "Sign in, or send an API token as `Authorization: Bearer TOKEN` "
                "(`./emulators.sh token` prints one for a local run)."
            )
        if self._operator_token and hmac.compare_digest(token.encode(), self._operator_token.encode()):
            return Caller("demo", operator=True)
        user_id = self._tokens.find(token)
        if user_id is None:
            raise Unauthenticated("This API token is not known, or was revoked. Make a new one.")
        return Caller(user_id)

    def _of_session(self, token: str) -> Caller:
        user_id = self._sessions.user_of(token)
        if user_id is None:
            raise Unauthenticated("You are not signed in any more. Sign in again.")
        return Caller(user_id, session=token)
