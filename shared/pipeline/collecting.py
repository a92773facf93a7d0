"""A person keeps videos in collections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta, Struct, field

from shared import clock
from shared.declared import Cursor, JobId, NextCursor, PlaylistId, Time, VideoId
from shared.errors import BadRequest, NotFound
from shared.gcp.firestore import Firestore
from shared.library import memberships
from shared.library.collections import MAXIMUM_TITLE, Collection, Collections
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
_NO_LIST = "videos: expected a list of ids or addresses of videos."
_NO_ORIGIN = "from: expected the id of a collection."
_NO_VIDEO = (
    "This is no video. Expected the id of a video, which has 11 characters, or its address, such as"
    " https://youtu.be/…"
)


#: What is expected in a list of videos. Anything else is refused by itself, and does not spoil the list.
_ITEM = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {
                "video": {"type": "string"},
                "added_at": {"type": "string", "format": "date-time"},
            },
            "required": ["video"],
        },
    ]
}
CollectionId = Annotated[
    str,
    Meta(description='Of a collection; `saved` is "Saved videos".', examples=["collection-0123456789abcdef"]),
]


class NewCollection(Struct):
    title: Annotated[str, Meta(min_length=1, max_length=MAXIMUM_TITLE, examples=["Talks to read"])]


class NewVideos(Struct):
    """What is no video is refused, each with a reason; the others are added.

    `from`: the collection that the videos leave.
    """

    videos: Annotated[
        list[Any],
        Meta(
            min_length=1,
            description=(
                "Ids or addresses of videos, or objects with `video` and, if it is known, `added_at`."
                f" At most {MAXIMUM_REQUEST:,}."
            ),
            examples=[
                ["dQw4w9WgXcQ", {"video": "https://youtu.be/jNQXAC9IVRw", "added_at": "2026-01-31T12:00:00Z"}]
            ],
            extra={"sentence": _NO_LIST},
            extra_json_schema={"items": _ITEM},
        ),
    ]
    origin: Annotated[str, Meta(extra={"sentence": _NO_ORIGIN})] | None = field(name="from", default=None)


class CollectionAsked(Struct):
    cursor: Cursor | None = None


class CollectionView(TypedDict):
    """A collection. It is a source of your library, too."""

    playlist_id: PlaylistId
    title: str


class CollectedVideo(TypedDict):
    """A video of a collection. Nothing but its id is known before a job has looked at it.

    `gone`: YouTube does not show it; missing for others.
    """

    video_id: VideoId
    title: str | None
    channel: str | None
    duration_seconds: int | None
    thumbnail_url: str | None
    added_at: Time | None
    gone: NotRequired[bool]


class CollectedVideos(TypedDict):
    """A page of a collection."""

    videos: list[CollectedVideo]
    cursor: NextCursor


class RefusedText(TypedDict):
    """What was no video, and why."""

    text: str
    detail: str


class AddedVideos(TypedDict):
    """What an addition changed. `already`: videos that were there; `job_id`: of the job that looks."""

    playlist_id: PlaylistId
    added: int
    already: int
    refused: list[RefusedText]
    job_id: JobId | None
    status_url: str | None


class Collecting:
    """The use case behind `/api/collections`."""

    def __init__(self, db: Firestore, index: SearchIndex, start: Start) -> None:
        self._db = db
        self._start = start
        self._videos = VideoStore(db)
        self._collections = Collections(db)
        self._memberships = Memberships(db, index)

    def create(self, user_id: str, title: str) -> CollectionView:
        """Raises BadRequest, Busy, Transient: see :class:`shared.library.collections.Collections`."""
        return _view(self._collections.create(user_id, title))

    def rename(self, user_id: str, collection_id: str, title: str) -> CollectionView:
        """Raises BadRequest, Busy, NotFound, Transient: as above."""
        return _view(self._collections.rename(user_id, collection_id, title))

    def videos(self, user_id: str, collection_id: str, cursor: str | None) -> CollectedVideos:
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

        def view(video_id: str) -> CollectedVideo:
            metadata = about.get(video_id)
            shown: CollectedVideo = {
                "video_id": video_id,
                "title": metadata.title if metadata else None,
                "channel": metadata.channel if metadata else None,
                "duration_seconds": metadata.duration_seconds if metadata else None,
                "thumbnail_url": metadata.thumbnail_url if metadata else None,
                "added_at": clock.rfc3339(collection.added[video_id]),
            }
            if video_id in collection.gone:
                shown["gone"] = True
            return shown

        return {"videos": [view(each) for each in page], "cursor": str(end - PAGE) if end > PAGE else None}

    def add(self, user_id: str, collection_id: str, body: NewVideos) -> tuple[AddedVideos, int]:
        """Adds the videos of a request's body, or moves them there. The answer and its status.

        Raises:
            BadRequest: the body is not as expected; nothing was added.
            Busy, NotFound, TooMany, Transient: see :meth:`shared.pipeline.start.Start.add`.
        """
        videos, refused = _videos_from(body.videos)
        origin = body.origin
        if videos:
            added, job = self._start.add(user_id, collection_id, videos, origin)
        else:
            added, job = self._collections.unchanged(user_id, collection_id), None
        if videos and origin is not None:
            for each in (added.collection_id, self._collections.read(user_id, origin).collection_id):
                self._memberships.copy(user_id, each)
        answer: AddedVideos = {
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


def _view(collection: Collection) -> CollectionView:
    return {"playlist_id": collection.collection_id, "title": collection.title}


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 7):
        raise BadRequest("cursor: expected the cursor of the page before.")
    return int(cursor)


def _videos_from(given: list[Any]) -> tuple[dict[str, datetime | None], list[RefusedText]]:
    """The videos and when each was added, and what is no video.

    Raises:
        BadRequest: the list is too long.
    """
    if len(given) > MAXIMUM_REQUEST:
        raise BadRequest(
            f"videos: expected at most {MAXIMUM_REQUEST:,}, found {len(given):,}. Send them in parts."
        )
    now = clock.now()
    videos: dict[str, datetime | None] = {}
    refused: list[RefusedText] = []
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


def _refusal(text: object, detail: str) -> RefusedText:
    # A lone surrogate cannot be sent.
    shown = str(text)[:100].encode("utf-8", "replace").decode()
    return {"text": shown, "detail": detail}
