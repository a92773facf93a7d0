"""Caption tracks: the same lines as the library's parser finds, and an error for anything else."""

from __future__ import annotations

import re
from html import escape
from xml.etree.ElementTree import ParseError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from youtube_transcript_api._transcripts import _TranscriptParser

from shared.transcripts.transcript import Line, Lines
from shared.youtube import timedtext

HEAD = '<?xml version="1.0" encoding="utf-8" ?>'


def track(*lines: str) -> str:
    return f"{HEAD}<transcript>{''.join(lines)}</transcript>"


def text(content: str, start: str = "1.5", duration: str = "2.25") -> str:
    return f'<text start="{start}" dur="{duration}">{content}</text>'


def by_the_library(xml: str) -> Lines:
    """The library's lines, before it drops everything in angle brackets."""
    parser = _TranscriptParser()
    parser._html_regex = re.compile("(?!)")
    found = parser.parse(xml)
    rows = [Line(each.start, each.duration, " ".join(each.text.split())) for each in found]
    return Lines.from_rows(row for row in rows if row.text)


#: What a line can contain.
PIECES = st.one_of(
    st.sampled_from(
        ["it's", "<T>", "</x>", "&amp;", "&#39;", "&quot;", "a < b", "&nbsp;", "\n", "  ", "♪", "世界", ">>"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=5),
)
SECONDS = st.integers(0, 10**8).map(lambda number: f"{number / 1000:.3f}".rstrip("0").rstrip("."))
ROWS = st.lists(st.tuples(SECONDS, SECONDS, st.lists(PIECES, max_size=6).map("".join)), max_size=8)


@given(ROWS, st.booleans())
def test_a_track_has_the_lines_that_the_library_finds(rows: list[tuple[str, str, str]], usual: bool) -> None:
    """As YouTube writes it: escaped for HTML, and then for XML."""
    xml = track(*(text(escape(escape(said)), start, duration) for start, duration, said in rows))
    if not usual:
        xml = xml.replace("<transcript>", "<transcript ><!-- a comment -->")
    assert timedtext.parse(xml.encode()) == by_the_library(xml)


@given(st.text("<>&;#39'/ aktext=\"\n]!-?", max_size=40))
def test_well_formed_content_is_never_read_otherwise_than_by_the_library(content: str) -> None:
    xml = track(text("said"), text(content), text("heard"))
    try:
        expected = by_the_library(xml)
    except (ParseError, ValueError, KeyError):
        return
    assert timedtext.parse(xml.encode()).texts in (expected.texts, [*expected.texts[:1], *_more(xml)])


def _more(xml: str) -> list[str]:
    """The texts after the first line with the text of nested elements, which the library leaves out."""
    from defusedxml import ElementTree

    found = [" ".join("".join(each.itertext()).split()) for each in list(ElementTree.fromstring(xml))[1:]]
    return [each for each in found if each]


def test_lines_have_words_and_whole_milliseconds() -> None:
    said = text("it&amp;#39;s &lt;b&gt;said&lt;/b&gt;\nhere")
    found = timedtext.parse(track(said, text(" "), text("世界 é")).encode())
    assert found == Lines([1500, 1500], [2250, 2250], ["it's said here", "世界 é"])
    assert timedtext.parse(track('<text start="3">said</text>').encode()) == Lines([3000], [0], ["said"])
    assert timedtext.parse(track().encode()) == Lines([], [], [])


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("if x &lt; 5 and y &gt; 3 we stop", "if x < 5 and y > 3 we stop"),
        ("if x < 5 and y > 3 we stop", "if x < 5 and y > 3 we stop"),
        ("a List<String>, a Map<K, V>", "a List<String>, a Map<K, V>"),
        ("a List&lt;String&gt;", "a List<String>"),
        ("the &lt;b&gt; tag makes it <b>bold</b>", "the <b> tag makes it bold"),
        ("vector<int> and <iostream>, <stdio.h>", "vector<int> and <iostream>, <stdio.h>"),
        ("a -> b, b <- a, a <=> b, <3", "a -> b, b <- a, a <=> b, <3"),
        ("a<b and c>d", "a<b and c>d"),
        ('<font color="#E5E5E5">so</font> <I>it</I> <u>is</u>', "so it is"),
        ("<00:00:01.000><c> so</c><00:00:01.500><c.colorE5E5E5> it</c>", "so it"),
        ("<v Roger Bingham>So<v.loud Neil deGrasse Tyson> it</v>", "So it"),
        ("<ruby>漢<rt>かん</rt></ruby>", "漢かん"),
        ("one<br>two<br/>three<p>four</p>", "one two three four"),
        ('<span style="x">so</span> <b >it</b >', "so it"),
        ("<00:01> is a time", "<00:01> is a time"),
        # What only looks like a tag.
        ("if b <c and d> e we stop", "if b <c and d> e we stop"),
        ("u <v and w> 3, n <p and p> q", "u <v and w> 3, n <p and p> q"),
        ("a <div by zero> b, x <br y> z", "a <div by zero> b, x <br y> z"),
        ("Set<S>, Map<U>, Array<Font>, vector<b>", "Set<S>, Map<U>, Array<Font>, vector<b>"),
        ("press <Del>, then <I> to insert", "press <Del>, then <I> to insert"),
        ("the <b> tag is <i>not</i> the <em> tag", "the <b> tag is not the <em> tag"),
        ("<C> language, <Font> tag", "<C> language, <Font> tag"),
        ("<a href='x'>link</a> <code>x</code>", "<a href='x'>link</a> <code>x</code>"),
        ("<i class=x>so</i> <font color='red' face=\"x y\">it</font> <C.yellow.bg>is</C>", "so it is"),
        ("<b><i>nested</b></i>", "nested"),
        ("H<sub>2</sub>O <lang en-GB>colour</lang>", "H2O colour"),
    ],
)
def test_only_what_formats_a_line_is_dropped(html: str, words: str) -> None:
    content = escape(html, quote=False)
    assert timedtext.parse(track(text(content)).encode()).texts == [words]
    # The same in a track that does not look as usual.
    assert timedtext.parse(track("<!-- -->", text(content)).encode()).texts == [words]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["<i>one", "two</i>", "three"], ["one", "two", "three"]),
        (["- <i>one", "two", "three</i>."], ["- one", "two", "three."]),
        (["<v Ada>one", "<v Bob>two"], ["one", "two"]),
        (["a Set<S>", "a <s>struck</s> word"], ["a Set<S>", "a struck word"]),
        (["the <b> tag", "ends with </b> here"], ["the <b> tag", "ends with </b> here"]),
    ],
)
def test_whole_lines_may_be_formatted(lines: list[str], words: list[str]) -> None:
    escaped = [text(escape(each, quote=False)) for each in lines]
    assert timedtext.parse(track(*escaped).encode()).texts == words


