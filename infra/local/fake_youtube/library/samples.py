"""Reads the sample library: one text file for each video, in ``talks/``.

A file has headers (``name: value``), an empty line, and the spoken text. A line such as
``--- track: language=de kind=human`` begins another track. The text is cut into caption lines of about
3 to 6 seconds at ``words_per_minute`` (characters a minute in a language that writes no spaces).
Sentences continue from line to line, as in real captions.
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

from infra.local.fake_youtube.library.model import OK, Line, Track, Video, channel_named, track_name
from infra.local.fake_youtube.library.playability import STATUSES

TALKS = Path(__file__).parent / "talks"
_HEADERS = {
    "id", "title", "channel", "published", "language", "kind", "words_per_minute", "status", "reason",
    "description",
}  # fmt: skip
#: Languages that write no spaces between words.
_UNSPACED = ("ja", "zh", "th", "lo", "km", "my", "yue")
_TRACK = re.compile(r"--- track: language=([A-Za-z0-9-]+) kind=(human|generated)\s*")
_LINE_SECONDS, _MIN_SECONDS, _PAUSE_SECONDS = 4.5, 3.0, 0.8
#: A word's share of the time: its letters, and this much for the gap after it.
_GAP_WEIGHT = 1.5
#: Thai vowels that are written before their consonant; a line must not end after one.
_LEADING = "เแโใไ"


class SampleError(ValueError):
    """A sample file is malformed. The message names the file and the line or header."""


@dataclass(frozen=True, slots=True)
class _Script:
    """The text of one track, before it is cut into lines."""

    language: str
    kind: str
    paragraphs: tuple[str, ...]


def read_library(directory: Path = TALKS) -> list[Video]:
    """The videos in the order of their file names. Empty if the directory does not exist.

    Raises:
        SampleError
    """
    return [read_file(path) for path in sorted(directory.glob("*.txt"))]


def read_file(path: Path) -> Video:
    """
    Raises:
        SampleError
    """
    head, _, body = path.read_text(encoding="utf-8").replace("\r\n", "\n").partition("\n\n")
    headers = dict(_headers(path, head))
    for name in ("title", "channel", "published"):
        if not headers.get(name):
            raise SampleError(f"{path.name}: expected a header `{name}:`; found none")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", headers["published"]):
        raise SampleError(
            f"{path.name}: expected `published` to be YYYY-MM-DD; found {headers['published']!r}"
        )
    status = headers.get("status", OK)
    if status not in STATUSES:
        known = ", ".join(sorted(STATUSES))
        raise SampleError(f"{path.name}: expected `status` to be one of {known}; found {status!r}")
    pace = headers.get("words_per_minute", "150")
    if not re.fullmatch(r"[1-9]\d{0,3}", pace):
        raise SampleError(f"{path.name}: expected `words_per_minute` to be a number; found {pace!r}")
    chance = hashlib.sha256(f"sample/{path.stem}".encode()).digest()
    identifier = headers.get("id") or urlsafe_b64encode(chance[:8]).decode().rstrip("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]{11}", identifier):
        raise SampleError(f"{path.name}: expected `id` to have 11 characters; found {identifier!r}")
    scripts = _scripts(body, headers.get("language", "en"), headers.get("kind", "human"))
    timed = [(script, caption_lines(script.paragraphs, script.language, int(pace))) for script in scripts]
    spoken = max((lines[-1].start + lines[-1].duration for _, lines in timed if lines), default=180.0)
    return Video(
        id=identifier,
        title=headers["title"],
        description=headers.get("description", "").replace("\\n", "\n"),
        channel=channel_named(headers["channel"]),
        published_at=f"{headers['published']}T{chance[8] % 24:02}:{chance[9] % 60:02}:{chance[10] % 60:02}Z",
        duration=int(spoken) + 6,
        tracks=tuple(_track(script, lines) for script, lines in timed if lines) if status == OK else (),
        status=status,
        reason=headers.get("reason"),
        views=int.from_bytes(chance[11:13], "big") * (1 + chance[13] % 9),
        language=headers.get("language", "en"),
    )


def _headers(path: Path, head: str) -> Iterator[tuple[str, str]]:
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if not colon or name.strip() not in _HEADERS:
            known = ", ".join(sorted(_HEADERS))
            raise SampleError(f"{path.name}: expected one of the headers {known}; found {line!r}")
        yield name.strip(), value.strip()


def _scripts(body: str, language: str, kind: str) -> list[_Script]:
    """`language`, `kind`: of the first track."""
    found, text = [], ""
    for line in body.splitlines():
        if (match := _TRACK.fullmatch(line)) is not None:
            found.append(_Script(language, kind, _paragraphs(text)))
            language, kind, text = match[1], match[2], ""
        else:
            text += line + "\n"
    return [*found, _Script(language, kind, _paragraphs(text))]


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip())


def _track(script: _Script, lines: tuple[Line, ...]) -> Track:
    generated = script.kind == "generated"
    name = track_name(script.language, generated)
    return Track(script.language, name, generated, partial(tuple[Line, ...], lines))


def caption_lines(paragraphs: Sequence[str], language: str, pace: int) -> tuple[Line, ...]:
    """`pace`: words a minute, or characters a minute if the language writes no spaces."""
    unspaced = language.partition("-")[0] in _UNSPACED
    token_lists = [_characters(text) if unspaced else text.split() for text in paragraphs]
    all_tokens = [token for tokens in token_lists for token in tokens]
    if not all_tokens:
        return ()
    # Long words take longer than short ones; the sum of all durations follows from the pace.
    weight = sum(len(token) + _GAP_WEIGHT for token in all_tokens)
    seconds_per_weight = len(all_tokens) * 60 / pace / weight
    lines: list[Line] = []
    at = 0.9
    for tokens in _merge_short(token_lists, seconds_per_weight):
        ends = [at]
        for token in tokens:
            ends.append(ends[-1] + (len(token) + _GAP_WEIGHT) * seconds_per_weight)
        count = max(1, round((ends[-1] - at) / _LINE_SECONDS))
        for first, last in pairwise(_breaks(tokens, ends, count)):
            text = ("" if unspaced else " ").join(tokens[first:last]).strip()
            lines.append(Line(round(ends[first], 2), round(ends[last] - ends[first], 2), text))
        at = ends[-1] + _PAUSE_SECONDS
    return tuple(lines)


def _merge_short(token_lists: Sequence[list[str]], seconds_per_weight: float) -> list[list[str]]:
    """The paragraphs. One that is too short for a line is joined to the next, the last to the previous."""
    pending: list[str] = []
    ready: list[list[str]] = []
    for tokens in token_lists:
        pending = pending + tokens
        if sum(len(token) + _GAP_WEIGHT for token in pending) * seconds_per_weight >= _MIN_SECONDS:
            ready.append(pending)
            pending = []
    if pending and ready:
        ready[-1] = ready[-1] + pending
    elif pending:
        ready.append(pending)
    return ready


def _breaks(tokens: Sequence[str], ends: Sequence[float], count: int) -> list[int]:
    """The token numbers at which lines begin, and the end. The lines differ a little in length."""
    length = ends[-1] - ends[0]
    breaks = [0]
    for k in range(1, count):
        unevenness = (len(tokens[breaks[-1]]) * 37 + k * 53) % 100 / 400 - 0.125
        target = ends[0] + length * (k + unevenness) / count
        at = breaks[-1] + 1
        while at < len(tokens) - 1 and ends[at] < target:
            at += 1
        # A language without spaces between words has spaces between phrases; a line ends at one that is near.
        near = (at + step for step in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6))
        near = (i for i in near if breaks[-1] < i < len(tokens) and tokens[i - 1][-1].isspace())
        at = next(near, at)
        if at < len(tokens):
            breaks.append(at)
    return [*dict.fromkeys(breaks), len(tokens)]


def _characters(text: str) -> list[str]:
    """Single characters, and whole words of Latin script. A character that cannot begin a line is joined to
    the one before it."""
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
