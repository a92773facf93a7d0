"""File names of exports: every system takes them, and no two videos have the same."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.exports.names import file_name

ID = "hNi6jQj9BOA"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("How tides work", "How tides work"),
        ('AC/DC: live | part\\1 *best?* <now> "x"', "AC DC live part 1 best now x"),
        ("[[C#]] and ^block", "C and block"),
        ("../../etc/passwd", "etc passwd"),
        (".hidden.", "hidden"),
        ("...", "Untitled"),
        ("", "Untitled"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Com1 .x", "_Com1 .x"),
        ("Console", "Console"),
        ("\u202egpj.exe\u202c", "gpj.exe"),
        ("سمك في البحر", "سمك في البحر"),
        ("Family 👨\u200d👩\u200d👧 day", "Family 👨\u200d👩\u200d👧 day"),
        ("Cafe\u0301\t\x07 x", "Café x"),
    ],
)
def test_titles(title: str, name: str) -> None:
    assert file_name(title, ID, ".md") == f"{name} ({ID}).md"


def test_long_titles_end_between_characters() -> None:
    assert file_name("x" * 500, ID, ".md") == f"{'x' * 110} ({ID}).md"
    family = "👨\u200d👩\u200d👧"
    assert file_name(family * 50, ID, ".md") == f"{family * 6} ({ID}).md"
    accented = "e\u0331"
    kept = file_name(accented * 100, ID, ".md").removesuffix(f" ({ID}).md")
    assert kept == accented * (len(kept) // 2)


@given(st.text(), st.text("aB-_1", min_size=11, max_size=11))
def test_every_name_is_safe_and_tells_the_video(title: str, video_id: str) -> None:
    name = file_name(title, video_id, ".en.srt")
    assert name.endswith(f" ({video_id}).en.srt")
    assert not re.search(r'[\\/:*?"<>|#^\[\]\x00-\x1f\x7f]', name)
    assert not name.startswith((".", " "))
    assert len(name.encode()) <= 143
    assert name == unicodedata.normalize("NFC", name)
    assert name.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
