"""A user's library: which videos of which playlists are theirs. Decides what a user may find.

The membership of a playlist in Firestore is the truth; a document of the same ids in Elasticsearch
serves as the filter of searches. Ids are stored as one compressed field: as an array, Firestore
would write thousands of index entries each time.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared import clock, documents, logs, search_index
from shared.documents import Commit, Snapshot
from shared.errors import Transient


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist in somebody's library. ``indexed_videos``: searchable ones when it was last indexed."""

    playlist_id: str
    title: str
    thumbnail_url: str | None
    video_ids: tuple[str, ...]
    updated_at: datetime
    indexed_at: datetime | None
    indexed_videos: int
    job_id: str | None
    #: public, unlisted or private when it was last listed; None where that was not asked yet.
    privacy: str | None = None


def _path(user_id: str, playlist_id: str) -> str:
    return f"users/{user_id}/memberships/{playlist_id}"


def _playlist_of(snapshot: Snapshot) -> Playlist | None:
    data = snapshot.data
    if data is None:
        return None
    packed = data.get("video_ids")
    return Playlist(
        playlist_id=snapshot.id,
        title=data.get("title", ""),
        thumbnail_url=data.get("thumbnail_url"),
        video_ids=tuple(zlib.decompress(packed).decode().split()) if packed else (),
        updated_at=data["updated_at"],
        indexed_at=data.get("indexed_at"),
        indexed_videos=data.get("indexed_videos", 0),
        job_id=data.get("job_id"),
        privacy=data.get("privacy"),
    )


def playlist(user_id: str, playlist_id: str) -> Playlist | None:
    return _playlist_of(documents.read(_path(user_id, playlist_id))[0])


def playlists(user_id: str) -> list[Playlist]:
    """Everything in the user's library, by title."""
    found = [_playlist_of(snapshot) for snapshot in documents.query(f"users/{user_id}/memberships")]
    return sorted(
        (each for each in found if each), key=lambda each: (each.title.casefold(), each.playlist_id)
    )


def titles(user_id: str) -> dict[str, str]:
    """Playlist id -> title of all that is in the user's library, without the video ids: for each search."""
    found = documents.query(f"users/{user_id}/memberships", fields=["title"])
    return {snapshot.id: snapshot.data.get("title", "") for snapshot in found if snapshot.data is not None}


def put(
    user_id: str,
    playlist_id: str,
    title: str,
    thumbnail_url: str | None,
    video_ids: Sequence[str],
    *,
    privacy: str | None = None,
    within: Commit | None = None,
) -> None:
    """Makes exactly these videos the membership of the playlist, in Firestore and, if it answers, in search.

    ``within``: a commit that decides whether it may still be written; it is run here, and may raise Conflict.
    An Elasticsearch that is away does not stop planning: :func:`finish` writes it again, and insists.
    """
    now = clock.now()
    fields = {
        "title": title,
        "thumbnail_url": thumbnail_url,
        "video_ids": zlib.compress(" ".join(video_ids).encode()),
        "privacy": privacy,
        "updated_at": now,
    }
    (within or Commit()).set(_path(user_id, playlist_id), fields, merge=True).run()
    try:
        search_index.write_library(user_id, playlist_id, video_ids, _version(now))
    except Transient as error:
        logs.warning("the library is not searchable yet", reason=str(error), playlist_id=playlist_id)


def finish(user_id: str, playlist_id: str, job_id: str, videos: int) -> None:
    """Notes that a job has ended, and makes sure that search has the membership.

    Raises:
        Transient: Elasticsearch or Firestore does not answer.
    """
    current = playlist(user_id, playlist_id)
    if current is None:
        return
    search_index.write_library(user_id, playlist_id, current.video_ids, _version(current.updated_at))
    fields = {"indexed_at": clock.now(), "indexed_videos": videos, "job_id": job_id}
    Commit().update(_path(user_id, playlist_id), fields).run()


def remove(user_id: str, playlist_id: str) -> None:
    """Takes a playlist out of the library, at once: searches ask Firestore which playlists count.

    So what an Elasticsearch that is away keeps of it is found by nobody.
    """
    Commit().delete(_path(user_id, playlist_id)).run()
    try:
        search_index.delete_library(user_id, playlist_id, _version(clock.now()))
    except Transient as error:
        logs.warning("search keeps a list that nobody uses", reason=str(error), playlist_id=playlist_id)


def erase(user_id: str) -> None:
    """Removes all of a user's library, first where it is only a view: what fails is found again.

    Raises:
        Transient: Elasticsearch or Firestore does not answer.
    """
    held = [snapshot.id for snapshot in documents.query(f"users/{user_id}/memberships", fields=["title"])]
    for playlist_id in {*held, *search_index.libraries_of(user_id)}:
        search_index.delete_library(user_id, playlist_id, _version(clock.now()))
        Commit().delete(_path(user_id, playlist_id)).run()


def rebuild(user_id: str, snapshot: Snapshot) -> None:
    """Writes one membership document of Firestore into search again."""
    found = _playlist_of(snapshot)
    if found is not None:
        search_index.write_library(user_id, found.playlist_id, found.video_ids, _version(found.updated_at))


def _version(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)
