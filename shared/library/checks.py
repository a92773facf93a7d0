"""The first page of each playlist as YouTube showed it last. It tells whether a playlist has changed.

What everybody may see is stored once for everybody. What was asked for in a user's name is the user's.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared import clock
from shared.gcp.firestore import Firestore
from shared.library.refreshes import refresh_path
from shared.youtube.resources import FirstPage, Item

#: A first page that is younger is as good as a new one. A listing of many pages begins with a page of now.
FRESH, _MOMENT = timedelta(minutes=15), timedelta(minutes=2)
#: Nobody has the playlist any more.
_UNUSED = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Check:
    """``asked_at``: when YouTube last said that this is the first page."""

    page: FirstPage
    asked_at: datetime

    @property
    def fresh(self) -> bool:
        return clock.now() - self.asked_at <= FRESH

    @property
    def continues(self) -> bool:
        """Whether a listing may begin with it. The next page begins at a number of items: what goes meanwhile
        moves one to the page before, where nobody looks."""
        age = clock.now() - self.asked_at
        return age <= (FRESH if self.page.next_token is None else _MOMENT)


def check_path(user_id: str | None, playlist_id: str) -> str:
    """``user_id``: None for what everybody may see."""
    return f"checks/{user_id}:{playlist_id}" if user_id else f"checks/{playlist_id}"


class Checks:
    """The first pages of all playlists."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def read(self, user_id: str | None, playlist_id: str) -> Check | None:
        """The last one. ``user_id``: in whose name it was asked for; None for what everybody may see."""
        data = self._db.read(check_path(user_id, playlist_id))[0].data
        if data is None:
            return None
        items = msgspec.json.decode(zlib.decompress(data["items"]), type=tuple[Item, ...])
        return Check(FirstPage(data["etag"], items, data["next_token"]), data["asked_at"])

    def save(self, user_id: str | None, playlist_id: str, page: FirstPage) -> Check:
        """Stores what YouTube says now.

        Raises:
            Conflict: the user does not have the playlist any more, and nothing of it is stored.
        """
        now = clock.now()
        data = {
            "etag": page.etag,
            "items": zlib.compress(msgspec.json.encode(page.items)),
            "next_token": page.next_token,
            "asked_at": now,
            "expires_at": now + _UNUSED,
        }
        commit = self._db.commit().set(check_path(user_id, playlist_id), data)
        if user_id is not None:
            commit.update(refresh_path(user_id, playlist_id), {"playlist_id": playlist_id})
        commit.run()
        return Check(page, now)
