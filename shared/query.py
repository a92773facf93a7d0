"""The query language: text -> a tree of what is asked. Never fails: what cannot be understood is words.

::

    "exact phrase"  words are ANDed  OR |  -word  ( )  prefix*  fuzzy~  "two words"~8
    title: description: channel: language: after:2024-01-31 before: longer:20m shorter:1h

OR binds weaker than AND: ``neural network OR deep learning`` asks for either pair. Why it is written
by hand: docs/decisions/query-parser.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from shared.analysis import clean, fold, is_word
from shared.query_values import day, seconds

#: Characters that are read of a query, and of a word that is looked for with typing errors.
MAXIMUM_LENGTH = 2000
MAXIMUM_FUZZY = 40
#: What one query may cost: words and phrases beyond are left out (and the answer says so).
MAXIMUM_TERMS = 64
#: Brackets nested deeper are read as if they were not there.
MAXIMUM_DEPTH = 20
#: "within N words": more is as good as anywhere.
MAXIMUM_SLOP = 100


@dataclass(frozen=True, slots=True)
class Word:
    """A word in any of its forms. ``field``: title, description, channel, or None for all texts."""

    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """These words as they stand; with ``slop``, within so many words."""

    text: str
    slop: int = 0
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin so."""

    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Words that differ by a letter or two; ``edits`` None: by the word's length."""

    text: str
    edits: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """Transcripts in this language: ``pt`` means ``pt-BR`` too."""

    code: str


@dataclass(frozen=True, slots=True)
class Published:
    """``after``: on that day or later; ``before``: earlier than that day. RFC 3339 days."""

    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Lasting:
    """Longer, or shorter, than so many seconds."""

    longer: int | None = None
    shorter: int | None = None


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


Term = Word | Phrase | Prefix | Fuzzy
Filter = Language | Published | Lasting
Node = Term | Filter | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """``root`` is None when nothing is asked for (``q`` is empty, or nothing but punctuation)."""

    root: Node | None
    #: Sentences for the person: what of the query was left out.
    notices: tuple[str, ...] = ()

    def terms(self) -> list[Term]:
        """The words and phrases that a hit is to contain (not the excluded ones), in order."""
        return list(_terms(self.root)) if self.root else []


def _terms(node: Node) -> Iterator[Term]:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _terms(part)
        case Word() | Phrase() | Prefix() | Fuzzy():
            yield node


