"""Who is calling: a session's cookie, or an API token, shown once and kept as a hash; never a mixture.

A token is 256 random bits; a plain SHA-256 of it is as good as a slow hash of a password, and lets
the document be found by it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from shared import clock, config, documents, sessions
from shared.documents import Commit
from shared.errors import BadRequest, NotFound, Unauthenticated
from shared.messages import is_id

#: Half a surrogate pair: JSON can carry it, UTF-8 cannot.
_HALF = re.compile(r"[\ud800-\udfff]")
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """``operator``: the command line of a local run, which may act for any local user."""

    user_id: str
    operator: bool = False
    #: The session, of who came with its cookie.
    session: str | None = field(default=None, repr=False)


def authenticate(authorization: str | None, session: str | None = None) -> Caller:
    """The caller named by an ``Authorization`` header or, only if there is none, by a session.

    Raises:
        Unauthenticated: there is neither, or nobody knows the token, or the session has ended.
        Transient: Firestore does not answer.
    """
    if authorization is None and session is not None:
        return _of_session(session)
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated(
            "Sign in, or send an API token as `Authorization: Bearer TOKEN` "
            "(`./emulators.sh token` prints one for a local run)."
        )
    settings = config.load()
    # Only with emulators: in the cloud no environment variable opens everybody's library.
    if (
        settings.local
        and settings.operator_token
        and hmac.compare_digest(token.encode(), settings.operator_token.encode())
    ):
        return Caller("demo", operator=True)
    data = documents.read(_path(_hash(token)))[0].data
    if data is None:
        raise Unauthenticated("This API token is not known, or was revoked. Make a new one.")
    return Caller(data["user_id"])


def _of_session(token: str) -> Caller:
    user_id = sessions.user_of(token)
    if user_id is None:
        raise Unauthenticated("You are not signed in any more. Sign in again.")
    return Caller(user_id, session=token)


def mint(user_id: object, name: object) -> dict[str, Any]:
    """Makes a token; the answer is the only place where it is ever shown.

    Raises:
        BadRequest: not a user id or a name.
    """
    if not isinstance(user_id, str) or not is_id(user_id):
        raise BadRequest("Expected a user of letters, digits, - and _, at most 128 of them.")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _NAME_LENGTH or _HALF.search(name):
        raise BadRequest(f"Expected a name of 1 to {_NAME_LENGTH} characters for the token.")
    token = f"yts_{secrets.token_urlsafe(32)}"
    token_hash, now = _hash(token), clock.now()
    Commit().create(_path(token_hash), {"user_id": user_id, "name": name.strip(), "created_at": now}).run()
    return {
        "token_id": token_hash[:16],
        "name": name.strip(),
        "created_at": clock.rfc3339(now),
        "token": token,
    }


def tokens(user_id: str) -> list[dict[str, Any]]:
    """The user's tokens, newest first, without the tokens."""
    found = [
        (snapshot.data["created_at"], snapshot.id, snapshot.data["name"])
        for snapshot in documents.query("api_tokens", ("user_id", "==", user_id))
        if snapshot.data
    ]
    return [
        {"token_id": token_hash[:16], "name": name, "created_at": clock.rfc3339(created_at)}
        for created_at, token_hash, name in sorted(found, reverse=True)
    ]


def revoke(user_id: str, token_id: str) -> None:
    """Raises NotFound when it is not one of the user's tokens."""
    for snapshot in documents.query("api_tokens", ("user_id", "==", user_id)):
        if hmac.compare_digest(snapshot.id[:16].encode(), token_id.encode()):
            Commit().delete(snapshot.path).run()
            return
    raise NotFound("There is no such token.")


def forget(user_id: str) -> None:
    """Revokes all tokens of a user."""
    for snapshot in documents.query("api_tokens", ("user_id", "==", user_id), fields=["user_id"]):
        Commit().delete(snapshot.path).run()


def _hash(token: str) -> str:
    return sessions.hashed(token)


def _path(token_hash: str) -> str:
    return f"api_tokens/{token_hash}"
