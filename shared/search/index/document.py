"""The document of one video in the search index."""

from __future__ import annotations

from typing import Any

import orjson

from shared.clock import rfc3339
from shared.search.index import mapping
from shared.search.index.analysis import analyzer_of, clean, clean_paragraphs, fold, join
from shared.search.index.bulk import Write
from shared.search.index.detect_language import guess_analyzer
from shared.search.index.lines import pack
from shared.transcripts.store import Outcome, digest, version
from shared.transcripts.transcript import Lines
from shared.transcripts.videos import Metadata


def write_of(metadata: Metadata, outcome: Outcome) -> Write:
    """The write that puts a video into the search index. ``outcome`` has to be read with its lines."""
    body = {**_content(metadata, outcome), "fingerprint": mapping.fingerprint(digest(metadata, outcome))}
    return Write(metadata.video_id, version(metadata, outcome), orjson.dumps(body))


def _content(metadata: Metadata, outcome: Outcome) -> dict[str, Any]:
    lines = _searchable(outcome.lines)
    transcript, offsets = join(lines.texts)
    texts = {
        "title": clean(metadata.title),
        "description": clean_paragraphs(metadata.description),
        "transcript": transcript,
    }
    analyzer = (
        analyzer_of(outcome.language)
        if outcome.language
        else guess_analyzer(f"{texts['title']}\n{texts['description']}")
    )
    content: dict[str, Any] = {
        "video_id": metadata.video_id,
        "analyzer": analyzer,
        "channel": clean(metadata.channel),
        "channel_words": fold(clean(metadata.channel)),
        "channel_id": metadata.channel_id or None,
        "reason": outcome.reason or None,
        "published_at": rfc3339(metadata.published_at),
        "duration_seconds": metadata.duration_seconds,
        "views": metadata.views,
        "thumbnail_url": metadata.thumbnail_url,
        "gone": True if metadata.gone_at else None,
        **{name: {analyzer: text, "exact": fold(text)} for name, text in texts.items() if text},
    }
    if lines:
        content |= {
            "language": outcome.language,
            "generated": outcome.generated,
            "choice": outcome.choice or None,
            "line_offsets": pack(offsets),
            "line_starts": pack(lines.starts),
            "line_durations": pack(lines.durations),
        }
    return {name: value for name, value in content.items() if value is not None}


def _searchable(lines: Lines) -> Lines:
    """Cleaned lines, without those that have no text left."""
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
