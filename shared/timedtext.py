"""Caption tracks in YouTube's XML, read by a few passes of regular expressions while they look as usual.

``<?xml version="1.0" encoding="utf-8" ?><transcript><text start="0.16" dur="3.2">said</text>…</transcript>``

The library's own parser answers the same and takes several times as long, because it makes an element,
and an object, of each line. It reads whatever does not look like this, and says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import unescape

import orjson

from shared.transcripts import Lines

_TRACK = re.compile(
    r'(?:<\?xml version="1\.0" encoding="utf-8" ?\?>)?<transcript>(.*)</transcript>', re.DOTALL
)
#: Six digits of seconds are eleven days. Written as JSON has numbers: without zeros before them.
_SECONDS = r"((?:0|[1-9]\d{0,5})(?:\.\d{1,9})?)"
_LINE = re.compile(f'<text start="{_SECONDS}"(?: dur="{_SECONDS}")?>([^<]*)</text>', re.ASCII)
#: Characters that XML does not allow, in UTF-8.
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
#: References beyond those that YouTube makes.
_OTHER_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#39|#34);)")
#: Not in a track, and neither part of a reference nor of what marks up: both end at it.
_SEPARATOR = "\f"
_TAG = re.compile(f"<[^>{_SEPARATOR}]*>")


def read(track: bytes) -> Lines | None:
    """The lines of a track that have words; None when it does not look as usual."""
    if len(track) != len(track.translate(None, _CONTROLS)):
        return None
    if not track.isascii() and any(each in track for each in _NO_CHARACTERS):
        return None
    try:
        text = track.decode()
    except UnicodeDecodeError:
        return None
    frame = _TRACK.fullmatch(text.rstrip(" \t\r\n"))
    if frame is None or ("]" in text and "]]>" in text) or _OTHER_REFERENCE.search(text):
        return None
    # By far the most frequent of all references: an apostrophe, escaped for HTML and then for XML.
    parts = _LINE.split(frame[1].replace("&amp;#39;", "'"))
    between, starts, durations, said = parts[::4], parts[1::4], parts[2::4], parts[3::4]
    if any(between):
        return None
    texts = _plain(said)
    if not _are_tidy(texts):
        texts = [" ".join(text.split()) for text in texts]
        kept = [number for number, text in enumerate(texts) if text]
        starts, durations = [starts[number] for number in kept], [durations[number] for number in kept]
        texts = [texts[number] for number in kept]
    return Lines(_milliseconds(starts), _milliseconds([each or "0" for each in durations]), texts)


def _milliseconds(seconds: Iterable[str]) -> list[int]:
    # orjson reads hundreds of numbers in a third of the time that as many float() take.
    numbers: list[float] = orjson.loads(f"[{','.join(seconds)}]")
    return list(map(float.__round__, map((1000.0).__mul__, numbers)))


def _are_tidy(texts: Sequence[str]) -> bool:
    """Whether all have words, with one space between two of them and none around.

    A space is the only white space that is printable. What is empty, or has one around, makes two here.
    """
    whole = " ".join(texts)
    return whole.isprintable() and "  " not in f" {whole} "


def _plain(texts: Sequence[str]) -> Sequence[str]:
    """HTML within XML: unescaped twice, and without what marks it up. All at once, if it has any."""
    whole = _SEPARATOR.join(texts)
    if "&" not in whole:
        return texts
    plain = _TAG.sub("", unescape(unescape(whole))).split(_SEPARATOR)
    # A reference may have made a separator.
    return plain if len(plain) == len(texts) else [_TAG.sub("", unescape(unescape(text))) for text in texts]
