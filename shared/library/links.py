"""Read-only links: a person with such a link may search one source of its owner, without an account.

The token is shown once and stored as a hash. A link works while its source is in the library of its owner and
was not private at YouTube when a job or a refresh last asked.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from msgspec import Meta, Struct

from shared import clock
from shared.declared import PlaylistId, ShortId, Time
from shared.errors import BadRequest, Busy, NotFound
from shared.gcp.firestore import Firestore, delete_all
from shared.library import memberships
from shared.library.memberships import Membership, membership_path
from shared.messages import is_id
from shared.random_secrets import hash_secret, make_secret

#: Links of a user.
MAXIMUM = 100
#: The beginning of each token, which tells it from API tokens.
PREFIX = "yts_link_"
#: Characters of the hash that name a link to its owner.
_ID_LENGTH = 16
#: The ids of collections and of the uploads of a channel. They have no privacy at YouTube.
_NEVER_PRIVATE = ("collection-", "UU")


@dataclass(frozen=True, slots=True)
class Link:
    """What a guest may see: one source of the owner."""

    link_id: str
    user_id: str
    playlist_id: str
    title: str


class LinkedSource(TypedDict):
    """The source that a read-only link opens."""

    playlist_id: PlaylistId
    title: str
    player_base_url: str


def find(db: Firestore, token: str) -> Link | None:
    """The link of a token. None if it was revoked, or if its source is gone or has become private."""
    name = hash_secret(token)
    data = db.read(_path(name))[0].data
    if data is None:
        return None
    source = memberships.brief(db, data["user_id"], data["playlist_id"])
    if source is None or _refusal(source) is not None:
        return None
    return Link(name[:_ID_LENGTH], data["user_id"], data["playlist_id"], source.title)


class NewLink(Struct):
    playlist_id: Annotated[
        PlaylistId,
        Meta(extra={"sentence": "playlist_id: expected the id of a source in your library."}),
    ]


class LinkView(TypedDict):
    """A read-only link to a source."""

    id: ShortId
    playlist_id: PlaylistId
    created_at: Time


class MadeLink(LinkView):
    """A new link. `url` is shown nowhere else: pass it on."""

    url: str


class LinkList(TypedDict):
    """Links, the newest first."""

    links: list[LinkView]


class Links:
    """The links of all users."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def make(self, user_id: str, playlist_id: str) -> tuple[LinkView, str]:
        """Makes a link to a source of the user: its view, and the token, which is shown nowhere else.

        Raises:
            BadRequest: the source is private.
            NotFound: it is not in the user's library.
            Busy: the user has too many links.
        """
        source = memberships.brief(self._db, user_id, playlist_id) if is_id(playlist_id) else None
        if source is None:
            raise NotFound("There is no such source in your library.")
        if (refusal := _refusal(source)) is not None:
            raise BadRequest(refusal)
        if self._db.count("links", ("user_id", "==", user_id)) >= MAXIMUM:
            raise Busy(f"You have {MAXIMUM} links, and there cannot be more. Revoke one first.")
        token = make_secret("link")
        data = {"user_id": user_id, "playlist_id": playlist_id, "created_at": clock.now()}
        self._db.commit().create(_path(hash_secret(token)), data).run()
        return _view(hash_secret(token), data), token

    def of_user(self, user_id: str) -> LinkList:
        """The user's links, newest first, as `GET /api/links` answers them."""
        found = [
            (snapshot.data["created_at"], _view(snapshot.id, snapshot.data))
            for snapshot in self._db.query("links", ("user_id", "==", user_id))
            if snapshot.data
        ]
        found.sort(key=lambda each: (each[0], each[1]["id"]), reverse=True)
        return {"links": [view for _, view in found]}

    def revoke(self, user_id: str, link_id: str) -> None:
        """The link is dead at once. Raises NotFound when it is not one of the user's."""
        for snapshot in self._db.query("links", ("user_id", "==", user_id), fields=["user_id"]):
            if hmac.compare_digest(snapshot.id[:_ID_LENGTH].encode(), link_id.encode()):
                self._db.commit().delete(snapshot.path).run()
                return
        raise NotFound("There is no such link.")


def forget(db: Firestore, user_id: str, playlist_id: str | None = None) -> None:
    """Revokes all links of a user, or those to one source."""
    to_source = [] if playlist_id is None else [("playlist_id", "==", playlist_id)]
    delete_all(db, "links", ("user_id", "==", user_id), *to_source)


def suspend(db: Firestore, user_id: str, playlist_id: str) -> None:
    """YouTube does not show the source any more: its links do not work until a job has listed it again."""
    source = memberships.brief(db, user_id, playlist_id)
    if source is not None and source.privacy in ("public", "unlisted"):
        # Without these, the next refresh lists it even if nothing has changed.
        unknown = {"privacy": None, "etag": None, "described_at": None}
        db.commit().update(membership_path(user_id, playlist_id), unknown).run()


def _refusal(source: Membership) -> str | None:
    """Why there can be no link to a source."""
    if source.playlist_id.startswith(_NEVER_PRIVATE):
        return None
    if source.privacy == "private" or source.playlist_id.startswith("LL"):
        return (
            "Nobody else may see this playlist: it is private at YouTube. Make it public or unlisted first."
        )
    if source.privacy is None:
        return "It is not known whether this playlist is private at YouTube. Refresh it first."
    return None


def _view(name: str, data: Any) -> LinkView:
    return {
        "id": name[:_ID_LENGTH],
        "playlist_id": data["playlist_id"],
        "created_at": clock.rfc3339(data["created_at"]),
    }


def _path(name: str) -> str:
    return f"links/{name}"
