"""The query language: any text is parsed into a tree."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.staging import ROOT
from shared.search.language import (
    MAXIMUM_DEPTH,
    MAXIMUM_FUZZY,
    MAXIMUM_LENGTH,
    MAXIMUM_NOTICES,
    MAXIMUM_SLOP,
    MAXIMUM_TERMS,
    parse,
)
from shared.search.query import (
    And,
    Fuzzy,
    Language,
    Lasting,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Published,
    Video,
    Word,
)

DOCS = ROOT / "docs" / "query-language.md"


def both(*parts: Node) -> And:
    return And(parts)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("", None),
        ("  ", None),
        ("cat", Word("cat")),
        ("cat dog", both(Word("cat"), Word("dog"))),
        ("cat AND dog", both(Word("cat"), Word("dog"))),
        ('"cat dog"', Phrase("cat dog")),
        ("“cat dog”", Phrase("cat dog")),
        ('"cat dog"~8', Phrase("cat dog", 8)),
        ('"cat dog"~', Phrase("cat dog")),
        ('"cat dog"~999999', Phrase("cat dog", MAXIMUM_SLOP)),
        ('"cat dog"~' + "9" * 99, Phrase("cat dog", MAXIMUM_SLOP)),
        ("cat OR dog", Or((Word("cat"), Word("dog")))),
        ("cat | dog", Or((Word("cat"), Word("dog")))),
        ("cat|dog", Or((Word("cat"), Word("dog")))),
        ("cat or dog", both(Word("cat"), Word("or"), Word("dog"))),
        ("a b OR c", Or((both(Word("a"), Word("b")), Word("c")))),
        ("a (b OR c)", both(Word("a"), Or((Word("b"), Word("c"))))),
        ("cat -dog", both(Word("cat"), Not(Word("dog")))),
        ('cat -"hot dog"', both(Word("cat"), Not(Phrase("hot dog")))),
        ("cat -(dog OR cow)", both(Word("cat"), Not(Or((Word("dog"), Word("cow")))))),
        ("-dog", Not(Word("dog"))),
        ("cat NOT dog", both(Word("cat"), Not(Word("dog")))),
        ("cat AND NOT dog", both(Word("cat"), Not(Word("dog")))),
        ('cat NOT "hot dog"', both(Word("cat"), Not(Phrase("hot dog")))),
        ("cat NOT (dog OR cow)", both(Word("cat"), Not(Or((Word("dog"), Word("cow")))))),
        ("cat NOT title:dog", both(Word("cat"), Not(Word("dog", "title")))),
        ("cat OR NOT dog", Or((Word("cat"), Not(Word("dog"))))),
        ("NOT NOT dog", Word("dog")),
        ("NOT -dog", Word("dog")),
        ("cat NOT", both(Word("cat"), Word("NOT"))),
        ("cat (NOT) dog", both(Word("cat"), Word("NOT"), Word("dog"))),
        ("cat not dog", both(Word("cat"), Word("not"), Word("dog"))),
        ("cat −dog", both(Word("cat"), Not(Word("dog")))),
        ("cat –dog", both(Word("cat"), Not(Word("dog")))),
        ('cat —"hot dog"', both(Word("cat"), Not(Phrase("hot dog")))),
        ("cat –(dog)", both(Word("cat"), Not(Word("dog")))),
        ("cat – dog — cow", both(Word("cat"), Word("dog"), Word("cow"))),
        ("1990–2000 well–known", both(Word("1990–2000"), Word("well–known"))),
        # A quotation mark inside of a word, or of inches.
        ('צה"ל', Word('צה"ל')),
        ('צה"ל ארה״ב', both(Word('צה"ל'), Word('ארה"ב'))),
        ('"צה"ל הודיע" דו"ח', both(Phrase('צה"ל הודיע'), Word('דו"ח'))),
        ('24" monitor 19" screen', both(Word("24"), Word("monitor"), Word("19"), Word("screen"))),
        ('"top 10" list', both(Phrase("top 10"), Word("list"))),
        ('"cat dog"and "cow pig"', both(Phrase("cat dog"), Word("and"), Phrase("cow pig"))),
        ('"機械学習"と"深層学習"', both(Phrase("機械学習"), Word("と"), Phrase("深層学習"))),
        ("学习“机器”", both(Word("学习"), Phrase("机器"))),
        ("„cat dog“ und »cow pig«", both(Phrase("cat dog"), Word("und"), Phrase("cow pig"))),
        ("cat„dog cow“pig", both(Word("cat"), Phrase("dog cow"), Word("pig"))),
        ("title:“cat dog”~3", Phrase("cat dog", 3, "title")),
        ("“צה”ל הודיע”", Phrase('צה"ל הודיע')),
        ("cat ‑dog", both(Word("cat"), Not(Word("dog")))),
        ("cat －dog", both(Word("cat"), Not(Word("dog")))),
        ("language：en", Language("en")),
        ('-title:"hot dog"', Not(Phrase("hot dog", 0, "title"))),
        ("well-known", Word("well-known")),
        ("pre*", Prefix("pre")),
        ("fuzzy~", Fuzzy("fuzzy")),
        ("fuzzy~1", Fuzzy("fuzzy", 1)),
        ("fuzzy~9", Fuzzy("fuzzy", 2)),
        ("fuzzy~" + "9" * 99, Fuzzy("fuzzy", 2)),
        ("a" * 99 + "~", Word("a" * 99)),
        ("title:cat", Word("cat", "title")),
        ("TITLE:cat", Word("cat", "title")),
        ('title:"cat dog"', Phrase("cat dog", 0, "title")),
        ("title:(cat dog)", both(Word("cat", "title"), Word("dog", "title"))),
        ("description:ca*", Prefix("ca", "description")),
        ("-channel:cat", Not(Word("cat", "channel"))),
        ("language:pt-BR", Language("pt-BR")),
        ('language:"de"', Language("de")),
        ("after:2024-01-31", Published(after="2024-01-31")),
        ("before:2024", Published(before="2024-01-01")),
        ("longer:20m", Lasting(longer=1200)),
        ("shorter:1h", Lasting(shorter=3600)),
        ("longer:1h30m", Lasting(longer=5400)),
        ("longer:1:30:00", Lasting(longer=5400)),
        ("longer:15", Lasting(longer=900)),
        ("cat OR after:2024", Or((Word("cat"), Published(after="2024-01-01")))),
    ],
)
def test_operators_and_fields(text: str, root: Node | None) -> None:
    assert parse(text).root == root


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ('"cat dog', both(Word("cat"), Word("dog"))),
        ("(cat", Word("cat")),
        ("cat)", Word("cat")),
        (")cat(", Word("cat")),
        ("cat OR", Word("cat")),
        ("OR cat", Word("cat")),
        ("cat || dog", Or((Word("cat"), Word("dog")))),
        ("()", None),
        ('""', None),
        ("- -- -", None),
        ("?! ... ***", None),
        ("*cat", Word("cat")),
        ("a*", Word("a")),
        ("c*t", Word("c t")),
        ("after:yesterday", both(Word("after"), Word("yesterday"))),
        ("after:2024-02-31", both(Word("after"), Word("2024-02-31"))),
        ("longer:long", both(Word("longer"), Word("long"))),
        ("nofield:cat", both(Word("nofield"), Word("cat"))),
        ('nofield:"cat dog"', both(Word("nofield"), Phrase("cat dog"))),
        ("title:", Word("title")),
        ("-(-cat)", Word("cat")),
        ("cat ½ ™ 。 ● dog", both(Word("cat"), Word("dog"))),
        ("cat ☕", both(Word("cat"), Word("☕"))),
        ("🎻", Word("🎻")),
        ("\u200fcat\u200e", Word("cat")),
        ("10:30", both(Word("10"), Word("30"))),
    ],
)
def test_other_text_is_read_as_words(text: str, root: Node | None) -> None:
    assert parse(text).root == root


@pytest.mark.parametrize(
    ("text", "video_id"),
    [
        ("dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("-Qw4w9WgX_Q", "-Qw4w9WgX_Q"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("www.youtube.com/watch?list=PLx&v=dQw4w9WgXcQ&t=1m", "dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ?t=42", "dQw4w9WgXcQ"),
        ("HTTPS://M.YOUTUBE.COM/shorts/dQw4w9WgXcQ/", "dQw4w9WgXcQ"),
        ("https://music.youtube.com/watch?v=dQw4w9WgXcQ#x", "dQw4w9WgXcQ"),
        ('"https://youtu.be/dQw4w9WgXcQ".', "dQw4w9WgXcQ"),
        ("(<https://youtu.be/dQw4w9WgXcQ>)", "dQw4w9WgXcQ"),
        ("https://www.youtube.com/watch\\?v\\=dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        (
            "https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3DdQw4w9WgXcQ",
            "dQw4w9WgXcQ",
        ),
        ("https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg", "dQw4w9WgXcQ"),
        ("-9wtIMTCHWu", "-9wtIMTCHWu"),
        ("-wtIMTCHWuI", "-wtIMTCHWuI"),
    ],
)
def test_an_id_or_an_address_names_a_video(text: str, video_id: str) -> None:
    root = parse(f" {text} ").root
    assert Video(video_id) in (root.parts if isinstance(root, Or) else (root,))


@pytest.mark.parametrize(
    "text",
    [
        "programming",
        "short",
        "dQw4w9WgXcQx",
        "https://example.org/watch?v=dQw4w9WgXcQ",
        "a b c d e f",
    ],
)
def test_other_text_names_no_video(text: str) -> None:
    assert "Video(" not in repr(parse(text))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("language:xx-toolongsubtag foo", "language:xx-toolongsubtag"),
        ("language:english", "en or pt-BR"),
        ("after:yesterday x", "2024-01-31"),
        ("before:2024-13", "before:2024-13"),
        ("longer:abc x", "20m"),
        ('shorter:"very short"', "shorter:very short"),
        ("-after:soon", "after:soon"),
        ("language:(en OR fr) foo", "language:(…)"),
        ("after:(2020) foo", "after:(…)"),
    ],
)
def test_a_notice_names_a_filter_that_is_not_understood(text: str, named: str) -> None:
    (notice,) = parse(text).notices
    assert named in notice
    assert "searched as words" in notice


def test_there_are_few_notices_about_many_filters() -> None:
    assert len(parse(" ".join(f"after:x{number}" for number in range(40))).notices) == MAXIMUM_NOTICES


def test_terms_leaves_out_excluded_words() -> None:
    assert parse('a -b (c OR -"d e") title:f').terms() == [Word("a"), Word("c"), Word("f", "title")]


def test_a_notice_says_that_words_were_left_out() -> None:
    query = parse(" ".join(f"word{number}" for number in range(MAXIMUM_TERMS + 1)))
    assert len(query.terms()) == MAXIMUM_TERMS
    assert str(MAXIMUM_TERMS) in query.notices[0]
    assert parse("few words").notices == ()


def test_a_notice_says_that_a_long_query_was_cut() -> None:
    query = parse("cat " + " " * MAXIMUM_LENGTH + "dog")
    assert query.root == Word("cat")
    assert query.notices == ("Only the first 2,000 characters were searched.",)


def test_brackets_can_be_nested_to_any_depth() -> None:
    assert parse("(" * 900 + "cat" + ")" * 900).root == Word("cat")
    assert parse("-(" * 19 + "cat" + ")" * 19 + " dog").terms() == [Word("dog")]


@settings(deadline=None)
@given(
    st.text(alphabet=st.sampled_from('ab":()|-*~ OR\\/[]{}^!&é机\ud800\ue000\n'), max_size=200) | st.text()
)
def test_any_text_is_a_query(text: str) -> None:
    query = parse(text)
    for term in query.terms():
        assert term.text.strip()


def test_parsing_is_fast_for_any_input() -> None:
    begun = time.monotonic()
    for text in ("a" * 100_000, "a:" * 50_000, '"' * 100_000, "-(" * 50_000, "~" * 100_000, '"a"~' * 20_000):
        parse(text)
    assert time.monotonic() - begun < 5


def documented() -> list[tuple[str, str]]:
    """The examples in the first column of the tables of docs/query-language.md, each with its heading."""
    examples, heading = [], ""
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        heading = line.removeprefix("## ") if line.startswith("## ") else heading
        if line.startswith("| `"):
            # Within a table, a bar is escaped.
            cell = line.replace("\\|", "\0").split("|")[1].replace("\0", "|")
            examples += [(heading, example) for example in re.findall(r"`([^`]+)`", cell)]
    return examples


def test_the_documentation_has_examples_of_everything() -> None:
    roots = [parse(example).root for _, example in documented()]
    found = {type(part) for root in roots for part in (root, *getattr(root, "parts", ()))}
    assert found >= {And, Or, Not, Word, Phrase, Prefix, Fuzzy, Language, Published, Lasting}


@pytest.mark.parametrize(("heading", "example"), documented())
def test_an_example_of_the_documentation_is_what_it_says(heading: str, example: str) -> None:
    query = parse(example)
    assert query.root is not None
    assert not query.notices or heading == "What is read otherwise"
    if heading == "Fields":
        kinds = (Language, Published, Lasting)
        assert isinstance(query.root, kinds) or all(term.field for term in query.terms())
    if heading == "What is read otherwise":
        assert all(isinstance(term, Word | Phrase) and term.field is None for term in query.terms())


def test_the_documentation_names_the_limits() -> None:
    text = DOCS.read_text(encoding="utf-8")
    long, many = parse("a" * (MAXIMUM_LENGTH + 1)), parse("a b " * MAXIMUM_TERMS)
    for notice in (*long.notices, *many.notices):
        assert f"| {notice} |" in text
    assert f"nested deeper than {MAXIMUM_DEPTH} " in text
    assert f"more than {MAXIMUM_FUZZY}\ncharacters" in text
    assert f"(at most {MAXIMUM_SLOP})" in text
