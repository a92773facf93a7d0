"""Authentication: a request comes with the cookie of a session or with an API token. The two never mix."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from shared.accounts.access import SENTENCES, Access
from shared.accounts.profiles import profile_path
from shared.accounts.sessions import Sessions
from shared.accounts.tokens import Tokens
from shared.config import Config
from shared.errors import Forbidden, Unauthenticated
from shared.gcp.firestore import Firestore


@dataclass(frozen=True, slots=True)
class Caller:
    """The user in whose name a request is served.

    ``operator``: the command line of a local run, which may act for any local user. ``manages``: an operator
    of this site, who may see and suspend other users. ``session``: the token of the session, if the request
    came with a cookie.
    """

    user_id: str
    operator: bool = False
    manages: bool = False
    session: str | None = field(default=None, repr=False)


#: The caller of public routes, which do not authenticate.
ANONYMOUS = Caller("")


class Auth:
    """Finds out who is calling."""

    def __init__(self, config: Config, db: Firestore) -> None:
        # Only with emulators: in the cloud no variable gives access to all libraries.
        self._operator_token = config.operator_token if config.local else None
        self._db = db
        self._access = Access(config)
        self._sessions = Sessions(db)
        self._tokens = Tokens(db)

    def authenticate(self, authorization: str | None, session: str | None = None) -> Caller:
        """The caller, by the ``Authorization`` header or, only if there is none, by a session.

        Raises:
            Unauthenticated: there is neither, the token is not known, or the session has ended.
            Forbidden: the user may not use this site, or not any more.
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
        return self._admitted(user_id)

    def _of_session(self, token: str) -> Caller:
        user_id = self._sessions.user_of(token)
        if user_id is None:
            raise Unauthenticated("You are not signed in any more. Sign in again.")
        return self._admitted(user_id, token)

    def _admitted(self, user_id: str, session: str | None = None) -> Caller:
        """Asked at each request, so that who is taken off the list or suspended is shut out at once."""
        profile = self._db.read(profile_path(user_id))[0].data or {}
        if (refusal := self._access.refusal(profile)) is not None:
            raise Forbidden(SENTENCES[refusal])
        return Caller(user_id, manages=self._access.is_operator(profile), session=session)
