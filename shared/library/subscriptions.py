"""The channels that a user has subscribed to, as a list to pick from. They are stored for a while."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypedDict

from shared.declared import PlaylistId
from shared.gcp.firestore import Firestore
from shared.library import memberships
from shared.library.at_youtube import ListAtYouTube, Notice
from shared.oauth.grants import Grants
from shared.youtube.addresses import uploads_of
from shared.youtube.resources import Channel

if TYPE_CHECKING:
    from shared.youtube.data_api import DataApi


class Subscription(TypedDict):
    """A channel. `playlist_id`: of all its uploads, which can be indexed."""

    channel_id: str
    playlist_id: PlaylistId
    title: str
    thumbnail_url: str | None
    in_library: bool


class SubscriptionList(TypedDict):
    """Channels by name. `notices`: why the list may be old."""

    subscriptions: list[Subscription]
    notices: list[Notice]


class Subscriptions:
    """The use case behind `GET /api/subscriptions`."""

    def __init__(self, db: Firestore, grants: Grants, youtube: DataApi) -> None:
        self._db = db
        self._listed = ListAtYouTube(
            db, grants, "subscriptions", _path, "channels", youtube.subscriptions, asdict, _channel_from
        )

    def of_user(self, user_id: str) -> SubscriptionList:
        """The channels by name. When Google or YouTube does not answer, a notice says so.

        Raises:
            Transient: the database does not answer.
        """
        found, notices = self._listed.of_user(user_id)
        library = memberships.titles(self._db, user_id)
        return {
            "subscriptions": [
                {
                    "channel_id": channel.channel_id,
                    "playlist_id": uploads_of(channel.channel_id),
                    "title": channel.title,
                    "thumbnail_url": channel.thumbnail_url,
                    "in_library": uploads_of(channel.channel_id) in library,
                }
                for channel in found
            ],
            "notices": list(notices),
        }


def forget(db: Firestore, user_id: str) -> None:
    """Deletes the stored list of a user."""
    db.commit().delete(_path(user_id)).run()


def _channel_from(data: dict[str, Any]) -> Channel:
    return Channel(**data)


def _path(user_id: str) -> str:
    return f"subscriptions/{user_id}"
