"""Folding: which characters and spellings count as the same when texts are searched.

The rules are data. Elasticsearch applies them to texts and queries alike (:func:`analysis`), and keeps for
each word its place in the text as it was written. Python applies the same rules (:func:`fold`) where it
compares words itself. docs/query-language.md says what the rules mean for users.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from shared.search.index.analysis import Span
from shared.search.index.han import SIMPLIFIED, TRADITIONAL

#: Scripts whose letters are searched without their marks. In others marks are vowels (Devanagari, Thai), or a
#: letter with a mark is a letter of its own (й, ї, ў).
_SCRIPTS = ("LATIN", "GREEK", "ARABIC", "ARMENIAN", "HEBREW")
#: Letters that Unicode does not decompose, and what they are searched as.
_LETTERS = {
    **{"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH"},
    **{"ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ł": "l", "Ł": "L", "ħ": "h", "Ħ": "H"},
    **{"ŧ": "t", "Ŧ": "T", "ı": "i", "ƒ": "f", "ς": "σ", "ё": "е", "Ё": "Е"},
    **{"☆": "★", "✓": "✔", "✗": "✘"},
    # Arabic, Persian and Urdu write alef, yeh, kaf and heh in several forms.
    **{"ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه"},
}
#: Marks that are deleted: accents without a composed letter, Hebrew points, Arabic vowels and tatweel, and
#: the variation selectors and skin tones of emoji.
_DELETED = (
    *((0x0300, 0x036F), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5)),
    *((0x05C7, 0x05C7), (0x0610, 0x061A), (0x0640, 0x0640), (0x064B, 0x065F), (0x0670, 0x0670)),
    *((0x06D6, 0x06DC), (0x06DF, 0x06E8), (0x06EA, 0x06ED), (0xFE0E, 0xFE0F), (0x1F3FB, 0x1F3FF)),
    # The middle dot of Catalan (col·lecció), the mark in a Hebrew acronym, Arabic separators of thousands.
    *((0x00B7, 0x00B7), (0x2027, 0x2027), (0x05F4, 0x05F4), (0x066C, 0x066C)),
)
#: Characters at which a word ends, although Elasticsearch's tokenizer would go on: l'école, Dr.Smith, 3.5,
#: snake_case. The last two are the zero-width non-joiner of Persian and the hyphen of Hebrew.
_ENDS_OF_WORDS = "'’‘ʼ＇´`ʻ′׳.․﹒．,٫،，:：;؛_＿\u200c\u05be"
#: Signs between which a phrase goes on: the notes around songs, © ® ™ ‼ ⁉. The tokenizer makes words of them.
_NO_WORDS = "♩♪♫♬©®™℠‼⁉"
#: Blocks in which letters with marks, ligatures and characters of other widths are.
_BLOCKS = ((0xA0, 0x2200), (0x2460, 0x2474), (0xFB00, 0xFFDC), (0x1D400, 0x1D800))

#: Names with signs, which would be other words without them. The signs of other words are dropped before.
_SIGNS = {
    **{"++": "plusplus ", "#": "sharp ", ".net": " dotnet ", ".Net": " dotnet ", ".NET": " dotnet "},
    **{"C＋＋": "cplusplus ", "Ｃ＋＋": "cplusplus ", "C＃": "csharp ", "Ｃ＃": "csharp "},
    **{f"{letter}♯": f"{letter}sharp " for letter in "ABCDEFGabcdefg"},
}

# Rules that look at the characters around, in Java's syntax. They come before the table, in this order. Each
# begins with a set of characters, because Elasticsearch looks for it at every character of a transcript.
# Repetitions are bounded, because a text may consist of digits and commas alone.
_WORD = r"[\p{L}\p{N}]"
_HEBREW = "[א-ת]"
#: Deleted are separators of thousands (1,000, 1.000, 1'000), the dots of U.S.A., the apostrophe of don't, and
#: the mark in a Hebrew acronym.
_JOINED = (
    r"[,.'’\"“”„″](?:"
    r"(?<=\p{Nd}[,.'’])(?=(?:\p{Nd}{2},){0,5}\p{Nd}{3}(?!\p{Nd}))"
    rf"|(?<=(?<!{_WORD})\p{{L}}\.)(?=\p{{L}}(?!{_WORD}))"
    rf"|(?<=[nN]['’])(?=[tT](?!{_WORD}))"
    rf"|(?<={_HEBREW}[\"“”„″])(?={_HEBREW})|(?<={_HEBREW}')(?='{_HEBREW})|(?<={_HEBREW}'')(?={_HEBREW})"
    ")"
)
#: Signs that are no part of a name: #tag, episode#5, wow++, and the end of an address (php.net).
_OTHER_SIGN = (
    rf"(?<=#)(?:(?<!(?<!{_WORD})[A-Za-z]#)|(?=[A-Za-z]))"
    rf"|(?<=\+)(?=\+)(?<!(?<!{_WORD})[A-Za-z]\+)(?<![Nn]otepad\+)"
    rf"|(?<=\.)(?:(?=[Nn][Ee][Tt]{_WORD})|(?<={_WORD}\.)(?<![Aa][Ss][Pp]\.)(?<![Vv][Bb]\.)(?=[Nn][Ee][Tt]))"
)
#: Sounds that captions describe in brackets: [Music], (laughs), (LOUD CHEERS), 【拍手】. Longer text in round
#: brackets, and text with names in it, is speech.
_BRACKETS = "[(［【〔（"
_SOUND_WORDS = r"(?:\p{L}+|[A-ZÀ-Þ]?[a-zß-ÿ,' -]{1,40}|[A-ZÀ-Þ,' -]{2,40})"
_AFTER_BRACKET = (
    r"(?<=\[)[^\[\]]{0,60}\]|(?<=［)[^］]{0,60}］|(?<=【)[^】]{0,60}】|(?<=〔)[^〕]{0,60}〕"
    rf"|(?<=(?<!{_WORD})\(){_SOUND_WORDS}\)(?!{_WORD})|(?<=（)[^）]{{1,40}}）"
)
_SOUND = rf"[\{_BRACKETS}](?:{_AFTER_BRACKET})"
_DROPPED = rf"[#+.](?:{_OTHER_SIGN})"
_DROPPED_OR_SOUND = rf"[#+.\{_BRACKETS}](?:{_OTHER_SIGN}|{_AFTER_BRACKET})"
_NAME = (
    rf"(?<!{_WORD})[A-Za-z](?:\+\+(?!\+)|#(?![A-Za-z]))|[Nn]otepad\+\+|[A-Ga-g]♯|[CＣ](?:＋＋|＃)"
    rf"|(?<!{_WORD})(?:[Aa][Ss][Pp]|[Vv][Bb])?\.(?:net|Net|NET)(?!{_WORD})"
)

_SIGNS_OF_NAMES = ("++", "#", ".net", ".Net", ".NET", "＋", "＃", "♯")
#: Unicode's general categories of letters and digits.
_WORD_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl"})


def _python(pattern: str) -> re.Pattern[str]:
    """A pattern of Java's in Python's syntax."""
    for java, python in ((_WORD, r"[^\W_]"), (r"\p{L}", r"[^\W\d_]"), (r"\p{Nd}", r"\d")):
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


_FIND_JOINED, _FIND_DROPPED, _FIND_SOUND, _FIND_NAME = map(_python, (_JOINED, _DROPPED, _SOUND, _NAME))
_FIND_SIGN = re.compile("|".join(map(re.escape, sorted(_SIGNS, key=len, reverse=True))))


#: Symbols of which Elasticsearch's tokenizer makes words. Its rule is Unicode's property
#: Extended_Pictographic (https://unicode.org/reports/tr51/), with a few more.
_SYMBOL_WORD = re.compile(
    "[\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24b6-\u24e9"
    "\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712"
    "\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767"
    "\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f1e6-\U0001f1ff\U0001f000-\U0001f02b\U0001f030-\U0001f093\U0001f0a0-\U0001f0ae\U0001f300-\U0001f53d"
    "\U0001f546-\U0001f64f\U0001f680-\U0001f6d7\U0001f6dd-\U0001f6ec\U0001f6f0-\U0001f6fc"
    "\U0001f7d5-\U0001f7d8\U0001f7e0-\U0001f7eb\U0001f7f0"
    "\U0001f8b0\U0001f8b1\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001fa53"
    "\U0001fa60-\U0001fa6d\U0001fa70-\U0001fa74\U0001fa78-\U0001fa7c\U0001fa80-\U0001fa86"
    "\U0001fa90-\U0001faac\U0001fab0-\U0001faba]"
)


def _make_table() -> dict[int, str]:
    table: dict[int, str] = {}
    for first, last in _BLOCKS:
        for code in range(first, last):
            if (base := _base(chr(code))) is not None:
                table[code] = base
    for code in range(0x0660, 0xA000):
        if unicodedata.category(chr(code)) == "Nd":
            table[code] = str(unicodedata.decimal(chr(code)))
    table |= {ord(letter): plain for letter, plain in _LETTERS.items()}
    for first, last in _DELETED:
        table |= dict.fromkeys(range(first, last + 1), "")
    table |= dict.fromkeys(map(ord, _ENDS_OF_WORDS + _NO_WORDS), " ")
    return table | {ord(one): other for one, other in zip(TRADITIONAL, SIMPLIFIED, strict=True)}


def _base(character: str) -> str | None:
    """The letters and digits of a character, without marks. None if it stays as it is."""
    decomposed = unicodedata.normalize("NFKD", character)
    # Symbols such as ™ would become a part of the word before them.
    if decomposed == character or unicodedata.category(character) == "So":
        return None
    letters = [each for each in decomposed if not unicodedata.combining(each)]
    if not letters or not all(_folds(each) for each in letters):
        return None
    return "".join(_LETTERS.get(each, each) for each in letters)


def _folds(letter: str) -> bool:
    return letter.isdecimal() or unicodedata.name(letter, "").startswith((*_SCRIPTS, "KATAKANA"))


#: Character → what it is searched as.
_TABLE = _make_table()
_ONE_FOR_ONE = {code: plain for code, plain in _TABLE.items() if len(plain) == 1}


def sounds(text: str) -> list[Span]:
    """The spans of the sounds that a transcript describes in brackets, in order."""
    if not any(bracket in text for bracket in _BRACKETS):
        return []
    return [found.span() for found in _FIND_SOUND.finditer(text)]


def names(text: str) -> list[Span]:
    """The spans of names such as C++, C# and .NET, which would be other words without their signs."""
    if not any(sign in text for sign in _SIGNS_OF_NAMES):
        return []
    return [found.span() for found in _FIND_NAME.finditer(text)]


