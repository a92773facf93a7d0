"""Which searches are typed as questions."""

from __future__ import annotations

import pytest

from shared.search.questions import is_question


@pytest.mark.parametrize(
    "q",
    [
        "tides?",
        "tides？ ",
        '"why do tides rise?"',
        "why the sea rises",
        "How do plants drink",
        "What's the highest tide",
        "Wie entsteht Ebbe und Flut",
        "¿Cómo nacen las mareas?",
        "cómo nacen las mareas",
        "où va la mer",
        "qu'est-ce que la marée",
        "perché la marea sale",
        "waarom stijgt de zee",
        "dlaczego morze się podnosi",
        "por que sobe a maré",
        "¿por qué sube la marea",
        "почему поднимается море",
        "deniz neden yükselir?",
        "neden deniz yükselir",
        "كيف يحدث المد والجزر",
        "왜 바다가 올라가나",
        "なぜ海は満ちるのか",
        "潮はなぜ満ちますか",
        "为什么会有潮汐",
        "潮汐是什么",
        "為什麼會有潮汐",
        "ทำไมน้ำทะเลขึ้น",
        "น้ำขึ้นน้ำลงเกิดจากอะไร",
    ],
)
def test_a_question(q: str) -> None:
    assert is_question(q)


@pytest.mark.parametrize(
    "q",
    [
        *("", "?", "??!", "tides", "the who", "why", "comment section", "ou la mer va", "何", "機械学習"),
        *("sea -moon", "language:en tides", "\ud800", "\x00", "潮汐", "x" * 5000, "tides? moon", "海の話"),
    ],
)
def test_no_question(q: str) -> None:
    assert not is_question(q)
