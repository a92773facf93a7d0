"""Exported subtitles can be read by another parser."""

from __future__ import annotations

import html
import io

import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from shared.search.index.analysis import clean
from shared.transcripts.subtitles import md, srt, txt, vtt
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
    starts = {round(line.start * 1000) for line in lines}
    expected = [
        (
            start,
            min([start + round(line.duration * 1000), *(each for each in starts if each > start)]),
            line.text.replace("-->", "→") if form == "srt" else line.text,
        )
        for line in lines
        for start in [round(line.start * 1000)]
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


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        ([(0, 4.97), (2.5, 5), (5, 3)], ["02.500", "05.000", "08.000"]),
        ([(0, 1), (2, 1)], ["01.000", "03.000"]),
        # Two speakers at once, and a line that has no length.
        ([(1, 9), (1, 9), (3, 0)], ["03.000", "03.000", "03.001"]),
        ([(0, 60), (0.001, 60)], ["00.001", "60.001"]),
    ],
)
def test_a_cue_ends_where_the_next_one_begins(lines: list[tuple[float, float]], ends: list[str]) -> None:
    spoken = [Line(start, duration, "a") for start, duration in lines]
    for text in (srt(spoken).replace(",", "."), vtt(spoken)):
        found = [line.split(" --> ")[1] for line in text.splitlines() if " --> " in line]
        assert [milliseconds(each) for each in found] == [round(float(each) * 1000) for each in ends]


@pytest.mark.parametrize(
    ("start", "line"),
    [(58.3, "[0:58] hay"), (0, "[0:00] hay"), (3599.999, "[59:59] hay"), (3723.5, "[1:02:03] hay")],
)
def test_plain_text_has_times_on_request(start: float, line: str) -> None:
    assert txt([Line(start, 1, "hay")], times=True) == f"{line}\n"
    assert txt([Line(start, 1, "hay")]) == "hay\n"


def test_markdown_has_paragraphs_that_begin_with_a_link_to_their_second() -> None:
    about = {
        "title": "A *star* & [b]",
        "channel": "Café",
        "url": "https://www.youtube.com/watch?v=x",
        "chapters": [],
    }
    lines = [Line(0.5, 9, "one <b>"), Line(29.9, 9, "two"), Line(61.9, 9, "three"), Line(3700, 9, "four")]
    assert md(lines, about).splitlines() == [
        "# A \\*star\\* \\& \\[b\\]",
        "",
        "Café · <https://www.youtube.com/watch?v=x>",
        "",
        "[0:00](https://www.youtube.com/watch?v=x&t=0s) one \\<b\\> two",
        "",
        "[1:01](https://www.youtube.com/watch?v=x&t=61s) three",
        "",
        "[1:01:40](https://www.youtube.com/watch?v=x&t=3700s) four",
    ]


CHAPTERS = [{"start": 0, "title": "In *short*"}, {"start": 30, "title": "Hay"}, {"start": 60, "title": "End"}]


def test_chapters_are_headings() -> None:
    lines = [Line(0.5, 9, "one"), Line(29.9, 9, "two"), Line(60, 9, "three")]
    assert txt(lines, True, CHAPTERS).splitlines() == [
        *("# In *short*", "[0:00] one", "[0:29] two", "", "# Hay", "", "# End", "[1:00] three")
    ]
    assert txt(lines, False, CHAPTERS) == "one\ntwo\nthree\n"
    url = "https://www.youtube.com/watch?v=x"
    text = md(lines, {"title": "A", "channel": "", "url": url, "chapters": CHAPTERS})
    assert text.split("\n\n")[2:] == [
        *("## In \\*short\\*", f"[0:00]({url}&t=0s) one two"),
        *("## Hay", "## End", f"[1:00]({url}&t=60s) three\n"),
    ]


def test_markup_is_escaped() -> None:
    assert "&lt;b&gt; A &amp; B --&gt; C" in vtt([Line(0, 1, "<b> A & B --> C")])


def test_a_transcript_without_lines() -> None:
    assert (srt([]), txt([])) == ("", "")
    assert vtt([]).startswith("WEBVTT\n")
