"""The document of one video in the search index."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson

from shared.clock import rfc3339
from shared.search.index import folding, mapping
from shared.search.index.analysis import Span, clean, clean_paragraphs, is_spaceless, join
from shared.search.index.bulk import Write
from shared.search.index.detect_language import guess_analyzer
from shared.search.index.languages import analyzer_of
from shared.search.index.lines import pack
from shared.transcripts.chapters import find_chapters
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
    chapters = find_chapters(texts["description"], metadata.duration_seconds)
    titles = [chapter.title for chapter in chapters]
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
    if chapters:
        content |= {"chapter": titles, "chapter_starts": pack([chapter.start for chapter in chapters])}
    sounds = folding.sounds(transcript)
    if sounds:
        content["sounds"] = _blanked(transcript, _between(sounds, len(transcript)))
    if analyzer:
        spoken = {**texts, "transcript": _blanked(transcript, sounds)}
        stems: dict[str, Any] = {name: _without_names(text) for name, text in spoken.items() if text}
        if chapters:
            stems["chapter"] = [_without_names(title) for title in titles]
        content["stems"] = {name: {analyzer: text} for name, text in stems.items()}
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


def _between(spans: Sequence[Span], length: int) -> list[Span]:
    """The spans of a text of this length that are between these."""
    ends = [0, *(end for _, end in spans)]
    begins = [*(begin for begin, _ in spans), length]
    return list(zip(ends, begins, strict=True))


def _without_names(text: str) -> str:
    """A stemmer knows no names with signs, and would find C in C++."""
    return _blanked(text, folding.names(text))


def _blanked(text: str, spans: Sequence[Span]) -> str:
    """The text with spaces in place of these spans, so that all offsets stay."""
    parts: list[str] = []
    position = 0
    for begin, end in spans:
        blank = text[begin:end]
        # Elasticsearch counts offsets in UTF-16.
        size = len(blank) if blank.isascii() else len(blank.encode("utf-16-le")) // 2
        parts += [text[position:begin], " " * size]
        position = end
    return "".join([*parts, text[position:]]) if spans else text


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

    Roll-up captions show each word twice: at the bottom, and one line up. Captions are of this kind if two
    thirds of their lines, and at least two, repeat the end of the line before. In others, people repeat
    themselves.
    """
    enough = max(2, -(-2 * (len(texts) - 1) // 3))
    if sum(_may_repeat(before, text) for before, text in pairwise(texts)) < enough:
        return texts
    lines = [_words(text) for text in texts]
    repeated = [0, *map(_overlap, lines, lines[1:])]
    if sum(map(bool, repeated)) < enough:
        return texts
    return [text[number:].strip() for text, number in zip(texts, repeated, strict=True)]


def _may_repeat(before: str, text: str) -> bool:
    """Whether the line may begin with a repeated word. Says no quickly to most lines."""
    text = text.lstrip(f"{_SPEAKERS} ")
    return text[: 3 if text.isascii() else 2].lower() in before.lower()


#: Signs before what another person says.
_SPEAKERS = ">-♪"
#: The folded words of a line, and for each the place in the line at which it ends.
_Words = tuple[list[str], list[int]]


def _words(text: str) -> _Words:
    # In scripts without spaces each character counts.
    pattern = r"\S" if is_spaceless(text) else r"\S+"
    found = ((folding.fold(word[0]).strip(), word.end()) for word in re.finditer(pattern, text))
    kept = [(word, end) for word, end in found if word.strip(_SPEAKERS)]
    return [word for word, _ in kept], [end for _, end in kept]


def _overlap(before: _Words, line: _Words) -> int:
    """The number of characters at the beginning of a line that are the end of the line before.

    0 if both are the same: a chorus repeats whole lines.
    """
    longest = min(len(before[0]), len(line[0])) - (len(before[0]) == len(line[0]))
    size = next((size for size in range(longest, 0, -1) if before[0][-size:] == line[0][:size]), 0)
    return line[1][size - 1] if size else 0
