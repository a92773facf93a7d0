"""The server of a local run has all language analyzers of a full Elasticsearch."""

from __future__ import annotations

import pytest
import requests

from tests.stack import Stack

#: Analyzer → a word, and the stem that only an analyzer of this language makes of it.
STEMS = {
    "arabic": ("كتابان", "كتاب"),
    "armenian": ("քաղաքների", "քաղ"),
    "basque": ("etxeak", "etxe"),
    "bengali": ("বইগুলো", "বই"),
    "brazilian": ("correndo", "corr"),
    "bulgarian": ("книгите", "книг"),
    "catalan": ("llibres", "llibr"),
    "czech": ("knihami", "knih"),
    "danish": ("bøgerne", "bøg"),
    "dutch": ("boeken", "boek"),
    "english": ("running", "run"),
    "estonian": ("raamatud", "raama"),
    "finnish": ("kirjoissa", "kirj"),
    "french": ("cheveux", "cheveu"),
    "galician": ("bibliotecas", "bibliotec"),
    "german": ("häuser", "haus"),
    "greek": ("βιβλία", "βιβλ"),
    "hindi": ("किताबें", "किताब"),
    "hungarian": ("könyvek", "könyv"),
    "indonesian": ("membaca", "baca"),
    "irish": ("fhearaibh", "fear"),
    "italian": ("ragazzi", "ragazz"),
    "latvian": ("grāmatas", "grāmat"),
    "lithuanian": ("knygomis", "knyg"),
    "norwegian": ("bøkene", "bøk"),
    "persian": ("کتاب", "كتاب"),
    "portuguese": ("livros", "livr"),
    "romanian": ("cărțile", "cărț"),
    "russian": ("книгами", "книг"),
    "serbian": ("књига", "knjig"),
    "sorani": ("کتێبەکان", "کتێب"),
    "spanish": ("libros", "libr"),
    "swedish": ("böckerna", "böck"),
    "turkish": ("kitaplar", "kitap"),
}


@pytest.mark.parametrize("language", sorted(STEMS))
def test_the_analyzer_stems_its_language(language: str, stack: Stack) -> None:
    word, stem = STEMS[language]
    assert _analyzed(stack, language, word) == [stem]


def test_scripts_without_spaces_are_split_into_words(stack: Stack) -> None:
    assert _analyzed(stack, "cjk", "図書館") == ["図書", "書館"]
    assert len(_analyzed(stack, "thai", "ห้องสมุดสาธารณะ")) > 1


def _analyzed(stack: Stack, analyzer: str, text: str) -> list[str]:
    body = {"analyzer": analyzer, "text": text}
    answer = requests.post(f"{stack.elasticsearch}/_analyze", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return [token["token"] for token in answer.json()["tokens"]]
