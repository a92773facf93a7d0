"""Videos as the store has them, for tests and benchmarks of search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from infra.local.fake_youtube.library.model import Video
from shared import clock
from shared.search.index.bulk import Write
from shared.search.index.document import write_of
from shared.transcripts.store import Outcome
from shared.transcripts.transcript import Line, Lines, pack_lines
from shared.transcripts.videos import Metadata

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredVideo:
    """The metadata of a video, and YouTube's answer about its transcript."""

    metadata: Metadata
    outcome: Outcome

    @property
    def video_id(self) -> str:
        return self.metadata.video_id

    @property
    def lines(self) -> list[Line]:
        return list(self.outcome.lines)

    def write(self, version: int = 1) -> Write:
        return write_of(self.metadata, self.outcome)._replace(version=version)

    def with_metadata(self, **fields: Any) -> StoredVideo:
        return replace(self, metadata=replace(self.metadata, **fields))

    def with_lines(self, lines: Iterable[Line]) -> StoredVideo:
        return replace(self, outcome=_outcome(lines, self.outcome.language, self.outcome.generated))


def video(video_id: str, title: str, language: str | None, *texts: str, **metadata: Any) -> StoredVideo:
    """A video with a caption line each four seconds, the first one after half a second."""
    generated = metadata.pop("generated", False)
    fields: dict[str, Any] = {
        "description": "",
        "channel": "Harbour Talks",
        "channel_id": "UCharbour",
        "published_at": datetime(2023, 5, 17, tzinfo=UTC),
        "duration_seconds": 600,
        "views": 1000,
        "thumbnail_url": None,
        "fetched_at": _LONG_AGO,
    }
    lines = [Line(0.5 + 4 * number, 3.9, text) for number, text in enumerate(texts)]
    return StoredVideo(
        Metadata(video_id=video_id, title=title, **{**fields, **metadata}),
        _outcome(lines, language, generated),
    )


def from_fake_youtube(video: Video) -> StoredVideo:
    """A video of the fake YouTube with its first caption track."""
    metadata = Metadata(
        video_id=video.id,
        title=video.title,
        description=video.description,
        channel=video.channel.title,
        channel_id=video.channel.id,
        published_at=clock.parse(video.published_at),
        duration_seconds=video.duration,
        views=video.views,
        thumbnail_url=None,
        fetched_at=_LONG_AGO,
    )
    if not video.tracks:
        return StoredVideo(metadata, _outcome((), None, None))
    track = video.tracks[0]
    lines = (Line(*line) for line in track.lines())
    return StoredVideo(metadata, _outcome(lines, track.language, track.generated))


def _outcome(rows: Iterable[Line], language: str | None, generated: bool | None) -> Outcome:
    lines = Lines.from_rows(rows)
    packed = pack_lines(lines) if lines else b""
    return Outcome(
        kind="transcript" if lines else "no_transcript",
        reason="" if lines else "The video has no captions.",
        language=language,
        language_name=language,
        generated=generated,
        packed=packed,
        checked_at=_LONG_AGO,
        checks=0,
        look_again_at=None,
        job_id="job",
        youtube_bytes=0,
        digest=hashlib.sha256(packed).hexdigest()[:32],
    )
