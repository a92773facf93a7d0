"""Authentication: a request comes with the cookie of a session or with a token. The two never mix.

A token is an API token of a user, or that of a read-only link, with which a guest comes.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.accounts.access import SENTENCES, Access
from shared.accounts.profiles import profile_path
from shared.accounts.sessions import Sessions
from shared.accounts.tokens import Tokens
from shared.config import Config
from shared.errors import Forbidden, Unauthenticated
from shared.gcp.firestore import Firestore
from shared.library import links
from shared.library.links import Link
from shared.library.memberships import titles


@dataclass(frozen=True, slots=True)
class Caller:
    """The user in whose name a request is served.

    ``operator``: the command line of a local run, which may act for any local user. ``manages``: an operator
    of this site, who may see and suspend other users. ``session``: the token of the session, if the request
    came with a cookie. ``link``: a guest came with this link. Then the user is the owner of the link, and the
    guest may see one source only. Routes are closed to guests unless they say otherwise
    (see shared.web.routing).
    """

    user_id: str
    operator: bool = False
    manages: bool = False
    session: str | None = field(default=None, repr=False)
    link: Link | None = None


#: The caller of public routes, which do not authenticate.
ANONYMOUS = Caller("")


def searchable(db: Firestore, caller: Caller) -> Mapping[str, str]:
    """The titles, by id, of the sources that the caller may search. For a guest, there is only one."""
    link = caller.link
    return titles(db, caller.user_id) if link is None else {link.playlist_id: link.title}


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
        if token.startswith(links.PREFIX):
            return self._guest(token)
        user_id = self._tokens.find(token)
        if user_id is None:
            raise Unauthenticated("This API token is not known, or was revoked. Make a new one.")
        return self._admitted(user_id)

    def admits(self, user_id: str) -> bool:
        """Whether the user may use this site (still)."""
        return self._access.refusal(self._profile(user_id)) is None

    def _guest(self, token: str) -> Caller:
        link = links.find(self._db, token)
        # To the guest it is the same whether the link was revoked or its owner is shut out.
        if link is None or not self.admits(link.user_id):
            raise Unauthenticated("This link does not work any more. Ask for a new one where you got it.")
        return Caller(link.user_id, link=link)

    def _of_session(self, token: str) -> Caller:
        user_id = self._sessions.user_of(token)
        if user_id is None:
            raise Unauthenticated("You are not signed in any more. Sign in again.")
        return self._admitted(user_id, token)

    def _admitted(self, user_id: str, session: str | None = None) -> Caller:
        """Asked at each request, so that who is taken off the list or suspended is shut out at once."""
        profile = self._profile(user_id)
        if (refusal := self._access.refusal(profile)) is not None:
            raise Forbidden(SENTENCES[refusal])
        return Caller(user_id, manages=self._access.is_operator(profile), session=session)

    def _profile(self, user_id: str) -> Mapping[str, Any]:
        return self._db.read(profile_path(user_id))[0].data or {}
