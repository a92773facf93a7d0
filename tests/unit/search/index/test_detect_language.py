"""The analyzer of a video without captions is guessed from its title."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.index.detect_language import guess_analyzer
from shared.search.index.languages import ANALYZERS


@pytest.mark.parametrize(
    ("text", "analyzer"),
    [
        ("Total lunar eclipse over the harbour", "english"),
        ("Bowline", "english"),
        ("Die Häuser am Fluss und das Wetter", "german"),
        ("Les oiseaux de la forêt", "french"),
        ("El faro de la isla y los barcos", "spanish"),
        ("Il risotto di mia nonna e la cucina", "italian"),
        ("O barco do pescador e as ondas", "portuguese"),
        ("Het huis van de buren", "dutch"),
        ("Ljuset och mörkret på fjället", "swedish"),
        ("机器学习", "cjk"),
        ("今日は機械学習の話", "cjk"),
        ("학교 이야기", "cjk"),
        ("ภาษาไทย", "thai"),
        ("Лес зимой", "russian"),
        ("النجوم في السماء", "arabic"),
        ("باغ و قنات در یزد", "persian"),
        ("चाय का गणित", "hindi"),
        ("שלום עולם", None),
        ("2024 ?! 🎻", None),
        ("", None),
    ],
)
def test_script_and_small_words_decide(text: str, analyzer: str | None) -> None:
    assert guess_analyzer(text) == analyzer


@given(st.text())
def test_any_text_can_be_guessed(text: str) -> None:
    assert guess_analyzer(text) in {*ANALYZERS, None}
