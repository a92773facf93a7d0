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
#: What formats a line. Anything else in angle brackets is text, such as `x < 5 and y > 3` or `List<String>`.
_TAG = re.compile(
    r"</?(?:b|i|u|s|em|strong|mark|small|sub|sup|del|ins|ruby|rt|rp|rb|rtc|bdi|bdo)\s*/?>"
    rf"|</?(?:c|v|lang|font|span|ruby|rt)(?:[.\s][^<>{_SEPARATOR}]*)?>"
    r"|<(?:\d+:)?\d\d:\d\d[.,]\d{1,3}>",
    re.IGNORECASE,
)
_BREAK = re.compile(rf"</?(?:br|p|div)(?:\s[^<>{_SEPARATOR}]*)?\s*/?>", re.IGNORECASE)


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
    html = _TAG.sub("", _BREAK.sub(" ", texts)) if "<" in texts else texts
    plain = [" ".join(text.split()) for text in unescape(html).split(_SEPARATOR)]
    rows = [row for row in zip(starts, durations, plain, strict=True) if row[2]] if starts else []
    return Lines(
        milliseconds(float(start) for start, _, _ in rows),
        milliseconds(float(duration or 0) for _, duration, _ in rows),
        [text for _, _, text in rows],
    )
