"""Prepares text for the search index: cleans it and joins caption lines.

Offsets in characters must be the same in the index, in the highlighter and in the text that people see.
So text is cleaned before offsets are counted. Elasticsearch does the rest, and keeps the offsets: see
:mod:`shared.search.index.folding` and :mod:`shared.search.index.languages`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate

#: A piece of a text: the first character, and the one after the last.
Span = tuple[int, int]
#: The highlighter puts these marks around matches. :func:`clean` removes them from every text. They are
#: private-use characters, because the highlighter calls Java's ``trim()``, which removes control characters.
MATCH_BEGINS = "\ue000"
MATCH_ENDS = "\ue001"

#: Direction marks surround right-to-left captions, and come along when somebody pastes from them. The
#: standard analyzer makes a mark part of the word before it, so that word would not be found.
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_REMOVED = dict.fromkeys(map(ord, f"{MATCH_BEGINS}{MATCH_ENDS}\u00ad\ufeff\u2060{_DIRECTIONS}"), None)
#: Control characters, and lone surrogates (UTF-8 cannot encode them). They become a space.
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """The text as one line in NFC, with single spaces, without control characters and our own marks."""
    if text.isascii() and text.isprintable():
        # Most captions: there is nothing to remove and nothing to compose.
        return " ".join(text.split()) if "  " in f" {text} " else text
    text = _UNREADABLE.sub(" ", text.translate(_REMOVED))
    return " ".join(unicodedata.normalize("NFC", text).split())


def clean_paragraphs(text: str) -> str:
    """As :func:`clean`, but keeps line breaks."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


#: Scripts without spaces: Thai, Lao, Myanmar, Khmer, kana, Han and their punctuation. Hangul has spaces.
#: Ranges for a set of characters in a regular expression.
SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff00-\uff65\U00020000-\U0003ffff"
)
_SPACELESS = re.compile(f"[{SPACELESS}]")


def is_spaceless(text: str) -> bool:
    """Whether a part of it is in a script without spaces, which the standard analyzer cannot split."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def join(texts: Sequence[str]) -> tuple[str, list[int]]:
    """Joins cleaned caption lines. Returns the text and the offset at which each line begins.

    There is a space between two lines, except between characters of scripts without spaces. There a word
    can continue on the next line, and a space would split it.
    """
    whole = " ".join(texts)
    if all(texts) and not is_spaceless(whole):
        return whole, list(accumulate((len(text) + 1 for text in texts[:-1]), initial=0))[: len(texts)]
    parts: list[str] = []
    offsets: list[int] = []
    length = 0
    last = ""
    for text in texts:
        if text and last and not (_SPACELESS.match(text) and _SPACELESS.match(last)):
            parts.append(" ")
            length += 1
        offsets.append(length)
        parts.append(text)
        length += len(text)
        last = text[-1:] or last
    return "".join(parts), offsets
