"""Caption tracks in YouTube's XML, read by a few passes of regular expressions while they look as usual.

``<?xml version="1.0" encoding="utf-8" ?><transcript><text start="0.16" dur="3.2">said</text>…</transcript>``

The library's own parser answers the same and takes several times as long, because it makes an element,
and an object, of each line. It reads whatever does not look like this, and says what is wrong with it.
"""

from __future__ import annotations

import re
from html import unescape

from shared.transcripts import Lines

_TRACK = re.compile(
    r'(?:<\?xml version="1\.0" encoding="utf-8" ?\?>)?<transcript>(.*)</transcript>', re.DOTALL
)
#: Six digits of seconds are eleven days.
_LINE = re.compile(r'<text start="(\d{1,6}(?:\.\d{1,9})?)"(?: dur="(\d{1,6}(?:\.\d{1,9})?)")?>([^<]*)</text>')
#: Characters that XML does not allow, in UTF-8.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
#: References beyond those that YouTube makes.
_OTHER_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#39|#34);)")
_TAG = re.compile("<[^>]*>")


def read(track: bytes) -> Lines | None:
    """The lines of a track that have words; None when it does not look as usual."""
    if len(track) != len(track.translate(None, _CONTROLS)) or any(each in track for each in _NO_CHARACTERS):
        return None
    try:
        text = track.decode()
    except UnicodeDecodeError:
        return None
    frame = _TRACK.fullmatch(text.rstrip())
    if frame is None or "]]>" in text or _OTHER_REFERENCE.search(text):
        return None
    # By far the most frequent of all references: an apostrophe, escaped for HTML and then for XML.
    within = frame[1].replace("&amp;#39;", "'")
    if _LINE.sub("", within):
        return None
    found = [
        (start, duration, words)
        for start, duration, said in _LINE.findall(within)
        if (words := " ".join((_plain(said) if "&" in said else said).split()))
    ]
    return Lines(
        [round(1000 * float(start)) for start, _, _ in found],
        [round(1000 * float(duration or 0)) for _, duration, _ in found],
        [words for _, _, words in found],
    )


def _plain(text: str) -> str:
    """HTML within XML: unescaped twice, and without what marks it up."""
    return _TAG.sub("", unescape(unescape(text)))
