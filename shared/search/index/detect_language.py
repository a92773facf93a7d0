"""Guesses the analyzer of a video without captions from its title and description.

The script decides where it can. Otherwise the most frequent small words of each language do. A wrong guess
hides nothing: each text is also found as it was typed. The guess only adds other forms of its words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

#: First word of a letter's Unicode name → analyzer.
_SCRIPTS = {
    "ARABIC": "arabic",
    "ARMENIAN": "armenian",
    "BENGALI": "bengali",
    "CJK": "cjk",
    "CYRILLIC": "russian",
    "DEVANAGARI": "hindi",
    "GREEK": "greek",
    "HANGUL": "cjk",
    "HIRAGANA": "cjk",
    "KATAKANA": "cjk",
    "LATIN": "english",
    "THAI": "thai",
}
#: Letters that occur in Persian and not in Arabic.
_PERSIAN = re.compile("[\u067e\u0686\u0698\u06af\u06a9\u06cc]")
_SMALL_WORDS = {
    "english": "the of and to in is a that for with how what why on",
    "german": "der die das und ist nicht ein eine mit für auf den dem von zu wie warum",
    "french": "le la les des et est une du au aux dans pour que qui sur pas comment pourquoi",
    "spanish": "el la los las de y en un una que para con por del cómo como",
    "italian": "il lo la gli di che e un una per con del della dei come perché nel",
    "portuguese": "o a os as de e em um uma que para com por do da dos no na como",
    "dutch": "de het een en van is niet met voor op hoe waarom zijn",
    "swedish": "och att det en ett som är för på inte med av hur varför",
}
_WORDS = re.compile(r"\w+")


def guess_analyzer(text: str) -> str | None:
    """The name of an analyzer, or None."""
    scripts = Counter(
        unicodedata.name(character, "").split(" ")[0] for character in text if character.isalpha()
    )
    if not scripts:
        return None
    if any(scripts[kana] for kana in ("HIRAGANA", "KATAKANA")):
        return "cjk"
    analyzer = _SCRIPTS.get(scripts.most_common(1)[0][0])
    if analyzer == "arabic" and _PERSIAN.search(text):
        return "persian"
    return _guess_latin(text) if analyzer == "english" else analyzer


def _guess_latin(text: str) -> str:
    words = set(_WORDS.findall(text.lower()))
    # max() returns the first of equals, so English when no small word is found.
    return max(_SMALL_WORDS, key=lambda name: len(words.intersection(_SMALL_WORDS[name].split())))
