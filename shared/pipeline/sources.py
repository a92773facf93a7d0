"""What a person puts into the one box of the page: playlists, channels, videos, and many lines of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from shared.errors import BadRequest, RequestError
from shared.library.collections import SAVED
from shared.pipeline.job_views import status_url
from shared.pipeline.jobs import Job
from shared.pipeline.start import Start
from shared.video_address import is_video_id, video_in_address

#: Lines in one request.
MAXIMUM_LINES = 1_000
#: Lines in one request.
MAXIMUM_LINES = 1_000
TakenFor = Literal["playlist", "channel", "video", "nothing"]


@dataclass(slots=True)
class Line:
    """What one line was taken for. ``detail``: why it could not be taken, and what to do."""

    text: str
    taken_for: TakenFor = "nothing"
    title: str | None = None
    playlist_id: str | None = None
    video_id: str | None = None
    job_id: str | None = None
    status_url: str | None = None
    detail: str | None = None
    choice: dict[str, Any] | None = None

    def started(self, job: Job) -> None:
        self.playlist_id, self.job_id, self.status_url = job.playlist_id, job.job_id, status_url(job)


class Sources:
    """The use case behind `POST /api/sources`."""

    def __init__(self, start: Start) -> None:
        self._start = start

    def add(self, user_id: str, text: object) -> dict[str, Any]:
        """Takes each line for what it is, and starts it. Videos go together into "Saved videos".

        Raises:
            BadRequest: there is nothing in the text.
            Transient: the database does not answer.
        """
        if not isinstance(text, str) or not text.strip():
            raise BadRequest("text: expected addresses or ids, one in each line; found nothing.")
        texts = [each.strip() for each in text.splitlines() if each.strip()]
        if len(texts) > MAXIMUM_LINES:
            raise BadRequest(f"text: expected at most {MAXIMUM_LINES:,} lines, found {len(texts):,}.")
        lines = [self._take(user_id, each) for each in texts]
        collection = self._save(user_id, lines)
        return {"lines": [asdict(line) for line in lines], "collection": collection}

    def _take(self, user_id: str, text: str) -> Line:
        line = Line(text[:300])
        try:
            job, _ = self._start.start(user_id, text)
            line.taken_for = "playlist"
            line.started(job)
        except RequestError as error:
            line.detail = str(error)
            if video_id := text if is_video_id(text) else video_in_address(text):
                line.taken_for, line.video_id, line.detail = "video", video_id, None
        return line

    def _save(self, user_id: str, lines: list[Line]) -> dict[str, Any] | None:
        videos = [line for line in lines if line.video_id is not None]
        if not videos:
            return None
        try:
            added, job = self._start.add(user_id, SAVED, {str(line.video_id): None for line in videos})
        except RequestError as error:
            for line in videos:
                line.taken_for, line.detail = "nothing", str(error)
            return None
        for line in videos:
            line.playlist_id = added.collection_id
            if job is not None:
                line.started(job)
        return {
            "playlist_id": added.collection_id,
            "title": added.title,
            "added": added.added,
            "job_id": job.job_id if job else None,
            "status_url": status_url(job) if job else None,
        }
