"""How text becomes searchable: cleaning, folding of accents, joining of lines, an analyzer per language.

Cleaning happens once, before anything is counted, so that a character's offset means the same in
the index, in the highlighter and in what is shown. Folding afterwards never moves a character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate

#: Marks put around matches by the highlighter. Private-use characters, because Java's ``trim()``
#: in the highlighter eats control characters; taken out of every text before it is indexed.
MATCH_BEGINS = "\ue000"
MATCH_ENDS = "\ue001"

#: Where texts go whose language has no analyzer: words are found as they were said.
DEFAULT = "other"

#: Primary language subtag (BCP 47) -> analyzer, under the name it has on every Elasticsearch:
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

#: Analyzers that cut words without changing them: an exact phrase may be looked up in them too.
#: In scripts without spaces it has to be, because the standard analyzer cannot cut their words.
UNSTEMMED = frozenset({"cjk", "thai"})

ANALYZERS = tuple(sorted(set(_ANALYZERS.values())))
#: The names of all fields that hold a text in its language.
LANGUAGE_FIELDS = (*ANALYZERS, DEFAULT)


def analyzer_of(language: str | None) -> str:
    """The language field for a BCP 47 code such as ``pt-BR``: an analyzer's name, or ``other``."""
    primary = re.split("[-_]", (language or "").strip().lower())[0]
    return _ANALYZERS.get(primary, DEFAULT)


#: Marks of direction stand around right-to-left captions and in what is pasted from them. Unicode's word
#: breaks make them part of the word before, which is then another word.
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_REMOVED = dict.fromkeys(map(ord, f"{MATCH_BEGINS}{MATCH_ENDS}\u00ad\ufeff\u2060{_DIRECTIONS}"), None)
#: Controls and lone surrogates (which are not encodable as UTF-8) read as a space.
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def is_word(text: str) -> bool:
    """Whether an analyzer makes a word of it: it has a letter, a digit or an emoji."""
    return any(_makes_a_word(character) for character in text)


def _makes_a_word(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "So":
        # Emoji are wide; so are the symbols of the CJK blocks, which are no words.
        return unicodedata.east_asian_width(character) == "W" and not 0x3000 <= ord(character) <= 0x33FF
    return category[0] == "L" or category in ("Nd", "Nl")


def clean(text: str) -> str:
    """One line of composed (NFC) characters with single spaces, without controls or our own marks."""
    if text.isascii() and text.isprintable():
        # Nothing to remove, nothing to compose: most captions.
        return " ".join(text.split()) if "  " in f" {text} " else text
    text = _UNREADABLE.sub(" ", text.translate(_REMOVED))
    return " ".join(unicodedata.normalize("NFC", text).split())


def clean_paragraphs(text: str) -> str:
    """As :func:`clean`, but line breaks stay."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


class _Folding(dict[int, int]):
    """Character -> the character it is searched as: always one for one, of the same UTF-16 length."""

    _SPECIAL = str.maketrans(
        "øØđĐłŁħĦŧŦıƒёЁ’‘ʼ＇´`“”„«»‐‑:：\u200c",
        "oOdDlLhHtTif"
        + "еЕ"
        + "''''''"
        + '"""""'
        + "--"
        # The standard analyzer takes a:b for one word (Unicode's word breaks do, for Swedish), and in Persian
        # what a zero-width non-joiner parts, which many type as a space.
        + "   ",
    )

    def __missing__(self, code: int) -> int:
        folded = self._SPECIAL.get(code) or self._fold(chr(code))
        self[code] = folded
        return folded

    @staticmethod
    def _fold(character: str) -> int:
        code = ord(character)
        if 0xFF01 <= code <= 0xFF5E:  # full-width forms of ASCII
            return code - 0xFEE0
        decomposed = unicodedata.normalize("NFD", character)
        base, marks = decomposed[0], decomposed[1:]
        # Only where an accent is an accent: in Cyrillic й is a letter, in Indic scripts marks are vowels.
        if marks and unicodedata.name(base, "").startswith(("LATIN", "GREEK")) and ord(base) < 0x10000 > code:
            return ord(base)
        return code


_folding = _Folding()


def fold(text: str) -> str:
    """Without accents, of exactly the same length: offsets in it are offsets in ``text``.

    Case is left to the analyzers. Letters that fold to two (ß, æ) stay as they are.
    """
    return text.translate(_folding)


#: Scripts without spaces: Thai, Lao, Myanmar, Khmer, kana, Han and their punctuation. Hangul has spaces.
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff00-\uff65\U00020000-\U0003ffff]"
)


def is_spaceless(text: str) -> bool:
    """Whether any of it is in a script without spaces, whose words the standard analyzer cannot cut."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def join(texts: Sequence[str]) -> tuple[str, list[int]]:
    """Cleaned caption lines as one text, and the offset at which each line begins.

    Lines are joined by a space, or by nothing between characters of scripts without spaces: there a
    word may run over the line's end, and a space would cut it.
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
