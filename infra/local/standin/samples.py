"""The sample library: one text file a video, read from ``library/``.

A file has headers (``name: value``), an empty line, and what is said in the video. A further track
begins with a line such as ``--- track: language=de kind=human``. Caption lines of about 3 to 6
seconds are made from the text at ``words_per_minute`` (characters a minute in a language that
writes no spaces); sentences run on from line to line, as in real captions.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from infra.local.standin.model import NO_CAPTIONS, OK, Line, Track, Video, channel_named, track_name
from infra.local.standin.playability import UNPLAYABLE

LIBRARY = Path(__file__).parent / "library"
_HEADERS = {
    "id", "title", "channel", "published", "language", "kind", "words_per_minute", "status", "reason",
    "description",
}  # fmt: skip
_STATUSES = {OK, NO_CAPTIONS, *UNPLAYABLE}
_UNSPACED = ("ja", "zh", "th", "lo", "km", "my", "yue")
_TRACK = re.compile(r"--- track: language=([A-Za-z0-9-]+) kind=(human|generated)\s*")
_LINE_SECONDS, _LEAST_SECONDS, _PAUSE_SECONDS = 4.5, 3.0, 0.8
#: Thai vowels that are written before, and spoken after, their consonant.
_LEADING = "เแโใไ"


class SampleError(ValueError):
    """A library file is not as expected; the message names it."""


@dataclass(frozen=True, slots=True)
class _Said:
    """The text of one track."""

    language: str
    kind: str
    paragraphs: tuple[str, ...]


def read_library(directory: Path = LIBRARY) -> list[Video]:
    """All of it, by file name; nothing if there is no such directory.

    Raises:
        SampleError
    """
    return [read_file(path) for path in sorted(directory.glob("*.txt"))]


def read_file(path: Path) -> Video:
    head, _, body = path.read_text(encoding="utf-8").replace("\r\n", "\n").partition("\n\n")
    headers = dict(_headers(path, head))
    for name in ("title", "channel", "published"):
        if not headers.get(name):
            raise SampleError(f"{path.name}: expected a header `{name}:`, found none")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", headers["published"]):
        raise SampleError(
            f"{path.name}: expected `published` to be YYYY-MM-DD, found {headers['published']!r}"
        )
    status = headers.get("status", OK)
    if status not in _STATUSES:
        raise SampleError(f"{path.name}: expected a status of {sorted(_STATUSES)}, found {status!r}")
    pace = headers.get("words_per_minute", "150")
    if not re.fullmatch(r"[1-9]\d{0,3}", pace):
        raise SampleError(f"{path.name}: expected `words_per_minute` to be a number, found {pace!r}")
    chance = hashlib.sha256(f"sample/{path.stem}".encode()).digest()
    identifier = headers.get("id") or urlsafe_b64encode(chance[:8]).decode().rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]{11}", identifier):
        raise SampleError(f"{path.name}: expected an id of 11 characters, found {identifier!r}")
    said = _tracks(body, headers.get("language", "en"), headers.get("kind", "human"))
    timed = [(each, caption_lines(each.paragraphs, each.language, int(pace))) for each in said]
    spoken = max((lines[-1].start + lines[-1].duration for _, lines in timed if lines), default=180.0)
    return Video(
        id=identifier,
        title=headers["title"],
        description=headers.get("description", "").replace("\\n", "\n"),
        channel=channel_named(headers["channel"]),
        published_at=f"{headers['published']}T{chance[8] % 24:02}:{chance[9] % 60:02}:{chance[10] % 60:02}Z",
        duration=int(spoken) + 6,
        tracks=tuple(_track(each, lines) for each, lines in timed if lines) if status == OK else (),
        status=status,
        reason=headers.get("reason"),
        views=int.from_bytes(chance[11:13], "big") * (1 + chance[13] % 9),
        language=headers.get("language", "en"),
    )


def _headers(path: Path, head: str) -> Iterator[tuple[str, str]]:
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if not colon or name.strip() not in _HEADERS:
            raise SampleError(f"{path.name}: expected one of the headers {sorted(_HEADERS)}, found {line!r}")
        yield name.strip(), value.strip()


def _tracks(body: str, language: str, kind: str) -> list[_Said]:
    found, text = [], ""
    for line in body.splitlines():
        if (match := _TRACK.fullmatch(line)) is not None:
            found.append(_Said(language, kind, _paragraphs(text)))
            language, kind, text = match[1], match[2], ""
        else:
            text += line + "\n"
    return [*found, _Said(language, kind, _paragraphs(text))]


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip())


def _track(said: _Said, lines: tuple[Line, ...]) -> Track:
    generated = said.kind == "generated"
    return Track(
        said.language, track_name(said.language, generated), generated, partial(tuple[Line, ...], lines)
    )


def caption_lines(paragraphs: Sequence[str], language: str, pace: int) -> tuple[Line, ...]:
    """`pace`: words a minute, or characters where the language writes no spaces."""
    unspaced = language.partition("-")[0] in _UNSPACED
    split = [_characters(text) if unspaced else text.split() for text in paragraphs]
    everything = [token for tokens in split for token in tokens]
    if not everything:
        return ()
    # A long word takes longer; all together take what the pace says.
    weight = sum(len(token) + 1.5 for token in everything)
    second = len(everything) * 60 / pace / weight
    lines: list[Line] = []
    at = 0.9
    for tokens in _merged(split, second):
        ends = [at]
        for token in tokens:
            ends.append(ends[-1] + (len(token) + 1.5) * second)
        count = max(1, round((ends[-1] - at) / _LINE_SECONDS))
        for first, last in pairwise(_breaks(tokens, ends, count)):
            text = ("" if unspaced else " ").join(tokens[first:last]).strip()
            lines.append(Line(round(ends[first], 2), round(ends[last] - ends[first], 2), text))
        at = ends[-1] + _PAUSE_SECONDS
    return tuple(lines)


def _merged(split: Sequence[list[str]], second: float) -> Iterator[list[str]]:
    """Paragraphs, those joined to the next (or the last to the one before) that are too short for a line."""
    pending: list[str] = []
    ready: list[list[str]] = []
    for tokens in split:
        pending = pending + tokens
        if sum(len(token) + 1.5 for token in pending) * second >= _LEAST_SECONDS:
            ready.append(pending)
            pending = []
    if pending and ready:
        ready[-1] = ready[-1] + pending
    elif pending:
        ready.append(pending)
    yield from ready


def _breaks(tokens: Sequence[str], ends: Sequence[float], count: int) -> list[int]:
    """Token numbers at which lines begin, and the end: about evenly spread, not quite."""
    length = ends[-1] - ends[0]
    breaks = [0]
    for k in range(1, count):
        unevenness = (len(tokens[breaks[-1]]) * 37 + k * 53) % 100 / 400 - 0.125
        target = ends[0] + length * (k + unevenness) / count
        at = breaks[-1] + 1
        while at < len(tokens) - 1 and ends[at] < target:
            at += 1
        # Where a language has gaps between phrases only, a line ends at one if one is near.
        near = (at + step for step in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6))
        near = (i for i in near if breaks[-1] < i < len(tokens) and tokens[i - 1][-1].isspace())
        at = next(near, at)
        if at < len(tokens):
            breaks.append(at)
    return [*dict.fromkeys(breaks), len(tokens)]


def _characters(text: str) -> list[str]:
    """Characters, with what cannot begin a line kept at the one before; words of other scripts whole."""
    tokens: list[str] = []
    for part in re.findall(r"[A-Za-z0-9À-ɏ]+|.", text, re.DOTALL):
        opening = unicodedata.category(part[0]) in ("Ps", "Pi")
        clings = part.isspace() or (unicodedata.category(part[0])[0] in "MP" and not opening)
        leading = bool(tokens) and (
            tokens[-1] in _LEADING or unicodedata.category(tokens[-1][0]) in ("Ps", "Pi")
        )
        if tokens and (clings or (leading and len(tokens[-1]) == 1)):
            tokens[-1] += part
        else:
            tokens.append(part)
    return tokens
