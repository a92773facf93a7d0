"""A user's own playlists at YouTube, as the dashboard shows them. They are stored for a while.

Pages ask again and again, and each listing costs three units of a quota that all users share. The stored
list is also shown when YouTube, the quota or the grant does not allow a new one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared import clock, logs
from shared.errors import Deferred, GrantExpired, JobFailed, Transient
from shared.gcp.firestore import Firestore
from shared.oauth.grants import Grants
from shared.youtube import addresses
from shared.youtube.resources import PlaylistInfo

if TYPE_CHECKING:
    # Not at run time: functions that only call `forget` need not load the client of the Data API.
    from shared.youtube.data_api import DataApi

#: A stored list is used for so long. A playlist that is made at YouTube is seen here that much later.
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the page says about the list. ``code`` is for programs, ``detail`` for a person."""

    code: str
    detail: str


WATCH_LATER = Notice("watch_later", addresses.WATCH_LATER)
GRANT_EXPIRED = Notice("grant_expired", str(GrantExpired()))


@dataclass(frozen=True, slots=True)
class OwnPlaylistsAnswer:
    """Playlists by id, in YouTube's order, and notices about them."""

    playlists: dict[str, PlaylistInfo]
    notices: tuple[Notice, ...] = ()


class OwnPlaylists:
    """The own playlists of all users."""

    def __init__(self, db: Firestore, grants: Grants, youtube: DataApi) -> None:
        self._db = db
        self._grants = grants
        self._youtube = youtube

    def of_user(self, user_id: str) -> OwnPlaylistsAnswer:
        """A user's own playlists. Empty for a user who never signed in with Google.

        When Google or YouTube does not answer, a notice says so.

        Raises:
            Transient: the database does not answer.
        """
        state = self._grants.state(user_id)
        if state is None:
            return OwnPlaylistsAnswer({})
        if state == "expired":
            # The person may have revoked the grant, so the stored list is not shown any longer.
            return OwnPlaylistsAnswer({}, (GRANT_EXPIRED,))
        data = self._db.read(_path(user_id))[0].data
        stored = _playlists_from(data)
        if data and clock.now() - data["listed_at"] < LIFETIME:
            return OwnPlaylistsAnswer(stored, (WATCH_LATER,))
        try:
            return OwnPlaylistsAnswer(self._list(user_id), (WATCH_LATER,))
        except GrantExpired:
            return OwnPlaylistsAnswer({}, (GRANT_EXPIRED,))
        except Deferred as error:
            # The quota of a day, or of a minute. The error speaks to jobs.
            detail = (
                "YouTube takes no more requests for now."
                f" Your playlists are listed anew after {clock.rfc3339(error.until)}."
            )
            return OwnPlaylistsAnswer(stored, (WATCH_LATER, Notice("quota_exceeded", detail)))
        except (JobFailed, Transient) as error:
            logs.warning("own playlists could not be listed", error)
            detail = f"Your playlists at YouTube could not be listed now. {error}"
            return OwnPlaylistsAnswer(stored, (WATCH_LATER, Notice("youtube_unavailable", detail)))

    def _list(self, user_id: str) -> dict[str, PlaylistInfo]:
        """Asks YouTube, and stores the answer."""
        asked_at, access_token = clock.now(), self._grants.access_token(user_id)
        if access_token is None:
            return {}
        try:
            found = dict(self._youtube.own_playlists(access_token))
        except GrantExpired:
            self._grants.expire(user_id, asked_at)
            raise
        stored = [{"playlist_id": playlist_id, **asdict(info)} for playlist_id, info in found.items()]
        data = {"playlists": stored, "listed_at": clock.now()}
        self._db.commit().set(_path(user_id), data).run()
        return found


def forget(db: Firestore, user_id: str) -> None:
    """Deletes the stored list of a user."""
    db.commit().delete(_path(user_id)).run()


def _playlists_from(data: Any) -> dict[str, PlaylistInfo]:
    return {
        each["playlist_id"]: PlaylistInfo(
            each["title"], each["thumbnail_url"], each["item_count"], each["privacy"]
        )
        for each in (data["playlists"] if data else ())
    }


def _path(user_id: str) -> str:
    return f"own_playlists/{user_id}"