_TOKEN = re.compile(
    r"""
    (?P<quoted>-?(?:(?P<quoted_field>[a-z]+):)?"(?P<phrase>[^"]*)"(?:~(?P<slop>\d*))?)
  | (?P<open>-?(?:(?P<open_field>[a-z]+):)?\()
  | (?P<close>\))
  | (?P<bar>\|+)
  | (?P<word>[^\s()"|]+)
  | \s+ | "
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TEXT_FIELDS = frozenset({"title", "description", "channel"})
_FIELD = re.compile(r"([a-z]+):(.+)", re.IGNORECASE | re.DOTALL)


class _Group:
    """An open bracket: alternatives, each a list of what is ANDed."""

    def __init__(self, negative: bool = False, field: str | None = None) -> None:
        self.negative = negative
        self.field = field
        self.alternatives: list[list[Node]] = [[]]

    def add(self, node: Node | None, negative: bool) -> None:
        if node is None:
            return
        if negative:
            # -(-word) asks for the word, and so has its moments.
            node = node.part if isinstance(node, Not) else Not(node)
        self.alternatives[-1].append(node)

    def close(self) -> Node | None:
        parts = [And(tuple(one)) if len(one) > 1 else one[0] for one in self.alternatives if one]
        if not parts:
            return None
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]


def parse(text: str) -> Query:
    """Any text is a query."""
    groups = [_Group()]
    terms = 0
    too_many = False
    ignored = 0
    notices = []
    if len(text) > MAXIMUM_LENGTH:
        text = text[:MAXIMUM_LENGTH]
        notices.append(f"Only the first {MAXIMUM_LENGTH:,} characters were searched.")
    # Typographic quotes are quotes: phones type them. Only what is folded 1:1 elsewhere is touched here.
    text = re.sub("[“”„«»＂]", '"', text)
    for token in _TOKEN.finditer(text):
        group = groups[-1]
        negative = token[0].startswith("-")
        if token["open"]:
            if len(groups) > MAXIMUM_DEPTH:
                ignored += 1
                continue
            name = (token["open_field"] or "").lower()
            groups.append(_Group(negative, name if name in _TEXT_FIELDS else group.field))
            if name and name not in _TEXT_FIELDS:
                groups[-1].add(_word(name, group.field), False)
        elif token["close"]:
            if ignored:
                ignored -= 1
            elif len(groups) > 1:
                groups.pop()
                groups[-1].add(group.close(), group.negative)
        elif token["bar"] or token["word"] == "OR":
            group.alternatives.append([])
        elif token["quoted"] or token["word"]:
            if token["word"] == "AND":
                continue
            nodes = list(
                _quoted(token, group.field) if token["quoted"] else _words(token["word"], group.field)
            )
            if terms + len(nodes) > MAXIMUM_TERMS:
                too_many = True
                continue
            terms += len(nodes)
            group.add(nodes[0] if len(nodes) == 1 else And(tuple(nodes)) if nodes else None, negative)
    while len(groups) > 1:
        group = groups.pop()
        groups[-1].add(group.close(), group.negative)
    if too_many:
        notices.append(f"Only the first {MAXIMUM_TERMS} words and phrases were searched.")
    return Query(groups[0].close(), tuple(notices))


def _word(text: str, field: str | None) -> Word | None:
    text = clean(text)
    return Word(text, field) if is_word(fold(text)) else None


def _quoted(token: re.Match[str], field: str | None) -> Iterator[Node]:
    name = (token["quoted_field"] or "").lower()
    text = clean(token["phrase"])
    if name in _TEXT_FIELDS:
        field = name
    elif name:
        special = _filter(name, text)
        if special:
            yield special
            return
        if word := _word(name, field):
            yield word
    if is_word(fold(text)):
        slop = (token["slop"] or "0")[:6]
        yield Phrase(text, min(int(slop), MAXIMUM_SLOP), field)


def _words(raw: str, field: str | None) -> Iterator[Node]:
    """``-`` has been read. What looks like a field and is none is words."""
    raw = raw.lstrip("-")
    named = _FIELD.fullmatch(raw)
    if named:
        name, value = named[1].lower(), named[2]
        if name in _TEXT_FIELDS:
            yield from _words(value, name)
            return
        if special := _filter(name, value):
            yield special
            return
    for text in re.split("[:：]+", raw):
        if (term := _term(clean(text), field)) is not None:
            yield term


def _term(text: str, field: str | None) -> Term | None:
    if not is_word(fold(text)):
        return None
    if fuzzy := re.fullmatch(rf"(.{{3,{MAXIMUM_FUZZY}}})~(\d{{0,6}})\d*", text):
        return Fuzzy(fuzzy[1], min(int(fuzzy[2]), 2) if fuzzy[2] else None, field)
    # A leading star would read every word there is; a single letter's words are nearly as many.
    stem = text.strip("*")
    if text.endswith("*") and len(stem) >= 2 and "*" not in stem:
        return Prefix(stem, field)
    return Word(text.replace("*", " ").strip(" ~") or text, field)


def _filter(name: str, value: str) -> Filter | None:
    """None if it is not a filter, or its value cannot be understood."""
    value = value.strip()
    if name == "language" and re.fullmatch(r"[A-Za-z]{2,12}([-_][A-Za-z0-9]{1,8})*", value):
        return Language(value.replace("_", "-"))
    if name in ("after", "before") and (date := day(value)):
        return replace(Published(), **{name: date})
    if name in ("longer", "shorter") and (length := seconds(value)) is not None:
        return replace(Lasting(), **{name: length})
    return None
