"""Languages: the analyzer that finds other forms of a word in each of them.

This is the one place that says what is done for a language. A test compares it with the table in
docs/query-language.md.
"""

from __future__ import annotations

import re
from typing import Any

#: Primary language subtag (BCP 47) → the name of an analyzer. Most are Elasticsearch's own:
#: https://www.elastic.co/guide/en/elasticsearch/reference/8.19/analysis-lang-analyzer.html
LANGUAGES = {
    "af": "dutch",
    "ar": "arabic",
    "be": "ukrainian",
    "bg": "bulgarian",
    "bn": "bengali",
    "bs": "serbian",
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
    "hr": "serbian",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "in": "indonesian",  # the code before 1989, still sent by Java programs
    "it": "italian",
    "ja": "cjk",
    "ko": "cjk",
    "lt": "lithuanian",
    "lv": "latvian",
    "ms": "indonesian",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    # The endings of Polish and Slovak are near enough to those of Czech: 12 of 17 and 10 of 12 plurals.
    "pl": "czech",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sh": "serbian",
    "sk": "czech",
    "sl": "serbian",
    "sr": "serbian",
    "sv": "swedish",
    "th": "thai",
    "tr": "turkish",
    "uk": "ukrainian",
    "yue": "cjk",
    "zh": "cjk",
}

#: Analyzers that are not Elasticsearch's own.
_OWN: dict[str, dict[str, Any]] = {
    # Elasticsearch's own ones leave words of four and five letters as they are: casas does not find casa.
    "spanish": {"filter": ["lowercase", "spanish_stop", "spanish_plural", "spanish_light"]},
    "italian": {"char_filter": ["elision"], "filter": ["lowercase", "italian_stop", "italian_stems"]},
    # The second time it reduces cases, which the first time makes of casa's plural, to the stem of casa.
    "catalan": {
        "char_filter": ["elision"],
        "filter": ["lowercase", "catalan_stop", "catalan_stems", "catalan_stems"],
    },
    # Ukrainian and Belarusian endings, written with the letters of Russian, are near to those of Russian.
    "ukrainian": {"char_filter": ["ukrainian_letters"], "filter": ["lowercase", "russian_stems"]},
}
_OWN_FILTERS: dict[str, dict[str, Any]] = {
    "spanish_stop": {"type": "stop", "stopwords": "_spanish_"},
    "spanish_plural": {"type": "stemmer", "language": "spanish_plural"},
    "spanish_light": {"type": "stemmer", "language": "light_spanish"},
    "italian_stop": {"type": "stop", "stopwords": "_italian_"},
    "italian_stems": {"type": "snowball", "language": "Italian"},
    "catalan_stop": {"type": "stop", "stopwords": "_catalan_"},
    "catalan_stems": {"type": "snowball", "language": "Catalan"},
    "russian_stems": {"type": "snowball", "language": "Russian"},
}
_OWN_CHAR_FILTERS: dict[str, dict[str, Any]] = {
    "elision": {"type": "mapping", "mappings": ["' => \\u0020", "’ => \\u0020"]},
    "ukrainian_letters": {"type": "mapping", "mappings": ["і => и", "ї => и", "є => е", "ў => у"]},
}

ANALYZERS = tuple(sorted(set(LANGUAGES.values())))
#: Analyzers that split text into words and do not stem them. Exact phrases are searched in their fields,
#: too: the tokenizer of the other fields cannot split scripts without spaces into words.
UNSTEMMED = frozenset({"cjk", "thai"})


def analyzer_of(language: str | None) -> str | None:
    """The name of the analyzer for a BCP 47 code such as ``pt-BR``. None if the language has none."""
    return LANGUAGES.get(re.split("[-_]", (language or "").strip().lower())[0])


def index_analyzer(name: str) -> str:
    """The name under which an index knows an analyzer of :data:`ANALYZERS`."""
    return f"yts_{name}" if name in _OWN else name


def analysis() -> dict[str, dict[str, Any]]:
    """The ``analysis`` section of the settings of an index."""
    return {
        "analyzer": {
            index_analyzer(name): {"type": "custom", "tokenizer": "standard", **parts}
            for name, parts in _OWN.items()
        },
        "filter": _OWN_FILTERS,
        "char_filter": _OWN_CHAR_FILTERS,
    }
