"""Generates videos and playlists from their id alone, in any number and without stored state.

The playlist ``PLgen-COUNT-SEED`` has the first COUNT videos of SEED. Playlists of one seed share videos.
The id may end in options, each after a hyphen:

- ``short``: each video has 20 caption lines; without it the median is 190 and the maximum 9,213;
- ``mixed``: a fifth of the videos have no captions or are private, deleted or unavailable.

A video id is 64 bits in YouTube's alphabet: 48 bits are a hash of seed and number, and 16 bits are a
checksum that also depends on the options. So the id alone tells which options the video has.
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

from infra.local.fake_youtube.library import vocabulary
from infra.local.fake_youtube.library.model import (
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

#: A random byte selects the length of a line: 3.0 to 5.5 seconds, at about 147 words a minute.
_GAP_MS = tuple(3_000 + 2_500 * b // 255 for b in range(256))
_WORDS = tuple(round(gap * 2.45 / 1_000) for gap in _GAP_MS)
_PHRASE_WORDS = 5
#: A fifth of the videos are not English, as in a real library.
_LANGUAGES = ("en",) * 16 + ("de", "es", "fr", "pt")
#: Every so many words the video says one of the words it is about.
_TOPIC_INTERVAL = 31
_NORMAL = NormalDist()
#: Measured on real libraries: the mean is three times the median, and the longest video had 9,213 lines.
_MEDIAN_LINES, _LINES_SIGMA, _MAX_LINES = 190, 1.4, 9_213


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that only this video says. ``start``: of the line in which they begin, in seconds."""

    text: str
    start: float
    crosses_line: bool


@dataclass(frozen=True, slots=True)
class _Timing:
    """When each line of a video starts, how long it lasts, and how many words it has."""

    starts_ms: tuple[int, ...]
    gaps_ms: tuple[int, ...]
    words: tuple[int, ...]


def _checksum(head: str, variant: str) -> str:
    digest = hashlib.sha256(f"check/{variant}/{head}".encode()).digest()
    return urlsafe_b64encode(digest[:2]).decode().rstrip("=")


def video_id(seed: str, number: int, variant: str = "") -> str:
    """The id of a generated video. `variant`: its options, one of "", short, mixed and short-mixed."""
    head = urlsafe_b64encode(hashlib.sha256(f"video/{seed}/{number}".encode()).digest()[:6]).decode()
    return head + _checksum(head, variant)


@lru_cache(maxsize=20_000)
def variant_of(identifier: str) -> str | None:
    """The options of a generated video. None if the id is not of a generated video."""
    if not _VIDEO.fullmatch(identifier):
        return None
    return next((v for v in _VARIANTS if _checksum(identifier[:8], v) == identifier[8:]), None)


def _ids(seed: str, count: int, variant: str) -> Iterator[str]:
    return (video_id(seed, number, variant) for number in range(count))


@lru_cache(maxsize=16)
def playlist(identifier: str) -> Playlist | None:
    """The playlist with this id. None if the id is not of a generated playlist."""
    match = _PLAYLIST.fullmatch(identifier)
    if match is None:
        return None
    count, seed = int(match[1]), match[2]
    options = match[3].split("-")
    variant = "-".join(option for option in _OPTIONS if option in options)
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
    """The words that the video is about. Its title has them, and the video says them now and then."""
    return vocabulary.rare_words(f"topics/{identifier}", 4)


@lru_cache(maxsize=256)
def _timing(identifier: str, short: bool) -> _Timing:
    quantile = (vocabulary.numbers(f"length/{identifier}", 1)[0] + 0.5) / 65_536
    count = round(_MEDIAN_LINES * math.exp(_LINES_SIGMA * _NORMAL.inv_cdf(quantile)))
    count = 20 if short else min(max(count, 12), _MAX_LINES)
    raw = hashlib.shake_256(f"lines/{identifier}".encode()).digest(count)
    gaps = tuple([_GAP_MS[b] for b in raw])
    starts = tuple(accumulate(gaps[:-1], initial=160 + 40 * (raw[0] % 64)))
    return _Timing(starts, gaps, tuple([_WORDS[b] for b in raw]))


def _phrase_position(identifier: str, timing: _Timing) -> tuple[int, int, bool]:
    """The line, the number of the first word in it, and whether the phrase continues in the next line."""
    first, second = vocabulary.numbers(f"place/{identifier}", 2)
    count = len(timing.starts_ms)
    line = count // 4 + first % (count // 2)
    crosses = bool(second & 1)
    return line, timing.words[line] - 2 - (second >> 1) % 2 if crosses else 1, crosses


def phrase_of(identifier: str) -> Phrase:
    """The phrase that this generated video says and no other does.

    Raises:
        ValueError: the id is not of a generated video.
    """
    variant = variant_of(identifier)
    if variant is None:
        raise ValueError(f"expected the id of a generated video; found {identifier!r}")
    timing = _timing(identifier, "short" in variant)
    line, _, crosses = _phrase_position(identifier, timing)
    words = vocabulary.rare_words(f"phrase/{identifier}", _PHRASE_WORDS)
    return Phrase(" ".join(words), timing.starts_ms[line] / 1_000, crosses)


def _lines(identifier: str, short: bool, overlapping: bool) -> tuple[Line, ...]:
    timing = _timing(identifier, short)
    words = vocabulary.speech(f"speech/{identifier}", sum(timing.words))
    about = topics(identifier)
    for k, position in enumerate(range(_TOPIC_INTERVAL // 2, len(words), _TOPIC_INTERVAL)):
        words[position] = about[k % len(about)]
    ends = tuple(accumulate(timing.words))
    line, offset, _ = _phrase_position(identifier, timing)
    position = ends[line] - timing.words[line] + offset
    words[position : position + _PHRASE_WORDS] = vocabulary.rare_words(f"phrase/{identifier}", _PHRASE_WORDS)
    # Lines of speech recognition stay on the screen while the next line begins.
    overlap = 500 if overlapping else 0
    starts = [start / 1_000 for start in timing.starts_ms]
    durations = [(gap + overlap) / 1_000 for gap in timing.gaps_ms]
    texts = [" ".join(words[end - count : end]) for count, end in zip(timing.words, ends, strict=True)]
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
    """The video with this id. None if the id is not of a generated video."""
    variant = variant_of(identifier)
    if variant is None:
        return None
    short = "short" in variant
    timing = _timing(identifier, short)
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
        duration=(timing.starts_ms[-1] + timing.gaps_ms[-1]) // 1_000 + 4,
        tracks=() if status != OK else (track,),
        status=status,
        views=chance[6] * (1 + chance[7] % 50),
        language=language,
    )
