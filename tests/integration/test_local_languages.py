"""Every language analyzer of a full Elasticsearch, in the server that a local run starts."""

from __future__ import annotations

import pytest
import requests

from tests.stack import Stack

#: A word in each language and what its analyzer makes of it: proof of the language's own stemming.
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
def test_elasticsearch_knows_the_language(language: str, stack: Stack) -> None:
    word, stem = STEMS[language]
    assert _analyzed(stack, language, word) == [stem]


def test_elasticsearch_splits_what_has_no_spaces(stack: Stack) -> None:
    assert _analyzed(stack, "cjk", "図書館") == ["図書", "書館"]
    assert len(_analyzed(stack, "thai", "ห้องสมุดสาธารณะ")) > 1


def _analyzed(stack: Stack, analyzer: str, text: str) -> list[str]:
    body = {"analyzer": analyzer, "text": text}
    answer = requests.post(f"{stack.elasticsearch}/_analyze", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return [token["token"] for token in answer.json()["tokens"]]
