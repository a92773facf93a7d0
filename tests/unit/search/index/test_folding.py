"""Folding: spellings that count as the same, and those that do not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.index import mapping
from shared.search.index.folding import fold, fold_in_place, has_word, names, sounds


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Éléphant À CÔTÉ", "elephant a cote"),
        ("smørrebrød Łódź đ ǿ", "smorrebrod lodz d o"),
        ("ΆέΉ λόγος", "αεη λογοσ"),
        ("ёлка й Й ї ў", "елка й й ї ў"),
        ("за\u0301мок", "замок"),
        ("Ａｂｃ１２ ﬁ ² ①", "abc12 fi 2 1"),
        ("don’t l'eau ʻokina", "dont l eau  okina"),
        ("ab:c ab.c ab_c ab;c", "ab c ab c ab c ab c"),
        ("می\u200cخواهم", "مي خواهم"),
        ("straße æ œuvre", "strasse ae oeuvre"),
        ("हिन्दी १२ в ไทย 학교", "हिन्दी 12 в ไทย 학교"),
        ("كِتَابٌ مُـفِيد أإآٱ", "كتاب مفيد اااا"),
        ("תִּקּוּן בֵּית־סֵפֶר", "תקון בית ספר"),
        ('צה"ל צה״ל "שלום"', 'צהל צהל "שלום"'),
        ("機器學習 体育", "机器学习 体育"),
        ("col·lecció", "colleccio"),
        ("1,000 1.000 12,345,678 1'000 1’000", "1000 1000 12345678 1000 1000"),
        ("१,२३४ ۱,۰۰۰ 1,00,000", "1234 1000 100000"),
        ("3,14 3.5 10,20 2020,2021 1,2345", "3 14 3 5 10 20 2020 2021 1 2345"),
        ("U.S.A. e.g. Dr.Smith", "usa  eg  dr smith"),
        ("don't won’t CAN'T l'ton", "dont wont cant l ton"),
        ("צה”ל ארה“ב דו″ח דו''ח \"שלום\"", 'צהל ארהב דוח דוח "שלום"'),
        (
            "C++ g++ C++17 a+b wow++ 10++",
            "cplusplus  gplusplus  cplusplus 17 a+b wow + 10 +",
        ),
        ("C# C#7 C#을 Ｃ＋＋ C♯", "csharp  csharp 7 csharp 을 cplusplus  csharp "),
        ("#music Vlog#12 #a#b page#section F#m", " music vlog 12  a b page section f m"),
        (
            ".NET ASP.net php.net fishing.nets end.Network",
            " dotnet  asp dotnet  php net fishing nets end network",
        ),
        ("Java™ ♪ la", "java    la"),
        ("❤️ 👍🏽 ☆✓", "❤ 👍 ★✔"),
        ("𝗕𝗼𝗹𝗱 𝓯𝓪𝓷𝓬𝔂 և", "bold fancy եւ"),
    ],
)
def test_these_are_searched_alike(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_any_text_can_be_folded(text: str) -> None:
    assert has_word(text) == has_word(fold(text))


@pytest.mark.parametrize(
    "text", ["L'École, Straße!", "İstanbul ılık", "1,000 C++ e\u0301 ❤️", "機器學習 كِتَاب"]
)
def test_folding_in_place_keeps_every_offset(text: str) -> None:
    assert len(fold_in_place(text)) == len(text)


@pytest.mark.parametrize("text", ["a", "é", "1", "①", "١", "字", "❤️", "★", "🎻", "C++", "🇩🇪", "☆"])
def test_words(text: str) -> None:
    assert has_word(text)


@pytest.mark.parametrize("text", ["", " ", "?!", "™", "♪♪", "…", "●", "'", "״", "\ufe0f", "。", "½", "→"])
def test_no_words(text: str) -> None:
    assert not has_word(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C++ and C++17", ["C++", "C++"]),
        ("learn c#, F#.", ["c#", "F#"]),
        (".NET ASP.net", [".NET", "ASP.net"]),
        ("Objective-C++ Notepad++", ["C++", "Notepad++"]),
        ("C＋＋ a♯", ["C＋＋", "a♯"]),
        ("c a+b #c net x.nets php.net Vlog#12 wow++ F#m", []),
    ],
)
def test_names_with_signs(text: str, found: list[str]) -> None:
    assert [text[begin:end] for begin, end in names(text)] == found


@pytest.mark.parametrize("text", ["12,", "1,000,", "[", "(a ", "a.", "c++", "צ''", "C#"])
def test_folding_is_fast_for_any_input(text: str) -> None:
    begun = time.monotonic()
    fold(text * 50_000)
    sounds(text * 50_000)
    names(text * 50_000)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a [Music] b", ["[Music]"]),
        ("(laughs) yes (Applause)", ["(laughs)", "(Applause)"]),
        (
            "(upbeat music) (LOUD CHEERS) 〔music〕 (ضحك)",
            ["(upbeat music)", "(LOUD CHEERS)", "〔music〕", "(ضحك)"],
        ),
        ("NASA (National Aeronautics) said (in Latin) carpe", []),
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
