"""What YouTube says about a video: title, channel and so on. Stored once for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore
from shared.transcripts.due import make_due

#: Metadata older than this (titles and views change) is asked for again when a playlist is listed.
METADATA_AGE = timedelta(days=1)
#: The same for a listing for which nobody waits.
UNATTENDED_AGE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Metadata:
    """A video as the YouTube Data API describes it. The duration is in seconds.

    ``listed``: videos.list described it when it was last asked; False for what only a playlist says.
    ``audio_language``: the language that is spoken, as the uploader says.
    ``renamed_at``: when it was found to have a new title.
    ``gone_at``: when YouTube was found to show the video to nobody any more; None while it shows it. The rest
    is what was known before.
    """

    video_id: str
    title: str
    description: str
    channel: str
    channel_id: str
    published_at: datetime | None
    duration_seconds: int | None
    views: int | None
    thumbnail_url: str | None
    fetched_at: datetime
    listed: bool = False
    audio_language: str | None = None
    gone_at: datetime | None = None
    renamed_at: datetime | None = None


def video_path(video_id: str) -> str:
    return f"videos/{video_id}"


def metadata_from(snapshot: Snapshot) -> Metadata | None:
    """None when the video was never listed."""
    data = snapshot.data or {}
    # Older documents do not say it. Only videos.list knows how long a video is.
    listed = data.get("listed", data.get("duration_seconds") is not None)
    return snapshot.read_as(Metadata, video_id=snapshot.id, listed=listed)


class VideoStore:
    """The metadata of all videos. ``passages``: new titles are also for search by meaning."""

    def __init__(self, db: Firestore, *, passages: bool = False) -> None:
        self._db = db
        self._passages = passages

    def read(self, video_ids: Sequence[str]) -> dict[str, Metadata]:
        """The metadata of those videos that were listed before, by id."""
        found = map(metadata_from, self._db.read(*map(video_path, video_ids)))
        return {metadata.video_id: metadata for metadata in found if metadata is not None}

    def save(self, videos: Sequence[Metadata]) -> None:
        """Writes the metadata of at most a page of videos, in one commit."""
        if not videos:
            return
        commit = self._db.commit()
        for metadata in videos:
            _put(commit, metadata)
            if self._passages and metadata.renamed_at == metadata.fetched_at:
                # The title is in front of each passage.
                make_due(commit, metadata.video_id, metadata.fetched_at)
        commit.run()


def _put(commit: Commit, metadata: Metadata) -> None:
    data = asdict(metadata)
    commit.set(video_path(data.pop("video_id")), data)
