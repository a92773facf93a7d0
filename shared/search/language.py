"""The query language: parses the text of a search into a tree.

::

    "exact phrase"  words are ANDed  OR |  -word  NOT word  ( )  prefix*  fuzzy~  "two words"~8
    title: description: chapter: channel: language: after:2024-01-31 before: longer:20m shorter:1h

OR binds weaker than AND: ``neural network OR deep learning`` finds either pair. Parsing never fails: text
that is not understood is read as words. docs/query-language.md describes the language for users, and
docs/decisions/query-parser.md says why the parser is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shared.search.index.analysis import SPACELESS, clean
from shared.search.index.folding import has_word
from shared.search.language_values import day, named_video, seconds
from shared.search.query import (
    And,
    Filter,
    Fuzzy,
    Language,
    Lasting,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Published,
    Query,
    Term,
    Video,
    Word,
)

#: Characters of a query, and characters of a word that is searched with typing errors.
MAXIMUM_LENGTH = 2000
MAXIMUM_FUZZY = 40
#: Words and phrases of one query. This limits its cost.
MAXIMUM_TERMS = 64
#: Brackets nested deeper than this are ignored.
MAXIMUM_DEPTH = 20
#: Sentences for the user about one query.
MAXIMUM_NOTICES = 5
#: The most words between the words of a phrase. More would mean "anywhere".
MAXIMUM_SLOP = 100


#: A minus, also as phones, word processors and Japanese keyboards type it.
_MINUS = "[-\u2010-\u2015\u2212\ufe63\uff0d]"
_HEBREW = "[א-ת]"
#: A letter or a digit of a script with spaces.
_BEFORE = f"(?![{SPACELESS}])[^\\W_]"
#: A quotation mark behind a letter or a digit opens no phrase: it means inches, or is in a Hebrew acronym.
_TOKEN = re.compile(
    rf"""
    (?P<quoted>{_MINUS}?(?:(?P<quoted_field>[a-z]+):)?
        (?<!{_BEFORE})"(?P<phrase>(?:[^"]|(?<={_HEBREW})"(?={_HEBREW}))*)"(?:~(?P<slop>\d*))?)
  | (?P<open>{_MINUS}?(?:(?P<open_field>[a-z]+):)?\()
  | (?P<close>\))
  | (?P<bar>\|+)
  | (?P<word>(?:[^\s()"|]|(?<={_BEFORE})")+)
  | \s+ | "
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TEXT_FIELDS = frozenset({"title", "description", "chapter", "channel"})
_FIELD = re.compile(r"([a-z]+):(.+)", re.IGNORECASE | re.DOTALL)
#: Filter → the value that is expected.
_FILTERS = {
    "language": "a language code such as en or pt-BR",
    "after": "a date such as 2024-01-31",
    "before": "a date such as 2024-01-31",
    "longer": "a duration such as 20m or 1h30m",
    "shorter": "a duration such as 20m or 1h30m",
}


def parse(text: str) -> Query:
    """Parses any text. It never raises."""
    notices = []
    if len(text) > MAXIMUM_LENGTH:
        text = text[:MAXIMUM_LENGTH]
        notices.append(f"Only the first {MAXIMUM_LENGTH:,} characters were searched.")
    video = named_video(text.strip())
    if video and not video.may_be_word:
        return Query(Video(video.video_id), tuple(notices))
    parser = _Parser()
    for token in _TOKEN.finditer(_with_plain_signs(text)):
        parser.read(token)
    root = parser.finish()
    if video:
        root = Or((Video(video.video_id), root)) if root else Video(video.video_id)
    return Query(root, (*notices, *list(dict.fromkeys(parser.notices))[:MAXIMUM_NOTICES]))


def _with_plain_signs(text: str) -> str:
    """The text with ASCII's quotation marks and colons in place of typographic ones, which phones type."""
    text = re.sub(rf"(?<={_HEBREW})[“”„″](?={_HEBREW})|[״＂]", '"', text.replace("：", ":"))
    # These say on which side the phrase is. German closes with “, but before that there is no letter then.
    text = re.sub(r"(?<=[^\W_])[„«]", ' "', text)
    text = re.sub("[”»](?!~)", '" ', text)
    return re.sub("[“”„«»]", '"', text)


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
        #: Sentences for the user about what was not searched, or was read otherwise.
        self.notices: list[str] = []
        self._groups = [_Group()]
        self._terms = 0
        #: Open brackets that were too deep.
        self._ignored = 0
        #: The last token was NOT.
        self._not = False

    def read(self, token: re.Match[str]) -> None:
        group = self._groups[-1]
        if token["word"] == "NOT":
            self._not = not self._not
            return
        if token["close"] or token["bar"] or token["word"] == "OR":
            self._read_not_as_word()
        negative = bool(re.match(_MINUS, token[0]))
        if token["open"]:
            negative ^= self._take_not()
            self._open(negative, (token["open_field"] or "").lower(), group.field)
        elif token["close"]:
            self._close()
        elif token["bar"] or token["word"] == "OR":
            group.alternatives.append([])
        elif token["quoted"]:
            nodes = list(_quoted(token, group.field, self.notices))
            self._add(group, nodes, negative ^ self._take_not())
        elif token["word"] and token["word"] != "AND":
            nodes = list(_words(token["word"], group.field, self.notices))
            # A dash alone is no word that NOT could exclude.
            self._add(group, nodes, negative ^ (bool(nodes) and self._take_not()))

    def finish(self) -> Node | None:
        """Closes all groups and returns the tree."""
        self._read_not_as_word()
        while len(self._groups) > 1:
            self._close_innermost()
        return self._groups[0].close()

    def _take_not(self) -> bool:
        taken, self._not = self._not, False
        return taken

    def _read_not_as_word(self) -> None:
        """NOT that nothing follows is a word."""
        if self._take_not():
            group = self._groups[-1]
            self._add(group, [Word("NOT", group.field)], False)

    def _open(self, negative: bool, name: str, outer_field: str | None) -> None:
        if len(self._groups) > MAXIMUM_DEPTH:
            self._ignored += 1
            return
        is_field = name in _TEXT_FIELDS
        if name in _FILTERS:
            self.notices.append(_not_understood(name, "(…)"))
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
            self.notices.append(f"Only the first {MAXIMUM_TERMS} words and phrases were searched.")
            return
        self._terms += len(nodes)
        group.add(_all(nodes) if nodes else None, negative)


def _word(text: str, field: str | None) -> Word | None:
    text = clean(text)
    return Word(text, field) if has_word(text) else None


def _quoted(token: re.Match[str], field: str | None, notices: list[str]) -> Iterator[Node]:
    name = (token["quoted_field"] or "").lower()
    text = clean(token["phrase"])
    if name in _TEXT_FIELDS:
        field = name
    elif name:
        if filter_ := _filter(name, text, notices):
            yield filter_
            return
        if word := _word(name, field):
            yield word
    if has_word(text):
        slop = (token["slop"] or "0")[:6]
        yield Phrase(text, min(int(slop), MAXIMUM_SLOP), field)


def _words(raw: str, field: str | None, notices: list[str]) -> Iterator[Node]:
    """The nodes of an unquoted token. An unknown field name is read as a word."""
    raw = re.sub(f"^{_MINUS}+", "", raw)
    if named := _FIELD.fullmatch(raw):
        name, value = named[1].lower(), named[2]
        if name in _TEXT_FIELDS:
            yield from _words(value, name, notices)
            return
        if filter_ := _filter(name, value, notices):
            yield filter_
            return
    for text in re.split("[:：]+", raw):
        if (term := _term(clean(text).strip('"'), field)) is not None:
            yield term


def _term(text: str, field: str | None) -> Term | None:
    if not has_word(text):
        return None
    if fuzzy := re.fullmatch(rf"(.{{3,{MAXIMUM_FUZZY}}})~(\d{{0,6}})\d*", text):
        return Fuzzy(fuzzy[1], min(int(fuzzy[2]), 2) if fuzzy[2] else None, field)
    # A star at the beginning would read all words of the index, and a single letter nearly as many.
    stem = text.strip("*")
    if text.endswith("*") and len(stem) >= 2 and "*" not in stem:
        return Prefix(stem, field)
    return Word(text.replace("*", " ").strip(" ~") or text, field)


def _filter(name: str, value: str, notices: list[str]) -> Filter | None:
    """None if there is no such filter, or its value is not understood. The latter is noted."""
    if name not in _FILTERS:
        return None
    value = value.strip()
    if (found := _read_filter(name, value)) is None:
        notices.append(_not_understood(name, value[:40]))
    return found


def _not_understood(name: str, value: str) -> str:
    return f"{name}:{value} was searched as words, because {name}: needs {_FILTERS[name]}."


def _read_filter(name: str, value: str) -> Filter | None:
    if name == "language":
        is_code = re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*", value)
        return Language(value.replace("_", "-")) if is_code else None
    if name in ("after", "before"):
        if date := day(value):
            return Published(after=date) if name == "after" else Published(before=date)
        return None
    if (length := seconds(value)) is None:
        return None
    return Lasting(longer=length) if name == "longer" else Lasting(shorter=length)
