"""Folding: spellings that count as the same, and those that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.index import mapping
from shared.search.index.folding import fold, has_word, is_named_by_signs, sounds


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Éléphant À CÔTÉ", "elephant a cote"),
        ("smørrebrød Łódź đ ǿ", "smorrebrod lodz d o"),
        ("ΆέΉ λόγος", "αεη λογοσ"),
        ("ёлка й Й ї ў", "елка й й ї ў"),
        ("за\u0301мок", "замок"),
        ("Ａｂｃ１２ ﬁ ² ①", "abc12 fi 2 1"),
        ("don’t l'eau ʻokina", "don t l eau  okina"),
        ("ab:c ab.c ab_c ab;c", "ab c ab c ab c ab c"),
        ("می\u200cخواهم", "مي خواهم"),
        ("straße æ œuvre", "strasse ae oeuvre"),
        ("हिन्दी १२ в ไทย 학교", "हिन्दी 12 в ไทย 학교"),
        ("كِتَابٌ مُـفِيد أإآٱ", "كتاب مفيد اااا"),
        ("תִּקּוּן בֵּית־סֵפֶר", "תקון בית ספר"),
        ('צה"ל צה״ל "שלום"', 'צהל צהל "שלום"'),
        ("機器學習 体育", "机器学习 体育"),
        ("col·lecció", "colleccio"),
        ("1,000 1.000 12,345,678 1'000", "1000 1000 12345678 1000"),
        ("3,14 3.5 10,20 2020,2021 1,2345", "3 14 3 5 10 20 2020 2021 1 2345"),
        ("U.S.A. e.g. Dr.Smith", "usa  eg  dr smith"),
        ("C++ g++ a+b", "cplusplus gplusplus a+b"),
        ("C# c# #music #1", "csharp csharp #music #1"),
        (".NET asp.net fishing.nets", " dotnet asp dotnet fishing nets"),
        ("Java™ ♪ la", "java    la"),
        ("❤️ 👍🏽", "❤ 👍"),
    ],
)
def test_these_are_searched_alike(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded).split() == folded.split()


@given(st.text())
def test_any_text_can_be_folded(text: str) -> None:
    assert has_word(text) == has_word(fold(text))


@pytest.mark.parametrize("text", ["a", "é", "1", "①", "١", "字", "❤️", "★", "🎻", "C++"])
def test_words(text: str) -> None:
    assert has_word(text)


@pytest.mark.parametrize("text", ["", " ", "?!", "™", "♪♪", "…", "'", "״", "\ufe0f", "。", "½", "→"])
def test_no_words(text: str) -> None:
    assert not has_word(text)


@pytest.mark.parametrize("text", ["C++", "learn c#", ".NET", "ASP.net"])
def test_names_with_signs(text: str) -> None:
    assert is_named_by_signs(text)


@pytest.mark.parametrize("text", ["c", "a+b", "#c", "net", "x.nets", "1#2"])
def test_names_without_signs(text: str) -> None:
    assert not is_named_by_signs(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a [Music] b", ["[Music]"]),
        ("(laughs) yes (Applause)", ["(laughs)", "(Applause)"]),
        ("【拍手】はい（笑）", ["【拍手】", "（笑）"]),
        ("f(x) and print(a, b)", []),
        ("[" + "long " * 20 + "]", []),
        ("a [b", []),
    ],
)
def test_sounds(text: str, found: list[str]) -> None:
    assert [text[begin:end] for begin, end in sounds(text)] == found


def test_an_index_has_every_filter_that_its_analyzers_name() -> None:
    settings = mapping.videos()["settings"]["analysis"]
    for analyzer in settings["analyzer"].values():
        assert set(analyzer.get("char_filter", [])) <= set(settings["char_filter"])
        assert set(analyzer["filter"]) <= {*settings["filter"], "lowercase"}
