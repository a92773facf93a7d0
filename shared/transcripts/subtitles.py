"""Transcripts as SubRip, WebVTT (https://www.w3.org/TR/webvtt1/), plain text and Markdown."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

from shared.transcripts.transcript import Line

MIMETYPES = {
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "txt": "text/plain",
    "md": "text/markdown",
}
#: Seconds after which a paragraph of Markdown ends.
_PARAGRAPH = 30
#: What CommonMark could read as markup (https://spec.commonmark.org/0.31.2/#backslash-escapes).
_MARKUP = re.compile(r"([!-/:-@\[-`{-~])")


def render(lines: Sequence[Line], form: str, about: Mapping[str, Any], times: bool = False) -> str:
    """``form``: a key of :data:`MIMETYPES`. ``about``: see :func:`md`. ``times``: see :func:`txt`."""
    match form:
        case "srt":
            return srt(lines)
        case "vtt":
            return vtt(lines)
        case "txt":
            return txt(lines, times, about["chapters"])
        case "md":
            return md(lines, about)
    raise ValueError(f"expected one of {', '.join(MIMETYPES)}, found {form!r}")


def srt(lines: Sequence[Line]) -> str:
    return "\n".join(
        # SubRip has no escapes, and its readers search for arrows in every line.
        f"{number}\n{times}\n{text.replace('-->', '→')}\n"
        for number, (times, text) in enumerate(_cues(lines, ","), start=1)
    )


def vtt(lines: Sequence[Line]) -> str:
    return "\n".join(["WEBVTT\n", *(f"{times}\n{_escape(text)}\n" for times, text in _cues(lines, "."))])


def txt(lines: Sequence[Line], times: bool = False, chapters: Sequence[Mapping[str, Any]] = ()) -> str:
    """One caption line a line. With ``times``, each begins with its own: ``[0:58] hay``.

    Then each chapter begins with an empty line and its title.
    """
    if not times:
        return "".join(f"{line.text}\n" for line in lines)
    body: list[str] = []
    for title, spoken in _by_chapter(lines, chapters):
        body += [f"\n# {title}\n"] if title else []
        body += (f"[{timestamp(line.start)}] {line.text}\n" for line in spoken)
    return "".join(body).removeprefix("\n")


def md(lines: Sequence[Line], about: Mapping[str, Any]) -> str:
    """Title, channel, address, and paragraphs that begin with a link to their second.

    ``about``: the ``title``, ``channel``, ``url`` and ``chapters`` of the video. Chapters become headings.
    """
    url = about["url"]
    source = " · ".join(filter(None, [escape_markdown(about["channel"]), f"<{url}>"]))
    head = [f"# {escape_markdown(about['title'])}", source]
    body: list[str] = []
    for title, spoken in _by_chapter(lines, about["chapters"]):
        body += [f"## {escape_markdown(title)}"] if title else []
        body += (
            f"[{timestamp(part[0].start)}]({url}&t={int(part[0].start)}s) "
            + " ".join(escape_markdown(line.text) for line in part)
            for part in _paragraphs(spoken)
        )
    return "\n\n".join([*head, *body]) + "\n"


def _by_chapter(
    lines: Sequence[Line], chapters: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Sequence[Line]]]:
    """The title of each chapter and the lines that begin in it. Without chapters: no title and all lines."""
    if not chapters:
        yield "", lines
    ends = [*(each["start"] for each in chapters[1:]), inf]
    for chapter, end in zip(chapters, ends, strict=False):
        yield chapter["title"], [line for line in lines if chapter["start"] <= line.start < end]


def _cues(lines: Sequence[Line], point: str) -> Iterator[tuple[str, str]]:
    """The times and the text of each line.

    A cue ends where a later one begins, because players show cues that overlap on top of each other. WebVTT
    requires that it ends after its start.
    """
    starts = [max(round(line.start * 1000), 0) for line in lines]
    ordered = sorted(starts)
    for start, line in zip(starts, lines, strict=True):
        end = round((line.start + line.duration) * 1000)
        later = bisect_right(ordered, start)
        if later < len(ordered):
            end = min(end, ordered[later])
        yield f"{_time(start, point)} --> {_time(max(end, start + 1), point)}", line.text


def _paragraphs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    part: list[Line] = []
    for line in lines:
        if part and line.start - part[0].start >= _PARAGRAPH:
            yield part
            part = []
        part.append(line)
    if part:
        yield part


def timestamp(seconds: float) -> str:
    """m:ss, or h:mm:ss from an hour on; rounded down to the whole second."""
    minutes, second = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def _time(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", text)
