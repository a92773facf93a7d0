"""The query language: parses the text of a search into a tree.

::

    "exact phrase"  words are ANDed  OR |  -word  ( )  prefix*  fuzzy~  "two words"~8
    title: description: channel: language: after:2024-01-31 before: longer:20m shorter:1h

OR binds weaker than AND: ``neural network OR deep learning`` finds either pair. Parsing never fails: text
that is not understood is read as words. docs/query-language.md describes the language for users, and
docs/decisions/query-parser.md says why the parser is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.search.index.analysis import clean, fold, is_word
from shared.search.language_values import day, seconds

#: Characters of a query, and characters of a word that is searched with typing errors.
MAXIMUM_LENGTH = 2000
MAXIMUM_FUZZY = 40
#: Words and phrases of one query. This limits its cost.
MAXIMUM_TERMS = 64
#: Brackets nested deeper than this are ignored.
MAXIMUM_DEPTH = 20
#: The most words between the words of a phrase. More would mean "anywhere".
MAXIMUM_SLOP = 100


@dataclass(frozen=True, slots=True)
class Word:
    """A word in any of its forms. ``field``: title, description, channel, or None for all texts."""

    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """These words in this order. With ``slop``: at most so many words apart, in any order."""

    text: str
    slop: int = 0
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin with this."""

    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Words that differ by one or two letters. ``edits`` None: the word's length decides how many."""

    text: str
    edits: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """Transcripts in this language. ``pt`` includes ``pt-BR``."""

    code: str


@dataclass(frozen=True, slots=True)
class Published:
    """``after``: on that day or later. ``before``: earlier than that day. RFC 3339 days."""

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
    """``root`` is None if the text has no word: it is empty, or nothing but punctuation.

    ``notices``: sentences for the user that say which part of the text was not searched.
    """

    root: Node | None
    notices: tuple[str, ...] = ()

    def terms(self) -> list[Term]:
        """The words and phrases that a hit should contain, in order. Excluded ones are left out."""
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


def parse(text: str) -> Query:
    """Parses any text. It never raises."""
    notices = []
    if len(text) > MAXIMUM_LENGTH:
        text = text[:MAXIMUM_LENGTH]
        notices.append(f"Only the first {MAXIMUM_LENGTH:,} characters were searched.")
    # Phones type typographic quotation marks.
    text = re.sub("[“”„«»＂]", '"', text)
    parser = _Parser()
    for token in _TOKEN.finditer(text):
        parser.read(token)
    root = parser.finish()
    if parser.too_many_terms:
        notices.append(f"Only the first {MAXIMUM_TERMS} words and phrases were searched.")
    return Query(root, tuple(notices))


class _Group:
    """An open bracket. Its content is a list of alternatives; each is a list of nodes that are ANDed."""

    def __init__(self, negative: bool = False, field: str | None = None) -> None:
        self.negative = negative
        self.field = field
        self.alternatives: list[list[Node]] = [[]]

    def add(self, node: Node | None, negative: bool) -> None:
        if node is None:
            return
        if negative:
            # -(-word) asks for the word, and its places are shown.
            node = node.part if isinstance(node, Not) else Not(node)
        self.alternatives[-1].append(node)

    def close(self) -> Node | None:
        parts = [_all(one) for one in self.alternatives if one]
        if not parts:
            return None
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]


def _all(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else And(tuple(nodes))


class _Parser:
    """Builds the tree token by token. The groups are a stack: the last one is the innermost open bracket."""

    def __init__(self) -> None:
        self.too_many_terms = False
        self._groups = [_Group()]
        self._terms = 0
        #: Open brackets that were too deep.
        self._ignored = 0

    def read(self, token: re.Match[str]) -> None:
        group = self._groups[-1]
        negative = token[0].startswith("-")
        if token["open"]:
            self._open(negative, (token["open_field"] or "").lower(), group.field)
        elif token["close"]:
            self._close()
        elif token["bar"] or token["word"] == "OR":
            group.alternatives.append([])
        elif token["quoted"]:
            self._add(group, list(_quoted(token, group.field)), negative)
        elif token["word"] and token["word"] != "AND":
            self._add(group, list(_words(token["word"], group.field)), negative)

    def finish(self) -> Node | None:
        """Closes all groups and returns the tree."""
        while len(self._groups) > 1:
            self._close_innermost()
        return self._groups[0].close()

    def _open(self, negative: bool, name: str, outer_field: str | None) -> None:
        if len(self._groups) > MAXIMUM_DEPTH:
            self._ignored += 1
            return
        is_field = name in _TEXT_FIELDS
        self._groups.append(_Group(negative, name if is_field else outer_field))
        if name and not is_field:
            self._groups[-1].add(_word(name, outer_field), False)

    def _close(self) -> None:
        if self._ignored:
            self._ignored -= 1
        elif len(self._groups) > 1:
            self._close_innermost()

    def _close_innermost(self) -> None:
        group = self._groups.pop()
        self._groups[-1].add(group.close(), group.negative)

    def _add(self, group: _Group, nodes: Sequence[Node], negative: bool) -> None:
        if self._terms + len(nodes) > MAXIMUM_TERMS:
            self.too_many_terms = True
            return
        self._terms += len(nodes)
        group.add(_all(nodes) if nodes else None, negative)


def _word(text: str, field: str | None) -> Word | None:
    text = clean(text)
    return Word(text, field) if is_word(fold(text)) else None


def _quoted(token: re.Match[str], field: str | None) -> Iterator[Node]:
    name = (token["quoted_field"] or "").lower()
    text = clean(token["phrase"])
    if name in _TEXT_FIELDS:
        field = name
    elif name:
        if filter_ := _filter(name, text):
            yield filter_
            return
        if word := _word(name, field):
            yield word
    if is_word(fold(text)):
        slop = (token["slop"] or "0")[:6]
        yield Phrase(text, min(int(slop), MAXIMUM_SLOP), field)


def _words(raw: str, field: str | None) -> Iterator[Node]:
    """The nodes of an unquoted token. An unknown field name is read as a word."""
    raw = raw.lstrip("-")
    if named := _FIELD.fullmatch(raw):
        name, value = named[1].lower(), named[2]
        if name in _TEXT_FIELDS:
            yield from _words(value, name)
            return
        if filter_ := _filter(name, value):
            yield filter_
            return
    for text in re.split("[:：]+", raw):
        if (term := _term(clean(text), field)) is not None:
            yield term


def _term(text: str, field: str | None) -> Term | None:
    if not is_word(fold(text)):
        return None
    if fuzzy := re.fullmatch(rf"(.{{3,{MAXIMUM_FUZZY}}})~(\d{{0,6}})\d*", text):
        return Fuzzy(fuzzy[1], min(int(fuzzy[2]), 2) if fuzzy[2] else None, field)
    # A star at the beginning would read all words of the index, and a single letter nearly as many.
    stem = text.strip("*")
    if text.endswith("*") and len(stem) >= 2 and "*" not in stem:
        return Prefix(stem, field)
    return Word(text.replace("*", " ").strip(" ~") or text, field)


def _filter(name: str, value: str) -> Filter | None:
    """None if there is no such filter, or its value is not understood."""
    value = value.strip()
    if name == "language" and re.fullmatch(r"[A-Za-z]{2,12}([-_][A-Za-z0-9]{1,8})*", value):
        return Language(value.replace("_", "-"))
    if name in ("after", "before") and (date := day(value)):
        return Published(after=date) if name == "after" else Published(before=date)
    if name in ("longer", "shorter") and (length := seconds(value)) is not None:
        return Lasting(longer=length) if name == "longer" else Lasting(shorter=length)
    return None
