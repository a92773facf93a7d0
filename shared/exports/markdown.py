"""Text of strangers in Markdown and YAML, as it is: it marks up nothing, and stays easy to search.

An escape for every sign would be safer to write, and nobody would find "it's" in a note with "it\\'s". So
only what Obsidian, CommonMark or GitHub could read as markup is escaped, and only where they would
(https://spec.commonmark.org/0.31.2/, https://help.obsidian.md/obsidian-flavored-markdown).
"""

from __future__ import annotations

import json
import re

_MARKUP = re.compile(
    # Emphasis, code, links, HTML, formulas, deleted text and tables, wherever they are.
    r"[\\`*_\[\]<$~|]"
    # Marked text and comments of Obsidian.
    r"|=(?==)|(?<==)=|%(?=%)|(?<=%)%"
    # Headings, tags and ids of blocks begin a word.
    r"|(?<!\S)[#^]"
    # &amp; and the like.
    r"|&(?=#?\w+;)"
)
#: What begins a list, a quote, a rule or an underlined heading.
_BEGIN = re.compile(r"\A([-+=>:])|\A(\d{1,9})(?=[.)])")
#: Without the punctuation of the sentence around it, but with brackets within.
_ADDRESS = re.compile(
    r"https?://(?:\([^\s<>()]*\)|[^\s<>()])*(?:\([^\s<>()]*\)|[^\s<>()\]?!.,:;*~'\"])", re.IGNORECASE
)
#: What YAML 1.2 does not print, or reads as the end of a line (https://yaml.org/spec/1.2.2/#51-character-set).
_UNPRINTED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: What a tag of Obsidian cannot have (https://help.obsidian.md/tags): spaces, and punctuation except - _ /.
_NO_TAG = re.compile(r"[\s!-,.:-@\[-^`{-~\u2000-\u206f\u3000-\u303f]+")


def inline(text: str) -> str:
    """Text within a line."""
    return _MARKUP.sub(r"\\\g<0>", text)


def lines(text: str) -> str:
    """Text of several lines. Their ends stay, and web addresses become links."""
    return "  \n".join(_line(each.strip()) for each in text.split("\n")).replace("\n  \n", "\n\n")


def _line(text: str) -> str:
    parts: list[str] = []
    end = 0
    for address in _ADDRESS.finditer(text):
        # What is in angle brackets needs no escape, and would show one.
        parts += [inline(text[end : address.start()]), f"<{address[0]}>"]
        end = address.end()
    return _BEGIN.sub(_escaped_begin, "".join([*parts, inline(text[end:])]))


def _escaped_begin(begin: re.Match[str]) -> str:
    return f"\\{begin[1]}" if begin[1] else f"{begin[2]}\\"


def yaml(value: str | list[str] | bool) -> str:
    """A value of front matter on one line. Text is quoted, so that it is never a number, a date or a key."""
    if isinstance(value, list):
        return "[" + ", ".join(map(yaml, value)) + "]"
    text = json.dumps(
        _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value, ensure_ascii=False
    )
    return _UNPRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def tag(text: str) -> str:
    """A tag of Obsidian; empty if nothing is left of the text."""
    found = _NO_TAG.sub("-", text).strip("-")
    # A tag of digits alone would be text.
    return f"{found}_" if found.isdecimal() else found
