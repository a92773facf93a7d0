"""Exported subtitles can be read by another parser."""

from __future__ import annotations

import html
import io

import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from shared.search.index.analysis import clean
from shared.transcripts.subtitles import srt, txt, vtt
from shared.transcripts.transcript import Line

LINES = st.lists(
    st.builds(
        lambda start, duration, text: Line(start / 1000, duration / 1000, text),
        st.integers(0, 40_000_000),
        st.integers(1, 10_000),
        st.text(st.characters(codec="utf-8"), min_size=1).map(clean).filter(bool),
    ),
    min_size=1,
    max_size=5,
)


def milliseconds(timestamp: str) -> int:
    hours, minutes, seconds = timestamp.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


@given(LINES)
@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_a_parser_reads_the_same_lines(form: str, lines: list[Line]) -> None:
    text = srt(lines) if form == "srt" else vtt(lines)
    found = webvtt.from_buffer(io.StringIO(text), format=form)
    expected = [
        (
            round(line.start * 1000),
            round(line.start * 1000) + round(line.duration * 1000),
            line.text.replace("-->", "→") if form == "srt" else line.text,
        )
        for line in lines
    ]
    assert [
        (
            milliseconds(each.start),
            milliseconds(each.end),
            each.raw_text if form == "srt" else html.unescape(each.raw_text),
        )
        for each in found.captions
    ] == expected


def test_a_line_without_duration_ends_after_it_begins() -> None:
    assert "00:00:01.000 --> 00:00:01.001" in vtt([Line(1, 0, "a")])


def test_markup_is_escaped() -> None:
    assert "&lt;b&gt; A &amp; B --&gt; C" in vtt([Line(0, 1, "<b> A & B --> C")])


def test_a_transcript_without_lines() -> None:
    assert (srt([]), txt([])) == ("", "")
    assert vtt([]).startswith("WEBVTT\n")
