"""Videos and playlists of any number, made from their id alone: no state is kept.

``PLgen-COUNT-SEED`` holds the first COUNT videos of SEED; playlists of the same seed share them.
Options follow, each after a hyphen:

- ``short``: 20 caption lines a video instead of 190 in the median (up to 9,213);
- ``mixed``: a fifth of the videos have no captions, or are private, deleted, or unavailable.

A video id is 64 bits in YouTube's alphabet: 48 of seed and number, 16 of a checksum that also says
the options, so that an id alone is enough to tell what the video is.
"""

from __future__ import annotations

import hashlib
import math
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, partial
from itertools import accumulate
from statistics import NormalDist

from infra.local.standin import vocabulary
from infra.local.standin.model import (
    DELETED,
    NO_CAPTIONS,
    OK,
    PRIVATE,
    Channel,
    Line,
    Playlist,
    Track,
    Video,
    channel_named,
    track_name,
)

_OPTIONS = ("short", "mixed")
_VARIANTS = ("", "short", "mixed", "short-mixed")
_PLAYLIST = re.compile(r"PLgen-(\d{1,6})-([A-Za-z0-9]{1,40})((?:-(?:short|mixed))*)")
_VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")

#: A byte decides a line's length: 3.0 to 5.5 seconds, at about 147 words a minute.
_GAP_MS = tuple(3_000 + 2_500 * b // 255 for b in range(256))
_WORDS = tuple(round(gap * 2.45 / 1_000) for gap in _GAP_MS)
_PHRASE_WORDS = 5
#: A fifth of a real library is not English.
_LANGUAGES = ("en",) * 16 + ("de", "es", "fr", "pt")
_TOPIC_EVERY = 31
_NORMAL = NormalDist()
#: Real libraries have a mean of three times the median; the longest seen had 9,213 lines.
_MEDIAN_LINES, _LINES_SIGMA, _MOST_LINES = 190, 1.4, 9_213


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words said in this video only. ``start``: second of the line in which they begin."""

    text: str
    start: float
    crosses_line: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    """When the lines of a video are, and how many words each has."""

    starts_ms: tuple[int, ...]
    gaps_ms: tuple[int, ...]
    words: tuple[int, ...]


def _checksum(head: str, variant: str) -> str:
    digest = hashlib.sha256(f"check/{variant}/{head}".encode()).digest()
    return urlsafe_b64encode(digest[:2]).decode().rstrip("=")


def video_id(seed: str, number: int, variant: str = "") -> str:
    """The id of a seed's video; `variant`: options in the order short, mixed, joined by a hyphen."""
    head = urlsafe_b64encode(hashlib.sha256(f"video/{seed}/{number}".encode()).digest()[:6]).decode()
    return head + _checksum(head, variant)


@lru_cache(maxsize=20_000)
def variant_of(identifier: str) -> str | None:
    """The options of a generated video, or None if the id is not of one."""
    if not _VIDEO.fullmatch(identifier):
        return None
    return next((v for v in _VARIANTS if _checksum(identifier[:8], v) == identifier[8:]), None)


def _ids(seed: str, count: int, variant: str) -> Iterator[str]:
    return (video_id(seed, number, variant) for number in range(count))


@lru_cache(maxsize=16)
def playlist(identifier: str) -> Playlist | None:
    """The playlist of that id, or None if the id does not ask for a generated one."""
    match = _PLAYLIST.fullmatch(identifier)
    if match is None:
        return None
    count, seed = int(match[1]), match[2]
    asked = match[3].split("-")
    variant = "-".join(option for option in _OPTIONS if option in asked)
    return Playlist(
        id=identifier,
        title=f"Generated playlist {seed} of {count:,} videos",
        description="Made on demand.",
        channel=channel_named("Generated playlists"),
        published_at="2024-01-01T00:00:00Z",
        video_ids=tuple(_ids(seed, count, variant)),
    )


@cache
def _channels() -> tuple[Channel, ...]:
    names = []
    for k in range(60):
        words = vocabulary.rare_words(f"channel/{k}", 2)
        names.append(" ".join(word.capitalize() for word in words))
    return tuple(map(channel_named, names))


def topics(identifier: str) -> list[str]:
    """The words a video is about: they stand in its title and are said now and then."""
    return vocabulary.rare_words(f"topics/{identifier}", 4)


@lru_cache(maxsize=256)
def _shape(identifier: str, short: bool) -> _Shape:
    quantile = (vocabulary.numbers(f"length/{identifier}", 1)[0] + 0.5) / 65_536
    count = round(_MEDIAN_LINES * math.exp(_LINES_SIGMA * _NORMAL.inv_cdf(quantile)))
    count = 20 if short else min(max(count, 12), _MOST_LINES)
    raw = hashlib.shake_256(f"lines/{identifier}".encode()).digest(count)
    gaps = tuple([_GAP_MS[b] for b in raw])
    starts = tuple(accumulate(gaps[:-1], initial=160 + 40 * (raw[0] % 64)))
    return _Shape(starts, gaps, tuple([_WORDS[b] for b in raw]))


def _phrase_place(identifier: str, shape: _Shape) -> tuple[int, int, bool]:
    """(line, first word within that line, does it cross into the next line)"""
    first, second = vocabulary.numbers(f"place/{identifier}", 2)
    count = len(shape.starts_ms)
    line = count // 4 + first % (count // 2)
    crosses = bool(second & 1)
    return line, shape.words[line] - 2 - (second >> 1) % 2 if crosses else 1, crosses


def phrase_of(identifier: str) -> Phrase:
    """What is said in this generated video and in no other.

    Raises:
        ValueError: the id is not of a generated video.
    """
    variant = variant_of(identifier)
    if variant is None:
        raise ValueError(f"expected the id of a generated video, found {identifier!r}")
    shape = _shape(identifier, "short" in variant)
    line, _, crosses = _phrase_place(identifier, shape)
    words = vocabulary.rare_words(f"phrase/{identifier}", _PHRASE_WORDS)
    return Phrase(" ".join(words), shape.starts_ms[line] / 1_000, crosses)


def _lines(identifier: str, short: bool, overlapping: bool) -> tuple[Line, ...]:
    shape = _shape(identifier, short)
    words = vocabulary.speech(f"speech/{identifier}", sum(shape.words))
    about = topics(identifier)
    for k, place in enumerate(range(_TOPIC_EVERY // 2, len(words), _TOPIC_EVERY)):
        words[place] = about[k % len(about)]
    ends = tuple(accumulate(shape.words))
    line, offset, _ = _phrase_place(identifier, shape)
    place = ends[line] - shape.words[line] + offset
    words[place : place + _PHRASE_WORDS] = vocabulary.rare_words(f"phrase/{identifier}", _PHRASE_WORDS)
    # Lines by speech recognition stay on the screen while the next one is already said.
    longer = 500 if overlapping else 0
    starts = [start / 1_000 for start in shape.starts_ms]
    durations = [(gap + longer) / 1_000 for gap in shape.gaps_ms]
    texts = [" ".join(words[end - count : end]) for count, end in zip(shape.words, ends, strict=True)]
    return tuple(map(Line, starts, durations, texts))


def _status(chance: int, mixed: bool) -> str:
    if not mixed:
        return OK
    share = chance / 65_536
    for status, below in ((NO_CAPTIONS, 0.1), (PRIVATE, 0.14), (DELETED, 0.18), ("unavailable", 0.2)):
        if share < below:
            return status
    return OK


@lru_cache(maxsize=10_000)
def video(identifier: str) -> Video | None:
    """The generated video of that id, or None if the id is not of one."""
    variant = variant_of(identifier)
    if variant is None:
        return None
    short = "short" in variant
    shape = _shape(identifier, short)
    chance = vocabulary.numbers(f"meta/{identifier}", 8)
    about = topics(identifier)
    generated = chance[0] % 4 != 0
    language = _LANGUAGES[chance[1] % len(_LANGUAGES)]
    status = _status(chance[2], "mixed" in variant)
    track = Track(
        language, track_name(language, generated), generated, partial(_lines, identifier, short, generated)
    )
    title = f"{about[0].capitalize()} {about[1]} and the {about[2]} of {about[3]}"
    words = " ".join(vocabulary.speech(f"description/{identifier}", 30))
    published = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=chance[3] * 7_300 + chance[4])
    return Video(
        id=identifier,
        title=title,
        description=f"{about[0].capitalize()}, explained: {words}.\n\n0:00 {about[1]}\n0:45 {about[2]}",
        channel=_channels()[chance[5] % len(_channels())],
        published_at=published.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration=(shape.starts_ms[-1] + shape.gaps_ms[-1]) // 1_000 + 4,
        tracks=() if status != OK else (track,),
        status=status,
        views=chance[6] * (1 + chance[7] % 50),
        language=language,
    )
