"""The tree of a query: what :func:`shared.search.language.parse` makes of the text of a search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A word in any of its forms. ``field``: title, description, chapter, channel, or None for all texts."""

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
class Video:
    """The video with this id."""

    video_id: str


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
Filter = Language | Published | Lasting | Video
Node = Term | Filter | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """``root`` is None if the text has no word: it is empty, or nothing but punctuation.

    ``notices``: sentences for the user that say which part of the text was not searched.
    """

    root: Node | None
    notices: tuple[str, ...] = ()

    def anded(self) -> list[Node]:
        """The parts that all have to hold, also those in brackets."""
        return list(_anded(self.root)) if self.root else []

    def terms(self) -> list[Term]:
        """The words and phrases that a hit should contain, in order. Excluded ones are left out."""
        return list(_terms(self.root)) if self.root else []


def _anded(node: Node) -> Iterator[Node]:
    if isinstance(node, And):
        for part in node.parts:
            yield from _anded(part)
    else:
        yield node


def _terms(node: Node) -> Iterator[Term]:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _terms(part)
        case Word() | Phrase() | Prefix() | Fuzzy():
            yield node