@pytest.mark.parametrize(
    "line",
    [
        '<text dur="2.25" start="1.5">said</text>',
        '<text start="1.5" dur="2.25" w="1">said</text>',
        "<text start='1.5' dur='2.25'>said</text>",
        text("<i>sa</i>id"),
        text("<![CDATA[said]]>"),
        '<!-- a comment --><text start="1.5" dur="2.25">said</text>',
    ],
)
def test_tracks_in_another_form_are_read(line: str) -> None:
    found = timedtext.parse(track(line, text("heard", "4", "1")).encode())
    assert found == Lines([1500, 4000], [2250, 1000], ["said", "heard"])


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<html><body>Sorry</body></html>",
        f"{HEAD}<timedtext>{text('said')}</timedtext>",
        f'{HEAD}<timedtext format="3"><body><p t="1" d="2">said</p></body></timedtext>',
        track(text("said"))[:-20],
        track('<text dur="2">said</text>'),
        track(text("said", start="soon")),
        track(text("said", start="1.2.3")),
        track(text("said\0")),
        '<!DOCTYPE transcript [<!ENTITY a "b">]>' + track(text("&a;", "1 ")),
        f'<!DOCTYPE transcript [<!ENTITY a "b">]><transcript>{text("&a;")}</transcript>',
    ],
)
def test_anything_else_is_an_error(xml: str) -> None:
    with pytest.raises(ParseError):
        timedtext.parse(xml.encode())
