"""A user's own playlists at YouTube, as the dashboard shows them, remembered for a while.

Pages ask again and again, and each listing costs three units of a quota that all users share. What
was listed last is also what is shown when YouTube, the quota or the grant does not allow another.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from shared import clock, documents, grants, logs, youtube
from shared.documents import Commit
from shared.errors import Deferred, GrantExpired, JobFailed, Transient
from shared.youtube import PlaylistInfo

#: A playlist made at YouTube is seen here so much later at most.
REMEMBERED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the page has to say about the list. ``code`` is for programs, ``detail`` for a person."""

    code: str
    detail: str


WATCH_LATER = Notice("watch_later", youtube.WATCH_LATER)
GRANT_EXPIRED = Notice("grant_expired", str(GrantExpired()))


@dataclass(frozen=True, slots=True)
class Own:
    """Playlists by id, in YouTube's order, and what there is to say. ``signed_in``: with Google, ever."""

    playlists: dict[str, PlaylistInfo]
    notices: tuple[Notice, ...]


def of(user_id: str) -> Own:
    """Raises Transient when Firestore does not answer; nothing of YouTube's or Google's troubles."""
    state, data = grants.state(user_id), documents.read(_path(user_id))[0].data
    if state is None:
        return Own({}, ())
    if state == "expired":
        # What the person took back is not shown any longer.
        return Own({}, (GRANT_EXPIRED,))
    remembered = _unpacked(data)
    if data and clock.now() - data["listed_at"] < REMEMBERED:
        return Own(remembered, (WATCH_LATER,))
    try:
        return Own(_listed(user_id), (WATCH_LATER,))
    except GrantExpired as error:
        return Own({}, (Notice("grant_expired", str(error)),))
    except Deferred as error:
        return Own(remembered, (WATCH_LATER, Notice("quota_exceeded", str(error))))
    except (JobFailed, Transient) as error:
        logs.warning("own playlists could not be listed", reason=str(error), cause=repr(error.__cause__))
        detail = f"Your playlists at YouTube could not be listed now. {error}"
        return Own(remembered, (WATCH_LATER, Notice("youtube_unavailable", detail)))


def forget(user_id: str) -> None:
    Commit().delete(_path(user_id)).run()


def _listed(user_id: str) -> dict[str, PlaylistInfo]:
    asked_at, access = clock.now(), grants.access_token(user_id)
    if access is None:
        return {}
    try:
        found = dict(youtube.own_playlists(access))
    except GrantExpired:
        grants.expire(user_id, asked_at)
        raise
    packed = [{"playlist_id": playlist_id, **asdict(info)} for playlist_id, info in found.items()]
    Commit().set(_path(user_id), {"playlists": packed, "listed_at": clock.now()}).run()
    return found


def _unpacked(data: Any) -> dict[str, PlaylistInfo]:
    if not data:
        return {}
    return {
        each["playlist_id"]: PlaylistInfo(
            each["title"], each["thumbnail_url"], each["item_count"], each["privacy"]
        )
        for each in data["playlists"]
    }


def _path(user_id: str) -> str:
    return f"own_playlists/{user_id}"
