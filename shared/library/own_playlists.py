"""A user's own playlists at YouTube, as the dashboard shows them. They are stored for a while."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shared.gcp.firestore import Firestore
from shared.library.at_youtube import ListAtYouTube, Notice
from shared.oauth.grants import Grants
from shared.youtube import addresses
from shared.youtube.resources import PlaylistInfo

if TYPE_CHECKING:
    # Not at run time: functions that only call `forget` need not load the client of the Data API.
    from shared.youtube.data_api import DataApi

WATCH_LATER = Notice("watch_later", addresses.WATCH_LATER)


@dataclass(frozen=True, slots=True)
class OwnPlaylistsAnswer:
    """Playlists by id, in YouTube's order, and notices about them."""

    playlists: dict[str, PlaylistInfo]
    notices: tuple[Notice, ...] = ()


class OwnPlaylists:
    """The own playlists of all users."""

    def __init__(self, db: Firestore, grants: Grants, youtube: DataApi) -> None:
        self._listed = ListAtYouTube(
            db,
            grants,
            "playlists",
            _path,
            "playlists",
            youtube.own_playlists,
            _stored,
            _playlist_from,
            (WATCH_LATER,),
        )

    def of_user(self, user_id: str) -> OwnPlaylistsAnswer:
        """A user's own playlists. Empty for a user who never signed in with Google.

        When Google or YouTube does not answer, a notice says so.

        Raises:
            Transient: the database does not answer.
        """
        found, notices = self._listed.of_user(user_id)
        return OwnPlaylistsAnswer(dict(found), tuple(notices))


def forget(db: Firestore, user_id: str) -> None:
    """Deletes the stored list of a user."""
    db.commit().delete(_path(user_id)).run()


def _stored(entry: tuple[str, PlaylistInfo]) -> dict[str, Any]:
    playlist_id, info = entry
    return {"playlist_id": playlist_id, **asdict(info)}


def _playlist_from(data: dict[str, Any]) -> tuple[str, PlaylistInfo]:
    info = PlaylistInfo(data["title"], data["thumbnail_url"], data["item_count"], data["privacy"])
    return data["playlist_id"], info


def _path(user_id: str) -> str:
    return f"own_playlists/{user_id}"
