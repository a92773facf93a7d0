"""What the page lists: the playlists in the caller's library and those at YouTube, with their indexing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shared import clock, job_views, jobs, library, own_playlists
from shared.jobs import Job
from shared.library import Playlist
from shared.youtube import PlaylistInfo


def of(user_id: str) -> dict[str, Any]:
    """As `GET /api/playlists` answers it: Liked videos, the user's own playlists, those added by URL.

    Raises:
        Transient: Firestore does not answer.
    """
    own = own_playlists.of(user_id)
    held = {each.playlist_id: each for each in library.playlists(user_id)}
    active = {job.playlist_id: job for job in jobs.active(user_id)}
    ids = {**dict.fromkeys(own.playlists), **dict.fromkeys(held)}
    shown = [_view(each, held.get(each), own.playlists.get(each), active.get(each)) for each in ids]
    places = {"liked": 0, "own": 1, "url": 2}
    shown.sort(key=lambda each: (places[each["source"]], each["title"].casefold(), each["playlist_id"]))
    return {"playlists": shown, "notices": [asdict(notice) for notice in own.notices]}


def _view(
    playlist_id: str, held: Playlist | None, own: PlaylistInfo | None, job: Job | None
) -> dict[str, Any]:
    known = own or held
    if known is None:
        raise AssertionError("a playlist is listed because it is held, or the user's own")
    indexed = None
    if held and held.indexed_at:
        indexed = {
            "videos": held.indexed_videos,
            "at": clock.rfc3339(held.indexed_at),
            "job_id": held.job_id,
        }
    # What is private is one's own, also while YouTube cannot be asked.
    mine = own is not None or known.privacy == "private"
    source = "liked" if playlist_id.startswith("LL") else "own" if mine else "url"
    return {
        "playlist_id": playlist_id,
        "title": known.title,
        "thumbnail_url": known.thumbnail_url,
        "video_count": own.item_count if own else len(held.video_ids) if held else 0,
        "indexed": indexed,
        "source": source,
        "privacy": known.privacy,
        "job": job_views.brief(job) if job else None,
    }
