"""Grants: what users allow us to read at YouTube. A grant is Google's refresh token, stored encrypted.

A grant ends when the person revokes it, after six months without use, or, in an app that Google has not
reviewed, after seven days (https://developers.google.com/identity/protocols/oauth2#expiration).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from shared import clock, logs
from shared.config import Config
from shared.errors import GrantExpired
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.lazy import Lazy
from shared.oauth.crypto import Cipher, Undecryptable
from shared.oauth.google import Google

GrantState = Literal["ok", "expired"]


def _path(user_id: str) -> str:
    return f"grants/{user_id}"


class Grants:
    """The grants of all users, one each."""

    def __init__(self, db: Firestore, google: Google, config: Config) -> None:
        self._db = db
        self._google = google
        self._cipher = Lazy(lambda: Cipher(config.oauth.encryption_keys))

    def save(self, user_id: str, refresh_token: str | None, *, reads_youtube: bool) -> None:
        """Stores the result of a sign-in, unless the user has a valid grant and the result is less than that.

        A grant that cannot read YouTube is stored as expired, so that it can be revoked later.
        """
        usable = reads_youtube and refresh_token is not None
        if usable or self.state(user_id) != "ok":
            self._write(user_id, refresh_token, "ok" if usable else "expired")

    def state(self, user_id: str) -> GrantState | None:
        """None for a user who never signed in with Google."""
        data = self._db.read(_path(user_id), fields=["state"])[0].data
        return None if data is None else data["state"]

    def access_token(self, user_id: str) -> str | None:
        """A new access token, valid for an hour. None for a user who never signed in with Google.

        Raises:
            GrantExpired: the person has to sign in again.
            Transient: Google or the database does not answer.
        """
        asked_at, data = clock.now(), self._db.read(_path(user_id))[0].data
        if data is None:
            return None
        refresh_token, outdated = self._decrypt(data)
        if data["state"] == "expired" or refresh_token is None:
            raise GrantExpired
        try:
            answer = self._google.refresh(refresh_token)
        except GrantExpired:
            self.expire(user_id, asked_at)
            raise
        newest = answer.refresh_token or refresh_token
        if outdated or newest != refresh_token:
            self._write(user_id, newest, "ok")
        return answer.access_token

    def expire(self, user_id: str, asked_at: datetime) -> None:
        """Marks a grant as expired that Google refused at ``asked_at``.

        A grant that the person has given since then stays, because Google did not refuse that one.
        """

        def attempt() -> None:
            snapshot = self._db.read(_path(user_id))[0]
            if snapshot.data is None or snapshot.data["granted_at"] > asked_at:
                return
            commit = self._db.commit()
            commit.update(_path(user_id), {"state": "expired"}, unchanged_since=snapshot.update_time).run()
            logs.warning("a grant has expired", user=user_id)

        retry_on_conflict(attempt)

    def revoke(self, user_id: str) -> None:
        """Revokes the grant at Google, then deletes it here.

        Raises:
            Transient: Google does not answer. The grant stays here, so that it can be revoked later.
        """
        data = self._db.read(_path(user_id))[0].data
        if data is None:
            return
        refresh_token, _ = self._decrypt(data)
        if refresh_token is not None:
            self._google.revoke(refresh_token)
        self._db.commit().delete(_path(user_id)).run()

    def _decrypt(self, data: Any) -> tuple[str | None, bool]:
        """The refresh token, if there is one, and whether it should be encrypted again."""
        encrypted = data.get("refresh_token")
        if encrypted is None:
            return None, False
        try:
            return self._cipher().decrypt(encrypted)
        except Undecryptable as error:
            logs.error("GRANT_ENCRYPTION_KEYS: the key of a grant is missing", error)
            return None, False

    def _write(self, user_id: str, refresh_token: str | None, state: GrantState) -> None:
        encrypted = None if refresh_token is None else self._cipher().encrypt(refresh_token)
        data = {"refresh_token": encrypted, "state": state, "granted_at": clock.now()}
        self._db.commit().set(_path(user_id), data).run()
