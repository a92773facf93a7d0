"""What a user allowed us to read at YouTube: Google's refresh token, encrypted, and whether it still lives.

A grant ends when the person takes it back, after six months without use, or, in an app that Google
has not reviewed, after seven days (https://developers.google.com/identity/protocols/oauth2#expiration).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from shared import clock, crypto, documents, google, logs
from shared.crypto import Undecryptable
from shared.documents import Commit, retried
from shared.errors import GrantExpired

State = Literal["ok", "expired"]


def _path(user_id: str) -> str:
    return f"grants/{user_id}"


def save(user_id: str, refresh_token: str | None, *, reads_youtube: bool) -> None:
    """Keeps what a sign-in brought. Less than a living grant does not replace it.

    One that cannot read YouTube is kept, as expired, for the sake of its revocation.
    """
    usable = reads_youtube and refresh_token is not None
    if not usable and state(user_id) == "ok":
        return
    _write(user_id, refresh_token, "ok" if usable else "expired")


def state(user_id: str) -> State | None:
    """None for who never signed in with Google."""
    data = documents.read(_path(user_id), fields=["state"])[0].data
    return None if data is None else data["state"]


def access_token(user_id: str) -> str | None:
    """A new access token, good for an hour; None for who never signed in with Google.

    Raises:
        GrantExpired: the person has to sign in again.
        Transient: Google or Firestore does not answer.
    """
    asked_at, data = clock.now(), documents.read(_path(user_id))[0].data
    if data is None:
        return None
    refresh_token, outdated = _opened(data)
    if data["state"] == "expired" or refresh_token is None:
        raise GrantExpired
    try:
        answer = google.refreshed(refresh_token)
    except GrantExpired:
        expire(user_id, asked_at)
        raise
    renewed = answer.refresh_token or refresh_token
    if outdated or renewed != refresh_token:
        _write(user_id, renewed, "ok")
    return answer.access_token


def expire(user_id: str, asked_at: datetime) -> None:
    """Google refused what was asked for then; a grant that the person has given since is another one."""

    def attempt() -> None:
        snapshot = documents.read(_path(user_id))[0]
        if snapshot.data is None or snapshot.data["granted_at"] > asked_at:
            return
        Commit().update(_path(user_id), {"state": "expired"}, unchanged_since=snapshot.update_time).run()
        logs.warning("a grant has ended", user=user_id)

    retried(attempt)


def revoke(user_id: str) -> None:
    """Gives the grant back to Google, then forgets it.

    Raises:
        Transient: Google does not answer; it is kept, to be given back later.
    """
    data = documents.read(_path(user_id))[0].data
    if data is None:
        return
    refresh_token, _ = _opened(data)
    if refresh_token is not None:
        google.revoke(refresh_token)
    Commit().delete(_path(user_id)).run()


def _opened(data: Any) -> tuple[str | None, bool]:
    sealed = data.get("refresh_token")
    if sealed is None:
        return None, False
    try:
        return crypto.decrypt(sealed)
    except Undecryptable as error:
        logs.error("GRANT_ENCRYPTION_KEYS: the key of a grant is missing", error)
        return None, False


def _write(user_id: str, refresh_token: str | None, state: State) -> None:
    sealed = None if refresh_token is None else crypto.encrypt(refresh_token)
    fields = {"refresh_token": sealed, "state": state, "granted_at": clock.now()}
    Commit().set(_path(user_id), fields).run()
