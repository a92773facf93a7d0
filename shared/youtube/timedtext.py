"""Caption tracks as YouTube sends them.

``<?xml version="1.0" encoding="utf-8" ?><transcript><text start="0.16" dur="3.2">said</text>…</transcript>``

The parser of youtube-transcript-api makes an object of each line. That took more than half of a fetcher's
processor time, and a fifth of the time of 1,000 videos at 200 at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree

from shared.transcripts.transcript import Lines, milliseconds

_TRACK = re.compile(r"\s*(?:<\?xml[^>]*>)?\s*<transcript>(.*)</transcript>\s*", re.DOTALL)
_LINE = re.compile(r'<text start="([\d.]+)"(?: dur="([\d.]+)")?>([^<]*)</text>')
#: Joins the texts of all lines, so that each step is one call. XML and HTML cannot express it.
_SEPARATOR = "\0"
#: What may format a line. Anything else in angle brackets is text: `x < 5 and y > 3`, `List<String>`.
_TAG = re.compile(
    r"<(?P<end>/?)(?:"
    r"(?P<html>b|i|u|s|em|strong|mark|small|sub|sup|del|ins|ruby|rt|rp|rb|rtc|bdi|bdo|font|span|p|div)"
    rf"""(?:\s+[a-z-]+\s*=\s*(?:"[^"<>{_SEPARATOR}]*"|'[^'<>{_SEPARATOR}]*'|[^\s"'<>{_SEPARATOR}]+))*\s*"""
    rf"|(?P<cue>c|v|lang)(?:\.[^\s<>{_SEPARATOR}]+)?(?:(?<!c)\s[^<>{_SEPARATOR}]*)?"
    r")>"
    # A line break, and the time of a word.
    r"|</?br\s*/?>|<(?:\d+:)?\d\d:\d\d[.,]\d{1,3}>",
    re.IGNORECASE,
)
#: These end a line on the screen.
_BREAKS = re.compile(r"</?(?:br|p|div)\b", re.IGNORECASE)
_LETTER = re.compile(r"\w")


def parse(track: bytes) -> Lines:
    """The lines of a track that have words.

    Raises:
        ParseError: the track is not what YouTube sends.
    """
    text = track.decode(errors="replace")
    frame = _TRACK.fullmatch(text)
    # Most references are apostrophes, which are escaped for HTML and then for XML.
    # The parts are: the characters between two lines, then start, duration and text of a line, and so on.
    parts = _LINE.split(frame[1].replace("&amp;#39;", "'")) if frame else []
    usual = frame is not None and not any(parts[::4])
    try:
        if usual:
            return _lines(parts[1::4], parts[2::4], unescape(_SEPARATOR.join(parts[3::4])))
        return _lines(*_elements(track))
    except ValueError as error:
        raise ParseError(str(error)) from error


def _elements(track: bytes) -> tuple[list[str], list[str], str]:
    """Starts, durations and joined texts of a track that does not look as usual."""
    root = ElementTree.fromstring(track)
    if root.tag != "transcript":
        raise ValueError(f"expected an element transcript, found {root.tag[:40]!r}")
    elements = list(root)
    return (
        [element.get("start", "") for element in elements],
        [element.get("dur", "") for element in elements],
        _SEPARATOR.join("".join(element.itertext()) for element in elements),
    )


def _lines(starts: Sequence[str], durations: Sequence[str], texts: str) -> Lines:
    """``texts``: HTML. Its line breaks are for the screen: for reading and searching they are spaces."""
    # Tags go before references are resolved: an escaped bracket is one that somebody wrote.
    html = _unformatted(texts) if "<" in texts else texts
    plain = [" ".join(text.split()) for text in unescape(html).split(_SEPARATOR)]
    rows = [row for row in zip(starts, durations, plain, strict=True) if row[2]] if starts else []
    return Lines(
        milliseconds(float(start) for start, _, _ in rows),
        milliseconds(float(duration or 0) for _, duration, _ in rows),
        [text for _, _, text in rows],
    )


def _unformatted(html: str) -> str:
    """Drops the tags that come in pairs. A lone one is text, as in `Set<S>` or `press <Del>`."""
    opened: dict[str, list[re.Match[str]]] = {}
    dropped: list[re.Match[str]] = []
    for tag in _TAG.finditer(html):
        name = (tag["html"] or tag["cue"] or "").lower()
        if not name or (name == "v" and not tag["end"] and _begins_line(html, tag)):
            dropped.append(tag)
        elif not tag["end"]:
            opened.setdefault(name, []).append(tag)
        elif opened.get(name) and _are_pair(html, opened[name][-1], tag):
            dropped += opened[name].pop(), tag
    kept: list[str] = []
    place = 0
    for tag in sorted(dropped, key=re.Match.start):
        kept += html[place : tag.start()], " " if _BREAKS.match(tag[0]) else ""
        place = tag.end()
    return "".join([*kept, html[place:]])


def _are_pair(html: str, begin: re.Match[str], end: re.Match[str]) -> bool:
    """Whether two tags format what is between them: a part of a line, or whole lines."""
    if _SEPARATOR not in html[begin.end() : end.start()]:
        return True
    return _begins_line(html, begin) and not _has_words(html[end.end() :].partition(_SEPARATOR)[0])


def _begins_line(html: str, tag: re.Match[str]) -> bool:
    return not _has_words(html[html.rfind(_SEPARATOR, 0, tag.start()) + 1 : tag.start()])


def _has_words(html: str) -> bool:
    return _LETTER.search(_TAG.sub("", html)) is not None
