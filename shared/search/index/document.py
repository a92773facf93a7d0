"""The document of one video in the search index."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from shared.clock import rfc3339
from shared.search.index import mapping
from shared.search.index.analysis import clean, clean_paragraphs, join
from shared.search.index.bulk import Write
from shared.search.index.detect_language import guess_analyzer
from shared.search.index.folding import SOUND
from shared.search.index.languages import analyzer_of
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
        "channel_id": metadata.channel_id or None,
        "published_at": rfc3339(metadata.published_at),
        "duration_seconds": metadata.duration_seconds,
        "views": metadata.views,
        "thumbnail_url": metadata.thumbnail_url,
        **{name: text for name, text in texts.items() if text},
    }
    if analyzer:
        content["stems"] = {
            name: {analyzer: _without_sounds(text) if name == "transcript" else text}
            for name, text in texts.items()
            if text
        }
    if lines:
        content |= {
            "language": outcome.language,
            "generated": outcome.generated,
            "line_offsets": pack(offsets),
            "line_starts": pack(lines.starts),
            "line_durations": pack(lines.durations),
        }
    return {name: value for name, value in content.items() if value is not None}


def _without_sounds(text: str) -> str:
    """The text with spaces in place of its sounds, so that all offsets stay."""
    return SOUND.sub(_blank, text)


def _blank(sound: re.Match[str]) -> str:
    # Elasticsearch counts offsets in UTF-16.
    return " " * (len(sound[0].encode("utf-16-le")) // 2)


def _searchable(lines: Lines) -> Lines:
    """Cleaned lines without repeats, and without lines that have no text left."""
    whole = " ".join(lines.texts)
    cleaned = lines.texts if whole == clean(whole) else [clean(text) for text in lines.texts]
    texts = _without_repeats(cleaned)
    if texts is lines.texts:
        return lines
    kept = [number for number, text in enumerate(texts) if text]
    return Lines(
        [lines.starts[number] for number in kept],
        [lines.durations[number] for number in kept],
        [texts[number] for number in kept],
    )


def _without_repeats(texts: Sequence[str]) -> Sequence[str]:
    """The lines of roll-up captions without the words that they repeat from the line before.

    Roll-up captions show each word twice: at the bottom, and one line up. Captions are of this kind if at
    least half of their lines repeat the end of the line before. In others, people repeat themselves.
    """
    words = [text.split() for text in texts]
    repeated = [0, *map(_overlap, words, words[1:])]
    if len(texts) < 3 or 2 * sum(map(bool, repeated)) < len(texts) - 1:
        return texts
    return [" ".join(line[number:]) for line, number in zip(words, repeated, strict=True)]


def _overlap(before: Sequence[str], line: Sequence[str]) -> int:
    """The number of words at the beginning of a line that are the end of the line before.

    0 if both are the same: a chorus repeats whole lines.
    """
    longest = min(len(before), len(line)) - (len(before) == len(line))
    return next((size for size in range(longest, 0, -1) if before[-size:] == line[:size]), 0)
