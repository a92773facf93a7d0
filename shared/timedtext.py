"""Caption tracks in YouTube's XML, read by a few passes of regular expressions while they look as usual.

``<?xml version="1.0" encoding="utf-8" ?><transcript><text start="0.16" dur="3.2">said</text>…</transcript>``

The library's own parser answers the same and takes ten times as long, because it makes an element, and
an object, of each line. It reads whatever does not look like this, and says what is wrong with it.
"""

from __future__ import annotations

import re
from html import unescape

from shared.transcripts import Lines

_TRACK = re.compile(
    r'(?:<\?xml version="1\.0" encoding="utf-8" ?\?>)?<transcript>(.*)</transcript>', re.DOTALL
)
_LINE = re.compile(r'<text start="(\d{1,9}(?:\.\d{1,9})?)"(?: dur="(\d{1,9}(?:\.\d{1,9})?)")?>([^<]*)</text>')
#: What XML does not allow in a text, and references beyond those that YouTube makes.
_UNFAMILIAR = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|]]>|&(?!(?:amp|lt|gt|quot|apos|#39|#34);)")
_TAG = re.compile("<[^>]*>")


def read(track: str) -> Lines | None:
    """The lines of a track that have words; None when it does not look as usual."""
    frame = _TRACK.fullmatch(track.rstrip())
    if frame is None or _UNFAMILIAR.search(track):
        return None
    # By far the most frequent of all references: an apostrophe, escaped for HTML and then for XML.
    within = frame[1].replace("&amp;#39;", "'")
    if _LINE.sub("", within):
        return None
    found = [
        (start, duration, words)
        for start, duration, text in _LINE.findall(within)
        if (words := " ".join((_plain(text) if "&" in text else text).split()))
    ]
    return Lines.of(
        [float(start) for start, _, _ in found],
        [float(duration or 0) for _, duration, _ in found],
        [words for _, _, words in found],
    )


def _plain(text: str) -> str:
    """HTML within XML: unescaped twice, and without what marks it up."""
    return _TAG.sub("", unescape(unescape(text)))
