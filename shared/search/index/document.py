"""The document of one video in the search index."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson

from shared.clock import rfc3339
from shared.search.index import folding, mapping
from shared.search.index.analysis import clean, clean_paragraphs, join
from shared.search.index.bulk import Write
from shared.search.index.detect_language import guess_analyzer
from shared.search.index.languages import analyzer_of
from shared.search.index.lines import pack
from shared.transcripts.store import Outcome, digest, is_gone, version
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
        "reason": outcome.reason or None,
        "published_at": rfc3339(metadata.published_at),
        # A live stream has the length 0, which says that nobody knows it yet.
        "duration_seconds": metadata.duration_seconds or None,
        "views": metadata.views,
        "thumbnail_url": metadata.thumbnail_url,
        "gone": True if is_gone(metadata, outcome) else None,
        **{name: text for name, text in texts.items() if text},
    }
    spoken, sounds = _split(transcript)
    if sounds:
        content["sounds"] = sounds
    if analyzer:
        content["stems"] = {name: {analyzer: text} for name, text in texts.items() if text}
        if spoken:
            content["stems"]["transcript"] = {analyzer: spoken}
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


def _split(transcript: str) -> tuple[str, str]:
    """What was said, and the sounds, each with spaces in place of the other, so that all offsets stay.

    The latter is empty if there are no sounds.
    """
    spans = folding.sounds(transcript)
    if not spans:
        return transcript, ""
    spoken: list[str] = []
    sounds: list[str] = []
    position = 0
    for begin, end in spans:
        spoken += [transcript[position:begin], _blank(transcript[begin:end])]
        sounds += [_blank(transcript[position:begin]), transcript[begin:end]]
        position = end
    return "".join([*spoken, transcript[position:]]), "".join(sounds)


def _blank(text: str) -> str:
    # Elasticsearch counts offsets in UTF-16.
    return " " * (len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2)


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
    enough = len(texts) // 2
    # Most captions have no repeats. This finds out quickly.
    if sum(text.partition(" ")[0] in before for before, text in pairwise(texts)) < enough:
        return texts
    words = [text.split() for text in texts]
    repeated = [0, *map(_overlap, words, words[1:])]
    if len(texts) < 3 or sum(map(bool, repeated)) < enough:
        return texts
    return [" ".join(line[number:]) for line, number in zip(words, repeated, strict=True)]


def _overlap(before: Sequence[str], line: Sequence[str]) -> int:
    """The number of words at the beginning of a line that are the end of the line before.

    0 if both are the same: a chorus repeats whole lines.
    """
    longest = min(len(before), len(line)) - (len(before) == len(line))
    return next((size for size in range(longest, 0, -1) if before[-size:] == line[:size]), 0)
