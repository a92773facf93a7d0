"""The tool `read_transcript`, and transcripts as resources."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from shared.mcp.api import ApiError, Caller
from shared.mcp.quotes import clock, fenced, quoted
from shared.mcp.searching import TITLE, About, about
from shared.video_address import is_video_id, video_in_address

#: Characters of an answer, unless others are wanted; the fewest and the most.
CHARACTERS, FEWEST, MOST = 6000, 500, 20_000
#: Seconds before and after a second that is asked for.
BEFORE, AFTER = 30, 60
#: Characters of a resource. It holds six hours of speech.
_RESOURCE = 400_000
#: Chapters that are listed.
_CHAPTERS = 50


class Chapter(TypedDict):
    number: int
    second: float
    time: str
    quoted_title: str


class Lines(TypedDict):
    """Numbers of lines, from 0. ``first`` and ``last`` are in the answer; ``of`` is how many there are."""

    first: int
    last: int
    of: int


class Transcript(About):
    """``left_out``: what is missing here, and how to get it."""

    generated: bool | None
    chapters: list[Chapter]
    lines: Lines | None
    quoted_lines: list[str]
    left_out: str | None


def video_of(text: str) -> str:
    """The id in an id or address. Raises ApiError."""
    found = video_in_address(text) or text.strip()
    if not is_video_id(found):
        raise ApiError(f"video: expected the id or address of a video, found {text[:60]!r}.")
    return found


def read(
    caller: Caller,
    video: str,
    *,
    second: float | None = None,
    chapter: int | None = None,
    from_line: int | None = None,
    characters: int = CHARACTERS,
) -> Transcript:
    """A stretch of a transcript: around a second, a chapter, from a line on, or from the beginning.

    Raises:
        ApiError: also if an argument is out of bounds.
    """
    if not FEWEST <= characters <= MOST:
        raise ApiError(f"characters: expected a number from {FEWEST} to {MOST:,}, found {characters}.")
    if sum(each is not None for each in (second, chapter, from_line)) > 1:
        raise ApiError("Expected one of second, chapter and from_line, found several.")
    found = caller.get("videos", video_of(video))
    lines: Sequence[Mapping[str, Any]] = found["lines"]
    begin, end = _stretch(found, second, chapter, from_line)
    shown = _fitting(lines[begin:end], characters)
    last = begin + len(shown)
    shown_of = about(found)
    if begin and shown:
        shown_of["url"] += f"&t={int(lines[begin]['start'])}s"
    return {
        **shown_of,
        "generated": found.get("generated"),
        # Whoever reads on has seen them.
        "chapters": [] if from_line is not None else _chapters(found),
        "lines": {"first": begin, "last": last - 1, "of": len(lines)} if shown else None,
        "quoted_lines": shown,
        "left_out": _left_out(found, begin, last, shown, characters),
    }


def resource(caller: Caller, video: str) -> str:
    """The whole transcript as marked text. Raises ApiError."""
    found = caller.get("videos", video_of(video))
    lines = found["lines"]
    shown = _fitting(lines, _RESOURCE)
    head = f"{quoted(found['title'], TITLE)}\n{quoted(found['channel'], TITLE)}\n{found['url']}\n"
    text = fenced("\n".join([head, *shown]))
    left = len(lines) - len(shown)
    more = f"\n{left:,} lines are left out. Read them with read_transcript and from_line={len(shown)}."
    return text + (more if left else "")


def _stretch(
    found: Mapping[str, Any], second: float | None, chapter: int | None, from_line: int | None
) -> tuple[int, int]:
    """The first line, and the one after the last, whatever their length is."""
    lines, chapters = found["lines"], found["chapters"]

    def at(wanted: float) -> int:
        return bisect_left(lines, wanted, key=lambda each: each["start"])

    if second is not None:
        if not 0 <= second < 1e9:
            raise ApiError(f"second: expected a number of seconds from 0, found {second}.")
        if lines and second > lines[-1]["start"] + lines[-1]["duration"]:
            raise ApiError(f"second: the captions end at {clock(lines[-1]['start'])}.")
        # The line that is being said at that second is in it, however long it is.
        said = max(bisect_right(lines, second, key=lambda each: each["start"]) - 1, 0)
        return min(at(second - BEFORE), said), max(at(second + AFTER), said + 1)
    if chapter is not None:
        if not 1 <= chapter <= len(chapters):
            if not chapters:
                raise ApiError("chapter: this video has no chapters. Use second or from_line.")
            raise ApiError(f"chapter: expected a number from 1 to {len(chapters)}, found {chapter}.")
        following = chapters[chapter]["start"] if chapter < len(chapters) else float("inf")
        return at(chapters[chapter - 1]["start"]), at(following)
    if from_line is not None and not 0 <= from_line < max(len(lines), 1):
        raise ApiError(f"from_line: expected a number from 0 to {max(len(lines) - 1, 0)}, found {from_line}.")
    return from_line or 0, len(lines)


def _fitting(lines: Sequence[Mapping[str, Any]], characters: int) -> list[str]:
    """The first lines that have so many characters together. A longer line is cut."""
    shown: list[str] = []
    for line in lines:
        text = f"[{clock(line['start'])}] {quoted(line['text'], characters)}"
        characters -= len(text)
        if characters < 0 and shown:
            break
        shown.append(text)
    return shown


def _chapters(found: Mapping[str, Any]) -> list[Chapter]:
    return [
        {
            "number": number,
            "second": each["start"],
            "time": clock(each["start"]),
            "quoted_title": quoted(each["title"], TITLE),
        }
        for number, each in enumerate(found["chapters"][:_CHAPTERS], start=1)
    ]


def _left_out(
    found: Mapping[str, Any], begin: int, end: int, shown: Sequence[str], characters: int
) -> str | None:
    lines = found["lines"]
    if not lines:
        return "This video has no captions. Only its title and description can be found."
    sentences = []
    if begin:
        sentences.append(f"{begin:,} lines before. Read from an earlier from_line.")
    if end < len(lines):
        sentences.append(f"{len(lines) - end:,} lines after. Read on with from_line={end}.")
    if any(len(line["text"]) > characters for line in lines[begin:end]):
        sentences.append("A line was too long and is cut. More characters show more of it.")
    if len(found["chapters"]) > _CHAPTERS:
        sentences.append(f"{len(found['chapters']) - _CHAPTERS} later chapters are not listed.")
    return " ".join(sentences) or None
