"""Prepares text for the search index: cleans it, folds accents, joins lines, chooses an analyzer.

Offsets in characters must be the same in the index, in the highlighter and in the text that people see.
So text is cleaned before offsets are counted, and folding never moves a character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate

#: The highlighter puts these marks around matches. :func:`clean` removes them from every text. They are
#: private-use characters, because the highlighter calls Java's ``trim()``, which removes control characters.
MATCH_BEGINS = "\ue000"
MATCH_ENDS = "\ue001"

#: The field of texts in a language without an analyzer. Their words are found only as they were said.
DEFAULT = "other"

#: Primary language subtag (BCP 47) → Elasticsearch's analyzer:
#: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/analysis-lang-analyzer.html
_ANALYZERS = {
    "ar": "arabic",
    "bg": "bulgarian",
    "bn": "bengali",
    "ca": "catalan",
    "ckb": "sorani",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "gl": "galician",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "in": "indonesian",  # the code before 1989, still sent by Java programs
    "it": "italian",
    "ja": "cjk",
    "ko": "cjk",
    "lt": "lithuanian",
    "lv": "latvian",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "th": "thai",
    "tr": "turkish",
    "yue": "cjk",
    "zh": "cjk",
}

#: Analyzers that split text into words and do not stem them. Exact phrases are searched in these fields,
#: too: the standard analyzer of the exact field cannot split scripts without spaces into words.
UNSTEMMED = frozenset({"cjk", "thai"})

ANALYZERS = tuple(sorted(set(_ANALYZERS.values())))
#: The names of all fields for text in its own language.
LANGUAGE_FIELDS = (*ANALYZERS, DEFAULT)


def analyzer_of(language: str | None) -> str:
    """The analyzer (and so the field) for a BCP 47 code such as ``pt-BR``; ``other`` if there is none."""
    primary = re.split("[-_]", (language or "").strip().lower())[0]
    return _ANALYZERS.get(primary, DEFAULT)


#: Direction marks surround right-to-left captions, and come along when somebody pastes from them. The
#: standard analyzer makes a mark part of the word before it, so that word would not be found.
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_REMOVED = dict.fromkeys(map(ord, f"{MATCH_BEGINS}{MATCH_ENDS}\u00ad\ufeff\u2060{_DIRECTIONS}"), None)
#: Control characters, and lone surrogates (UTF-8 cannot encode them). They become a space.
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def is_word(text: str) -> bool:
    """Whether an analyzer finds a word in the text: it has a letter, a digit or an emoji."""
    return any(_makes_a_word(character) for character in text)


def _makes_a_word(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "So":
        # Emoji are wide. So are the symbols of the CJK blocks, which analyzers ignore.
        return unicodedata.east_asian_width(character) == "W" and not 0x3000 <= ord(character) <= 0x33FF
    return category[0] == "L" or category in ("Nd", "Nl")


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


def _folded_characters() -> dict[int, int]:
    """Character → the character it is searched as. One for one, and of the same length in UTF-16."""
    folded = {0xFEE0 + code: code for code in range(0x21, 0x7F)}  # full-width forms of ASCII
    # Latin and Greek letters with accents lie in this range. Other scripts are left alone: in Cyrillic й is a
    # letter of its own, and in Indic scripts marks are vowels.
    for code in range(0xA0, 0x2200):
        letters = unicodedata.normalize("NFD", chr(code))
        if len(letters) > 1 and unicodedata.name(letters[0], "").startswith(("LATIN", "GREEK")):
            folded[code] = ord(letters[0])
    return folded | str.maketrans(
        "øØđĐłŁħĦŧŦıƒёЁ’‘ʼ＇´`“”„«»‐‑:：\u200c",
        "oOdDlLhHtTif"
        + "еЕ"
        + "''''''"
        + '"""""'
        + "--"
        # The standard analyzer does not split words at a colon (Unicode has that rule for Swedish), nor at
        # the zero-width non-joiner of Persian, for which many people type a space.
        + "   ",
    )


_FOLDED = _folded_characters()


def fold(text: str) -> str:
    """The text without accents. It has the same length, so an offset in it is an offset in ``text``.

    Case stays: the analyzers lower it. Letters that would become two (ß, æ) stay, too.
    """
    return text.translate(_FOLDED)


#: Scripts without spaces: Thai, Lao, Myanmar, Khmer, kana, Han and their punctuation. Hangul has spaces.
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff00-\uff65\U00020000-\U0003ffff]"
)


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