def has_word(text: str) -> bool:
    """Whether a word remains of the text when it is folded: it has a letter, a digit or an emoji."""
    folded = fold(text)
    return any(unicodedata.category(character) in _WORD_CATEGORIES for character in folded) or bool(
        _SYMBOL_WORD.search(folded)
    )


def fold(text: str) -> str:
    """The text as it is searched: in lower case, without accents and so on. Its length may change."""
    if text.isascii() and text.isalnum():
        return text.lower()
    text = _FIND_DROPPED.sub(" ", _FIND_JOINED.sub("", text))
    return _FIND_SIGN.sub(lambda sign: _SIGNS[sign[0]], text).translate(_TABLE).lower()


def fold_in_place(text: str) -> str:
    """As :func:`fold`, but only where one character becomes one, so that all offsets stay."""
    return text.translate(_ONE_FOR_ONE).lower()


def analysis() -> dict[str, Any]:
    """The ``analysis`` section of the settings of an index: analyzers that split a folded text into words.

    ``folded``: of any text. ``spoken``: of a transcript without its sounds.
    """
    rules = {chr(code): folded for code, folded in _TABLE.items()} | _SIGNS
    mappings = [f"{_escaped(left)} => {_escaped(right)}" for left, right in rules.items()]
    return {
        "char_filter": {
            "joined": _replace(_JOINED, ""),
            "dropped": _replace(_DROPPED, " "),
            "dropped_or_sound": _replace(_DROPPED_OR_SOUND, " "),
            "characters": {"type": "mapping", "mappings": mappings},
        },
        "analyzer": {
            "folded": _analyzer("joined", "dropped", "characters"),
            "spoken": _analyzer("joined", "dropped_or_sound", "characters"),
        },
    }


def _replace(pattern: str, replacement: str) -> dict[str, str]:
    return {"type": "pattern_replace", "pattern": pattern, "replacement": replacement}


def _analyzer(*char_filters: str) -> dict[str, Any]:
    return {"type": "custom", "char_filter": char_filters, "tokenizer": "standard", "filter": ["lowercase"]}


def _escaped(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
