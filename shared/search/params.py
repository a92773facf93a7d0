"""Reads and checks the parameters of ``GET /api/search``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from shared import clock
from shared.errors import BadRequest
from shared.messages import is_id
from shared.search.index.analysis import clean
from shared.search.index.folding import has_word
from shared.search.index.mapping import TEXTS
from shared.search.language import MAXIMUM_TERMS
from shared.search.language_values import day

MAXIMUM_LIMIT = 50
#: The most values of a repeatable parameter.
MAXIMUM_VALUES = 100

#: By what only the library knows: the order of a playlist, and when a video was added.
PLACED = ("playlist", "added")
SORTS = ("relevance", "newest", "oldest", "longest", "shortest", *PLACED)


class Arguments(Protocol):
    """Flask's ``request.args``."""

    def get(self, key: str, /) -> str | None: ...

    def getlist(self, key: str, /) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Params:
    """A search. ``after``: on that day or later; ``before``: earlier than that day. RFC 3339 days.

    ``added_after``: an RFC 3339 time. ``new_in``: the id of a saved search, of which only the new hits count.
    ``among``: the ids of these hits; None for no limit. ``required``: words that a hit must have, beside
    those of ``q``, even when no video has all words. ``by``: words or meaning.
    """

    q: str = ""
    playlists: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    after: str | None = None
    before: str | None = None
    added_after: str | None = None
    minimum_minutes: float | None = None
    maximum_minutes: float | None = None
    texts: tuple[str, ...] = TEXTS
    sort: str = "relevance"
    limit: int = 10
    cursor: str | None = None
    new_in: str | None = None
    among: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()
    by: str = "words"

    @classmethod
    def from_request(cls, arguments: Arguments) -> Params:
        """Reads the query parameters of a request.

        Raises:
            BadRequest: names the parameter, what was expected and what was found.
        """
        by = arguments.get("by") or "words"
        if by not in ("words", "meaning"):
            raise BadRequest(f"by: expected words or meaning, found {by[:40]!r}.")
        sort = arguments.get("sort") or "relevance"
        if sort not in SORTS:
            raise BadRequest(f"sort: expected one of {', '.join(SORTS)}, found {sort[:40]!r}.")
        if by == "meaning" and (name := _of_words(arguments, sort)):
            raise BadRequest(f"{name}: a search by meaning cannot have it; leave it out.")
        playlists = _values(arguments, "playlist")
        if sort == "playlist" and len(playlists) != 1:
            raise BadRequest(f"sort: expected exactly one playlist= for 'playlist', found {len(playlists)}.")
        return cls(
            q=arguments.get("q") or "",
            playlists=playlists,
            channels=_values(arguments, "channel"),
            languages=_values(arguments, "language"),
            after=_day(arguments, "after"),
            before=_day(arguments, "before"),
            added_after=_time(arguments, "added_after"),
            minimum_minutes=_minutes(arguments, "min_minutes"),
            maximum_minutes=_minutes(arguments, "max_minutes"),
            texts=tuple(_choices(arguments, "in", TEXTS)) or TEXTS,
            sort=sort,
            limit=limit_of(arguments),
            cursor=arguments.get("cursor") or None,
            new_in=_id(arguments, "new_in"),
            required=_words(arguments, "require"),
            by=by,
        )

    @property
    def narrows(self) -> bool:
        """Whether a filter beside the query leaves out a part of the library."""
        chosen = (self.playlists, self.channels, self.languages, self.after, self.before, self.added_after)
        minutes = (self.minimum_minutes, self.maximum_minutes)
        return any(chosen) or any(each is not None for each in minutes) or self.texts != TEXTS

    def signature(self) -> str:
        """The same for all pages of one search. It shows that a cursor belongs to another search."""
        # A hit that is seen meanwhile must not end a search that shows new ones.
        described = json.dumps(asdict(replace(self, limit=0, cursor=None, among=None)))
        return hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _of_words(arguments: Arguments, sort: str) -> str | None:
    """A parameter that only searches by words have."""
    if sort != "relevance":
        return "sort"
    return next((name for name in ("cursor", "require", "in", "new_in") if arguments.get(name)), None)


def _values(arguments: Arguments, name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(value for value in arguments.getlist(name) if value))
    if len(values) > MAXIMUM_VALUES or any(len(value) > 256 for value in values):
        raise BadRequest(f"{name}: expected at most {MAXIMUM_VALUES} values of at most 256 characters.")
    return values


def _words(arguments: Arguments, name: str) -> tuple[str, ...]:
    values = _values(arguments, name)
    if len(values) > MAXIMUM_TERMS:
        raise BadRequest(f"{name}: expected at most {MAXIMUM_TERMS} words, found {len(values)}.")
    for value in values:
        if not has_word(clean(value)):
            raise BadRequest(f"{name}: expected a word, found {value[:40]!r}.")
    return tuple(map(clean, values))


def _choices(arguments: Arguments, name: str, allowed: tuple[str, ...]) -> list[str]:
    found = [part.strip() for value in arguments.getlist(name) for part in value.split(",") if part.strip()]
    for part in found:
        if part not in allowed:
            raise BadRequest(f"{name}: expected some of {', '.join(allowed)}, found {part[:40]!r}.")
    return [part for part in allowed if part in found]


def _read(arguments: Arguments, name: str, meaning: str, read: Callable[[str], str | None]) -> str | None:
    text = (arguments.get(name) or "").strip()
    if not text:
        return None
    value = read(text)
    if value is None:
        raise BadRequest(f"{name}: expected {meaning}, found {text[:40]!r}.")
    return value


def _day(arguments: Arguments, name: str) -> str | None:
    return _read(arguments, name, "a date such as 2024-01-31", day)


def _id(arguments: Arguments, name: str) -> str | None:
    return _read(arguments, name, "an id", lambda text: text if is_id(text) else None)


def _time(arguments: Arguments, name: str) -> str | None:
    def read(text: str) -> str | None:
        begins_with_day = day(text[:10]) is not None
        return clock.rfc3339(clock.parse(text)) if begins_with_day else None

    return _read(arguments, name, "a date such as 2024-01-31, or a time such as 2024-01-31T12:00:00Z", read)


def _minutes(arguments: Arguments, name: str) -> float | None:
    number = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
    text = _read(
        arguments, name, "a number of minutes", lambda text: text if number.fullmatch(text) else None
    )
    return None if text is None else float(text)


def limit_of(arguments: Arguments) -> int:
    """Reads the parameter ``limit``. Raises BadRequest."""
    text = arguments.get("limit") or "10"
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise BadRequest(f"limit: expected a number from 1 to {MAXIMUM_LIMIT}, found {text[:40]!r}.")
    return int(text)
