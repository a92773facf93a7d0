"""The document of one video: what is known of it, as Elasticsearch gets it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import search_mapping
from shared.analysis import analyzer_of, clean, clean_paragraphs, fold, join
from shared.clock import rfc3339
from shared.search_language import guess_analyzer
from shared.search_lines import pack
from shared.transcripts import Line


@dataclass(frozen=True, slots=True)
class VideoDocument:
    """Everything about a video that is searched or shown; ``lines`` is empty without captions."""

    video_id: str
    title: str
    description: str
    channel: str
    channel_id: str
    published_at: datetime | None
    duration_seconds: int | None
    views: int | None
    thumbnail_url: str | None
    language: str | None
    generated: bool | None
    lines: tuple[Line, ...]
    #: Changes with anything above; who has stored it need not have the lines at hand to compare.
    digest: str | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of everything that is indexed, and of how: equal means writing again changes nothing."""
        return fingerprint_of(self.digest or json.dumps(self._content(), sort_keys=True))

    def body(self) -> dict[str, Any]:
        """The document as Elasticsearch gets it."""
        return {**self._content(), "fingerprint": self.fingerprint}

    def _content(self) -> dict[str, Any]:
        lines = [(line, text) for line in self.lines if (text := clean(line.text))]
        transcript, offsets = join(text for _, text in lines)
        texts = {
            "title": clean(self.title),
            "description": clean_paragraphs(self.description),
            "transcript": transcript,
        }
        analyzer = (
            analyzer_of(self.language)
            if self.language
            else guess_analyzer(f"{texts['title']}\n{texts['description']}")
        )
        content: dict[str, Any] = {
            "video_id": self.video_id,
            "analyzer": analyzer,
            "language": self.language if lines else None,
            "generated": self.generated if lines else None,
            "channel": clean(self.channel),
            "channel_words": fold(clean(self.channel)),
            "channel_id": self.channel_id or None,
            "published_at": rfc3339(self.published_at),
            "duration_seconds": self.duration_seconds,
            "views": self.views,
            "thumbnail_url": self.thumbnail_url,
            **{name: {analyzer: text, "exact": fold(text)} for name, text in texts.items() if text},
        }
        if lines:
            content["line_offsets"] = pack(offsets)
            content["line_starts"] = pack([_milliseconds(line.start) for line, _ in lines])
            content["line_durations"] = pack([_milliseconds(line.duration) for line, _ in lines])
        return {name: value for name, value in content.items() if value is not None}


def fingerprint_of(digest: str) -> str:
    """The fingerprint that a document of this digest has in the index."""
    return hashlib.sha256(json.dumps([search_mapping.VERSION, digest]).encode()).hexdigest()[:32]


def _milliseconds(seconds: float) -> int:
    return min(max(round(seconds * 1000), 0), 2**31 - 1)
