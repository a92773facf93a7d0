"""Caption tracks read here are those that the library reads; what looks strange is left to the library."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from youtube_transcript_api._transcripts import _TranscriptParser

from shared import timedtext
from shared.captions import _lines
from shared.transcripts import Lines

HEAD = '<?xml version="1.0" encoding="utf-8" ?>'


def track(*lines: str) -> str:
    return f"{HEAD}<transcript>{''.join(lines)}</transcript>"


def text(content: str, start: str = "1.5", duration: str = "2.25") -> str:
    return f'<text start="{start}" dur="{duration}">{content}</text>'


def by_the_library(xml: str) -> Lines:
    return _lines(_TranscriptParser().parse(xml))


#: What may stand in a line: words, markup, references, and whatever else.
PIECES = st.one_of(
    st.sampled_from(
        ["it's", "<b>", "</b>", "&amp;", "&#39;", "&quot;", "a < b", "&nbsp;", "\n", "  ", "♪", "世界", ">>"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
)
SECONDS = st.integers(0, 10**8).map(lambda number: f"{number / 1000:.3f}".rstrip("0").rstrip("."))


@given(st.lists(st.tuples(SECONDS, SECONDS, st.lists(PIECES, max_size=6).map("".join)), max_size=8))
def test_a_track_is_read_as_the_library_reads_it(rows: list[tuple[str, str, str]]) -> None:
    """As YouTube writes it: escaped for HTML, and then for XML."""
    xml = track(*(text(escape(escape(said)), start, duration) for start, duration, said in rows))
    assert timedtext.read(xml.encode()) == by_the_library(xml)


@given(st.text("<>&;#39'/ abtext=\"\n]!-?", max_size=40))
def test_whatever_is_in_a_line_is_never_read_otherwise_than_by_the_library(content: str) -> None:
    xml = track(text("said"), text(content), text("heard"))
    found = timedtext.read(xml.encode())
    if found is not None:
        assert found == by_the_library(xml)


def test_usual_tracks_are_read_here() -> None:
    said = text("it&amp;#39;s &amp;lt;b&amp;gt;said&amp;lt;/b&amp;gt;\nhere")
    found = timedtext.read(track(said, text(" "), text("世界 é")).encode())
    assert found == Lines([1500, 1500], [2250, 2250], ["it's said here", "世界 é"])
    without_length = track('<text start="3">said</text>').encode()
    assert timedtext.read(without_length) == Lines([3000], [0], ["said"])
    assert timedtext.read(track().encode()) == Lines([], [], [])


UNFAMILIAR: dict[str, Any] = {
    "nothing": "",
    "another root": f"{HEAD}<timedtext>{text('said')}</timedtext>",
    "another format": f'{HEAD}<timedtext format="3"><body><p t="1" d="2">said</p></body></timedtext>',
    "cut short": track(text("said"))[:-20],
    "an element within a line": track(text("<i>said</i>")),
    "an empty element": track('<text start="1" dur="2"/>'),
    "another attribute": track('<text start="1" dur="2" w="1">said</text>'),
    "zeros before a number": track(text("said", start="007.5")),
    "digits of another script": track(text("said", start="٣")),
    "no start": track('<text dur="2">said</text>'),
    "a number that is none": track(text("said", start="NaN")),
    "words between lines": track(text("said"), "heard"),
    "an entity of HTML": track(text("said&nbsp;")),
    "a bare ampersand": track(text("you & me")),
    "a control character": track(text("said\x00")),
    "the end of a section that was not begun": track(text("]]>")),
    "a comment": track("<!-- said -->", text("said")),
    "another space behind it": track(text("said")) + "\u00a0",
    "a document type": '<!DOCTYPE transcript [<!ENTITY a "b">]>' + track(text("&a;")),
}


@pytest.mark.parametrize("xml", UNFAMILIAR.values(), ids=UNFAMILIAR.keys())
def test_what_does_not_look_as_usual_is_left_to_the_library(xml: str) -> None:
    assert timedtext.read(xml.encode()) is None


def test_bytes_that_are_not_utf_8_are_left_to_the_library() -> None:
    assert timedtext.read(track(text("said")).encode().replace(b"said", b"s\xe4id")) is None
    assert timedtext.read(track(text("said\uffff")).encode()) is None
