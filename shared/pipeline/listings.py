"""What a job lists: a playlist or a channel at YouTube, or a collection of the person's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from shared.errors import JobFailed, NotVisible
from shared.gcp.firestore import Firestore
from shared.library import collections, memberships
from shared.library.collections import is_collection
from shared.oauth.grants import Grants
from shared.pipeline.jobs import Job
from shared.youtube.data_api import DataApi
from shared.youtube.resources import Item, PlaylistInfo

#: Who says that the videos are there: a playlist that everybody sees, one that its owner sees, or a person.
ListedBy = Literal["everybody", "owner", "person"]
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """What is about to be listed. ``pages``: asks for the pages, up to 50 items each, in order."""

    playlist: PlaylistInfo
    pages: Callable[[], Iterator[list[Item]]]
    by: ListedBy = "everybody"


class Listings:
    """Finds out what a job lists."""

    def __init__(self, db: Firestore, youtube: DataApi, grants: Grants) -> None:
        self._db = db
        self._youtube = youtube
        self._grants = grants

    def open(self, job: Job) -> Listing:
        """The listing of a job.

        Raises:
            NotVisible: there is no such playlist or collection, or it is somebody else's.
            GrantExpired, JobFailed, Deferred, Transient: as :class:`shared.youtube.data_api.DataApi`.
        """
        if is_collection(job.playlist_id):
            return self._collection(job)
        try:
            playlist = self._youtube.playlist(job.playlist_id)
            return Listing(playlist, lambda: self._youtube.pages(job.playlist_id))
        except NotVisible:
            access_token = self._grants.access_token(job.user_id)
            if access_token is None:
                raise
            playlist = self._youtube.playlist(job.playlist_id, access_token)
            return Listing(playlist, lambda: self._youtube.pages(job.playlist_id, access_token), "owner")

    def _collection(self, job: Job) -> Listing:
        found = collections.read(self._db, job.user_id, job.playlist_id)
        if found is None:
            raise JobFailed("This collection is not in your library any more.")
        info = PlaylistInfo(found.title, None, len(found.added), "private")
        return Listing(info, lambda: self._pages_of(job), "person")

    def _pages_of(self, job: Job) -> Iterator[list[Item]]:
        """The videos of a collection as they are when listing begins. Later ones extend the job."""
        found = collections.read(self._db, job.user_id, job.playlist_id)
        added = dict(found.added) if found else {}
        if found and job.new_only:
            known = memberships.read(self._db, job.user_id, job.playlist_id)
            for video_id in (*(known.video_ids if known else ()), *found.gone):
                added.pop(video_id, None)
        items = [
            Item(video_id, "", "", "", None, position=number, gone=None, added_at=time)
            for number, (video_id, time) in enumerate(added.items())
        ]
        for start in range(0, len(items), _PAGE):
            yield items[start : start + _PAGE]
