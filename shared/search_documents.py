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
from shared.transcripts import Lines


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
    lines: Lines
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
        lines = _clean(self.lines)
        transcript, offsets = join(lines.texts)
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
            content["line_starts"] = pack(lines.starts)
            content["line_durations"] = pack(lines.durations)
        return {name: value for name, value in content.items() if value is not None}


def fingerprint_of(digest: str) -> str:
    """The fingerprint that a document of this digest has in the index."""
    return hashlib.sha256(json.dumps([search_mapping.VERSION, digest]).encode()).hexdigest()[:32]


def _clean(lines: Lines) -> Lines:
    """Lines with nothing to search in them are left out."""
    whole = " ".join(lines.texts)
    if whole == clean(whole):
        return lines
    texts = [clean(text) for text in lines.texts]
    kept = [number for number, text in enumerate(texts) if text]
    return Lines(
        [lines.starts[number] for number in kept],
        [lines.durations[number] for number in kept],
        [texts[number] for number in kept],
    )
