"""The dashboard: the playlists in the caller's library and those at YouTube, with their jobs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shared import clock
from shared.gcp.firestore import Firestore
from shared.library.memberships import Membership, Memberships
from shared.library.own_playlists import OwnPlaylists
from shared.oauth.grants import Grants
from shared.pipeline import job_views
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import Ledger
from shared.search.index.writer import SearchIndex
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PlaylistInfo

_SOURCES = ("liked", "own", "url")


class Dashboard:
    """The use case behind `GET /api/playlists`."""

    def __init__(self, db: Firestore, index: SearchIndex, grants: Grants, youtube: DataApi) -> None:
        self._memberships = Memberships(db, index)
        self._own_playlists = OwnPlaylists(db, grants, youtube)
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)

    def of_user(self, user_id: str) -> dict[str, Any]:
        """The Liked videos first, then the user's own playlists, then those added by address.

        Raises:
            Transient: the database does not answer.
        """
        own = self._own_playlists.of_user(user_id)
        memberships = {each.playlist_id: each for each in self._memberships.of_user(user_id)}
        # A job of some videos says nothing about their playlist.
        active = {job.playlist_id: job for job in self._jobs.active(user_id) if job.whole}
        shown = [
            _view(each, memberships.get(each), own.playlists.get(each))
            | {"job": self._brief(active.get(each))}
            for each in {**own.playlists, **memberships}
        ]
        shown.sort(
            key=lambda each: (
                _SOURCES.index(each["source"]),
                each["title"].casefold(),
                each["playlist_id"],
            )
        )
        return {"playlists": shown, "notices": [asdict(notice) for notice in own.notices]}

    def _brief(self, job: Job | None) -> dict[str, Any] | None:
        return job_views.brief(job, self._ledger.counts(job.job_id, job.shards)) if job else None


def _view(playlist_id: str, membership: Membership | None, own: PlaylistInfo | None) -> dict[str, Any]:
    known = own or membership
    assert known is not None, "a playlist is listed because it is in the library, or the user's own"
    indexed = None
    if membership and membership.indexed_at:
        indexed = {
            "videos": membership.indexed_videos,
            "at": clock.rfc3339(membership.indexed_at),
            "job_id": membership.job_id,
        }
    # A private playlist in the library is the user's own, also while YouTube cannot be asked.
    is_own = own is not None or known.privacy == "private"
    return {
        "playlist_id": playlist_id,
        "title": known.title,
        "thumbnail_url": known.thumbnail_url,
        "video_count": own.item_count if own else len(membership.video_ids) if membership else 0,
        "indexed": indexed,
        "source": "liked" if playlist_id.startswith("LL") else "own" if is_own else "url",
        "privacy": known.privacy,
    }
