"""A person keeps videos in collections."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import clock
from shared.errors import BadRequest, NotFound
from shared.gcp.firestore import Firestore
from shared.library import memberships
from shared.library.collections import Collection, Collections
from shared.library.memberships import Memberships
from shared.pipeline.job_views import status_url
from shared.pipeline.start import Start
from shared.search.index.writer import SearchIndex
from shared.transcripts.videos import VideoStore
from shared.video_address import is_video_id, video_in_address

#: Videos in one request, and in one page of an answer.
MAXIMUM_REQUEST, PAGE = 5_000, 50
#: YouTube had no videos before.
_BEGIN = datetime(2005, 1, 1, tzinfo=UTC)
_NO_VIDEO = (
    "This is no video. Expected the id of a video, which has 11 characters, or its address, such as"
    " https://youtu.be/…"
)


class Collecting:
    """The use case behind `/api/collections`."""

    def __init__(self, db: Firestore, index: SearchIndex, start: Start) -> None:
        self._db = db
        self._start = start
        self._videos = VideoStore(db)
        self._collections = Collections(db)
        self._memberships = Memberships(db, index)

    def create(self, user_id: str, title: object) -> dict[str, Any]:
        """Raises BadRequest, Busy, Transient: see :class:`shared.library.collections.Collections`."""
        return _view(self._collections.create(user_id, title))

    def rename(self, user_id: str, collection_id: str, title: object) -> dict[str, Any]:
        """Raises BadRequest, Busy, NotFound, Transient: as above."""
        return _view(self._collections.rename(user_id, collection_id, title))

    def videos(self, user_id: str, collection_id: str, cursor: str | None) -> dict[str, Any]:
        """A page of the videos, what was added last first. ``cursor``: of the page before, if there is one.

        Of a video that cannot be found nothing is told but its id.

        Raises:
            BadRequest: this is no cursor.
            NotFound: the user has no such collection.
            Transient: the database does not answer.
        """
        collection = self._collections.read(user_id, collection_id)
        ids = list(collection.added)
        end = len(ids) if cursor is None else _number(cursor)
        page = ids[max(0, end - PAGE) : end][::-1]
        known = memberships.read(self._db, user_id, collection.collection_id)
        found = set(page).intersection(known.video_ids if known else ())
        about = self._videos.read([each for each in page if each in found])

        def view(video_id: str) -> dict[str, Any]:
            metadata = about.get(video_id)
            gone = {"gone": True} if video_id in collection.gone else {}
            return {
                "video_id": video_id,
                "title": metadata.title if metadata else None,
                "channel": metadata.channel if metadata else None,
                "duration_seconds": metadata.duration_seconds if metadata else None,
                "thumbnail_url": metadata.thumbnail_url if metadata else None,
                "added_at": clock.rfc3339(collection.added[video_id]),
                **gone,
            }

        return {"videos": [view(each) for each in page], "cursor": str(end - PAGE) if end > PAGE else None}

    def add(self, user_id: str, collection_id: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """Adds the videos of a request's body, or moves them there. The answer and its status.

        Raises:
            BadRequest: the body is not as expected; nothing was added.
            Busy, NotFound, TooMany, Transient: see :meth:`shared.pipeline.start.Start.add`.
        """
        videos, refused = _videos_from(body.get("videos"))
        origin = body.get("from")
        if origin is not None and not isinstance(origin, str):
            raise BadRequest("from: expected the id of a collection.")
        if videos:
            added, job = self._start.add(user_id, collection_id, videos, origin)
        else:
            added, job = self._collections.unchanged(user_id, collection_id), None
        if videos and origin is not None:
            for each in (added.collection_id, self._collections.read(user_id, origin).collection_id):
                self._memberships.copy(user_id, each)
        answer = {
            "playlist_id": added.collection_id,
            "added": added.added,
            "already": added.already,
            "refused": refused,
            "job_id": job.job_id if job else None,
            "status_url": status_url(job) if job else None,
        }
        return answer, 202 if job else 200

    def remove(self, user_id: str, collection_id: str, video_id: str) -> None:
        """Takes a video out of a collection, and out of the results.

        Raises:
            NotFound: the user has no such collection, or it has no such video.
            Transient: the database or the search index does not answer; worth a retry.
        """
        collection = self._collections.read(user_id, collection_id)
        removed = self._collections.remove(user_id, collection.collection_id, video_id)
        # Also for a video that is not there: the index may not have answered the first time.
        self._memberships.copy(user_id, collection.collection_id)
        if not removed:
            raise NotFound("There is no such video in this collection.")


def _view(collection: Collection) -> dict[str, Any]:
    return {"playlist_id": collection.collection_id, "title": collection.title}


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 7):
        raise BadRequest("cursor: expected the cursor of the page before.")
    return int(cursor)


def _videos_from(given: object) -> tuple[dict[str, datetime | None], list[dict[str, str]]]:
    """The videos and when each was added, and what is no video.

    Raises:
        BadRequest: this is no list, an empty one, or one that is too long.
    """
    if not isinstance(given, list) or not given:
        raise BadRequest("videos: expected a list of ids or addresses of videos.")
    if len(given) > MAXIMUM_REQUEST:
        raise BadRequest(
            f"videos: expected at most {MAXIMUM_REQUEST:,}, found {len(given):,}. Send them in parts."
        )
    now = clock.now()
    videos: dict[str, datetime | None] = {}
    refused: list[dict[str, str]] = []
    for each in given:
        fields = each if isinstance(each, dict) else {"video": each}
        text, at = fields.get("video"), fields.get("added_at")
        video_id = _video_from(text)
        time = clock.parse(at) if isinstance(at, str) else None
        if video_id is None:
            refused.append(_refusal(text, _NO_VIDEO))
        elif at is not None and (time is None or time < _BEGIN):
            refused.append(_refusal(text, "added_at: expected a time such as 2024-01-31T12:00:00Z."))
        else:
            videos.setdefault(video_id, min(time, now) if time else None)
    return videos, refused


def _video_from(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    return text if is_video_id(text) else video_in_address(text.strip()[:4000])


def _refusal(text: object, detail: str) -> dict[str, str]:
    # A lone surrogate cannot be sent.
    shown = str(text)[:100].encode("utf-8", "replace").decode()
    return {"text": shown, "detail": detail}
