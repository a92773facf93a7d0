"""Text of strangers in Markdown and YAML is shown as it is, as other people's parsers read it."""

from __future__ import annotations

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from shared.exports.markdown import inline, lines, tag, yaml

HOSTILE = r"""
# heading
#tag #C
- item
+ item
* item
1. one
1) one
> quote
>> Ann: hi
---
===
=
-
***
`code` ``
~~~
**bold** _it_ *x*
[a](javascript:alert(1))
![[Secret]]
![x](http://x)
[[link|x]]
<script>alert(1)</script>
<!-- x -->
<https://a.b>
&lt;b&gt; &#60; AT&T
~~gone~~
==marked==
%% hidden %%
$x^2$ costs $5
| a | b |
text ^block
a\*b\
[^1]: note
[x]: http://x
it's 50%, isn't it? (yes!) a=b
<% tp.file %>
{{date}}
\
2024
: term
""".strip().split("\n")


def shown(text: str) -> str:
    """The text that a reader of Markdown sees. Fails if there is anything but paragraphs of text."""
    parts: list[str] = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        assert token.type in ("paragraph_open", "inline", "paragraph_close"), (token.type, text)
        for each in token.children or ():
            if each.markup == "autolink":
                continue
            assert each.type in ("text", "text_special", "softbreak", "hardbreak"), (each.type, text)
            parts.append(each.content or "\n")
        if token.type == "inline":
            parts.append("\n\n")
    return "".join(parts).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    assert shown(lines(text)) == text
    assert shown(f"x {inline(text)}") == f"x {text}"


@given(st.lists(st.text("#-+=*_`[]()<>!&;~%$|^\\{}:.1 aé'\"", max_size=12).map(lambda each: each.strip())))
def test_any_text_is_shown_as_it_is(texts: list[str]) -> None:
    wanted = "\n".join(texts).strip()
    squeezed = [part for part in shown(lines("\n".join(texts))).split("\n") if part]
    # A reader of Markdown shows one space for several.
    assert squeezed == [part for part in wanted.split("\n") if part]


def test_what_is_no_markup_can_be_searched() -> None:
    said = "it's 50%, isn't it? (yes!) C#, a=b; x - y: 1.5 & 2"
    assert inline(said) == said


def test_what_only_obsidian_reads_is_escaped() -> None:
    assert inline("#tag ==a== %%b%% $c$ ^d [[e]]") == r"\#tag \=\=a\=\= \%\%b\%\% \$c\$ \^d \[\[e\]\]"


def test_addresses_become_links() -> None:
    text = "See https://a.example/b_c*d?e=f&lt=1, and\n(http://x_y.example/z_(a)) http://"
    found = MarkdownIt().parse(lines(text))[1].children or []
    targets = [each.attrGet("href") for each in found if each.type == "link_open"]
    assert targets == ["https://a.example/b_c*d?e=f&lt=1", "http://x_y.example/z_(a)"]


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "yes",
        "1:20",
        "null",
        "a: b # c",
        '"',
        "\\n",
        "\x85\u2028\ufeff\x7f",
        "👩‍🚀",
        "- x",
        "\t\n---\n",
        "",
    ],
)
def test_front_matter_reads_back(text: str) -> None:
    assert pyyaml.safe_load(f"a: {yaml(text)}\nb: {yaml([text, 'x'])}\nc: {yaml(True)}") == {
        "a": text,
        "b": [text, "x"],
        "c": True,
    }


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_reads_back_from_front_matter(text: str) -> None:
    made = f"a: {yaml(text)}"
    assert pyyaml.safe_load(made) == {"a": text}
    assert len(made.splitlines()) == 1


def test_a_broken_character_does_not_break_the_file() -> None:
    assert pyyaml.safe_load(yaml("a\ud800b")) == "a\ufffdb"


def test_tags() -> None:
    assert [tag(each) for each in ("Back Garden!", "2024", "a/b", "?!", "学校 話")] == [
        "Back-Garden", "2024_", "a/b", "", "学校-話",
    ]  # fmt: skip
