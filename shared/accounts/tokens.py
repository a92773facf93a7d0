"""API tokens: random, shown once, stored as a hash (see :func:`shared.random_secrets.hash_secret`)."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from msgspec import Meta, Struct

from shared import clock
from shared.declared import ShortId, Time
from shared.errors import BadRequest, NotFound
from shared.gcp.firestore import Firestore, delete_all
from shared.messages import is_id
from shared.random_secrets import hash_secret

#: Half a surrogate pair: JSON can carry it, UTF-8 cannot.
_HALF = re.compile(r"[\ud800-\udfff]")
_NAME_LENGTH = 100
_USER = "Expected a user of letters, digits, - and _, at most 128 of them."
#: Characters of the hash that name a token to its owner.
_ID_LENGTH = 16


_NAME = f"Expected a name of 1 to {_NAME_LENGTH} characters for the token."


class NewToken(Struct):
    """`user`: only the command line of a local run makes tokens for others."""

    name: Annotated[
        str,
        Meta(min_length=1, max_length=_NAME_LENGTH, examples=["my notebook"], extra={"sentence": _NAME}),
    ] = "API token"
    user: Annotated[str, Meta(extra={"sentence": _USER})] | None = None


class TokenView(TypedDict):
    """An API token."""

    token_id: ShortId
    name: str
    created_at: Time


class MadeToken(TokenView):
    """A new API token. `token` is shown nowhere else: keep it."""

    token: Annotated[str, Meta(examples=["yts_…"])]


class TokenList(TypedDict):
    """API tokens, the newest first."""

    tokens: Sequence[TokenView]


class Tokens:
    """The API tokens of all users."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def mint(self, user_id: str, name: str) -> MadeToken:
        """Makes a token, as `POST /api/tokens` answers it. The token itself is shown nowhere else.

        Raises:
            BadRequest: the user id or the name is not valid.
        """
        if not is_id(user_id):
            raise BadRequest(_USER)
        if not 0 < len(name.strip()) <= _NAME_LENGTH or _HALF.search(name):
            raise BadRequest(_NAME)
        token = f"yts_{secrets.token_urlsafe(32)}"
        data = {"user_id": user_id, "name": name.strip(), "created_at": clock.now()}
        self._db.commit().create(_path(token), data).run()
        return {**_view(hash_secret(token), data), "token": token}

    def list(self, user_id: str) -> Sequence[TokenView]:
        """The user's tokens, newest first, as `GET /api/tokens` answers them."""
        found = [
            (snapshot.id, snapshot.data)
            for snapshot in self._db.query("api_tokens", ("user_id", "==", user_id))
            if snapshot.data
        ]
        found.sort(key=lambda each: (each[1]["created_at"], each[0]), reverse=True)
        return [_view(*each) for each in found]

    def find(self, token: str) -> str | None:
        """The user of a token. None when there is no such token."""
        data: Any = self._db.read(_path(token))[0].data
        return None if data is None else data["user_id"]

    def revoke(self, user_id: str, token_id: str) -> None:
        """Revokes one token. Raises NotFound when it is not one of the user's."""
        for snapshot in self._db.query("api_tokens", ("user_id", "==", user_id)):
            if hmac.compare_digest(snapshot.id[:_ID_LENGTH].encode(), token_id.encode()):
                self._db.commit().delete(snapshot.path).run()
                return
        raise NotFound("There is no such token.")

    def forget(self, user_id: str) -> None:
        """Revokes all tokens of a user."""
        delete_all(self._db, "api_tokens", ("user_id", "==", user_id))


def _view(token_hash: str, data: Any) -> TokenView:
    return {
        "token_id": token_hash[:_ID_LENGTH],
        "name": data["name"],
        "created_at": clock.rfc3339(data["created_at"]),
    }


def _path(token: str) -> str:
    return f"api_tokens/{hash_secret(token)}"
