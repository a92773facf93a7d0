"""Chapters are read from the times of a description as YouTube reads them."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.transcripts.chapters import Chapter, chapter_at, find_chapters

PLAIN = [(0, "Intro"), (65, "Sails"), (3723, "Harbour")]


def found(description: str, duration: int | None = None) -> list[tuple[int, str]]:
    return [(start, title) for start, title in find_chapters(description, duration)]


@pytest.mark.parametrize(
    "lines",
    [
        ["0:00 Intro", "1:05 Sails", "1:02:03 Harbour"],
        ["00:00 Intro", "01:05 Sails", "01:02:03 Harbour"],
        ["00:00:00 Intro", "00:01:05 Sails", "01:02:03 Harbour"],
        ["0:00 Intro", "1:05 Sails", "62:03 Harbour"],
        ["(0:00) Intro", "(1:05) Sails", "(1:02:03) Harbour"],
        ["[0:00] Intro", "[1:05]Sails", "[1:02:03] - Harbour"],
        ["【0:00】Intro", "【1:05】 Sails", "【1:02:03】Harbour"],
        ["0:00 - Intro", "1:05 – Sails", "1:02:03 — Harbour"],
        ["0:00 − Intro", "1:05 ‐ Sails", "1:02:03 － Harbour"],
        ["0:00: Intro", "1:05 | Sails", "1:02:03 → Harbour"],
        ["0:00\tIntro", "1:05   Sails  ", "1:02:03\u00a0Harbour"],
        ["Intro 0:00", "Sails 1:05", "Harbour 1:02:03"],
        ["Intro - 0:00", "Sails (1:05)", "Harbour: [1:02:03]"],
        ["Intro ...... 0:00", "Sails ...... 1:05", "Harbour .. 1:02:03"],
        ["- 0:00 Intro", "* 1:05 Sails", "• 1:02:03 Harbour"],
        ["1. 0:00 Intro", "2) 1:05 Sails", "03 - 1:02:03 Harbour"],
        ["#1 0:00 Intro", "#2 1:05 Sails", "1️⃣ 1:02:03 Harbour"],
        ["🎬 0:00 Intro", "▶️ 1:05 Sails", "⏱1:02:03 Harbour"],
        ["0:00 - 1:05 Intro", "1:05 – 1:02:03 Sails", "1:02:03 to 1:10:00 Harbour"],
        ["Intro 0:00 - 1:05", "Sails (1:05 – 1:02:03)", "Harbour 1:02:03"],
        ["\u200f0:00 Intro", "\u202b1:05 Sails\u202c", "\u2066\u20621:02:03 Harbour"],
        ["About boats.", "", "0:00 Intro", "", "1:05 Sails", "Sewn by hand.", "1:02:03 Harbour", "Bye!"],
        # A sentence with a time is no chapter, and a web address has none.
        ["0:00 Intro", "Live at 20:15 on Sunday", "1:05 Sails", "https://x.example:1:30", "1:02:03 Harbour"],
    ],
)
def test_the_forms_in_which_people_write_chapters(lines: list[str]) -> None:
    assert found("\n".join(lines)) == PLAIN
    assert found("\r\n".join(lines), 4000) == PLAIN


@pytest.mark.parametrize(
    ("lines", "titles"),
    [
        (["0:00 🎬 Intro", "0:20 #1 reason", "0:40 (quiet)"], ["🎬 Intro", "#1 reason", "(quiet)"]),
        (['0:00 "Why?"', "0:20 What... now?", "0:40 3:1 mix"], ['"Why?"', "What... now?", "3:1 mix"]),
        (["0:00オープニング", "0:20海へ", "0:40 港"], ["オープニング", "海へ", "港"]),
        (["オープニング0:00", "海へ（0:20）", "港 0:40"], ["オープニング", "海へ", "港"]),
        (["0:00 - פתיחה", "0:20 - מפרשים", "0:40 - נמל"], ["פתיחה", "מפרשים", "נמל"]),
        (["المقدمة - 0:00", "الأشرعة - 0:20", "الميناء - 0:40"], ["المقدمة", "الأشرعة", "الميناء"]),
        (["0:00 https://a.example/1", "0:20 b", "0:40 b"], ["https://a.example/1", "b", "b"]),
    ],
)
def test_titles_are_kept(lines: list[str], titles: list[str]) -> None:
    assert found("\n".join(lines)) == list(zip((0, 20, 40), titles, strict=True))


@pytest.mark.parametrize(
    ("description", "duration"),
    [
        ("", None),
        ("No times at all: none.", 600),
        ("0:00 a\n1:00 b", 600),
        ("0:01 a\n1:00 b\n2:00 c", 600),
        ("0:00 a\n2:00 b\n1:00 c", 600),
        ("0:00 a\n1:00 b\n1:00 c\n2:00 d", 600),
        ("0:00 a\n0:09 b\n1:00 c", 600),
        ("0:00 a\n1:00 b\n2:00 c", 125),
        ("0:00 a\n1:00 b\n2:00 c", 120),
        ("0:00\n1:00\n2:00", 600),
        ("0:00 -\n1:00 -\n2:00 -", 600),
        ("0:00a\n1:00b\n2:00c", 600),
        ("0:60 a\n1:00 b\n2:00 c", 600),
        ("0:00.5 a\n1:00.5 b\n2:00.5 c", 600),
        ("10:0:00 a\n1:00 b\n2:00 c", 600),
        ("12.30:00 a 0:00 b 1:00 c 2:00", 600),
        ("from 0:00 on\nfrom 1:00 on\nfrom 2:00 on", 600),
        ("٠:٠٠ a\n١:٠٠ b\n٢:٠٠ c", 600),
    ],
)
def test_other_times_are_no_chapters(description: str, duration: int | None) -> None:
    assert found(description, duration) == []


def test_times_beyond_the_end_are_ignored() -> None:
    text = "0:00 a\n0:10 b\n0:20 c\n5:00 from another cut"
    assert found(text, 30) == [(0, "a"), (10, "b"), (20, "c")]
    assert len(found(text)) == 4
    # A live stream has no length yet.
    assert len(found(text, 0)) == 4


def test_the_first_list_that_keeps_the_rules_counts() -> None:
    first, second = "0:00 a\n1:00 b\n2:00 c", "0:00 d\n1:00 e\n2:00 f"
    assert found(f"{first}\n\nDeutsch:\n{second}") == [(0, "a"), (60, "b"), (120, "c")]
    assert found(f"0:00 alone\n\n{second}") == [(0, "d"), (60, "e"), (120, "f")]
    assert found(f"0:00 x\n2:00 y\n1:00 z\n{second}") == [(0, "d"), (60, "e"), (120, "f")]


def test_the_chapter_of_a_second() -> None:
    chapters = [Chapter(0, "a"), Chapter(10, "b")]
    assert [chapter_at(chapters, second) for second in (0, 9.999, 10, 99)] == [
        *chapters[:1] * 2,
        *chapters[1:] * 2,
    ]
    assert chapter_at([], 5) is None


@given(st.text(st.sampled_from("0123:5 -.\n()aש\u200f")), st.none() | st.integers(0, 9999))
def test_chapters_of_any_text_keep_the_rules(description: str, duration: int | None) -> None:
    chapters = find_chapters(description, duration)
    assert len(chapters) == 0 or (len(chapters) >= 3 and chapters[0].start == 0)
    times = [each.start for each in chapters] + ([duration] if duration and chapters else [])
    assert all(end - start >= 10 for start, end in pairwise(times))
    assert all(title.strip() == title != "" for _, title in chapters)


@pytest.mark.parametrize(
    "line", ["1:0" * 2500, "(" * 5000, "- 1 " * 1250, "0:00 " * 1000, "a 0:00 - " * 600 + "b"]
)
def test_a_hostile_description_takes_no_time(line: str) -> None:
    begun = time.process_time()
    find_chapters(line)
    assert time.process_time() - begun < 0.5
