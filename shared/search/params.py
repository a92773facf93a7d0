"""Reads and checks the parameters of ``GET /api/search``."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Literal

from msgspec import Meta, Struct, field, structs
from msgspec.structs import replace

from shared import clock
from shared.declared import Arguments, Cursor, Parameters
from shared.errors import BadRequest
from shared.messages import is_id
from shared.search.index.analysis import clean
from shared.search.index.folding import has_word
from shared.search.index.mapping import TEXTS, Text
from shared.search.language import MAXIMUM_TERMS
from shared.search.language_values import day

MAXIMUM_LIMIT = 50
#: The most values of a repeatable parameter.
MAXIMUM_VALUES = 100

#: By what only the library knows: the order of a playlist, and when a video was added.
PLACED = ("playlist", "added")
Sort = Literal["relevance", "newest", "oldest", "longest", "shortest", "playlist", "added"]


Day = Annotated[
    str,
    Meta(
        examples=["2024-01-31"],
        extra={"expected": "a date such as 2024-01-31", "read": day},
        extra_json_schema={"format": "date"},
    ),
]
Moment = Annotated[
    str,
    Meta(
        examples=["2024-01-31T12:00:00Z"],
        extra={
            "expected": "a date such as 2024-01-31, or a time such as 2024-01-31T12:00:00Z",
            "read": lambda text: clock.rfc3339(clock.parse(text)) if day(text[:10]) else None,
        },
    ),
]
Minutes = Annotated[
    float,
    Meta(
        ge=0,
        lt=1_000_000,
        extra={
            "expected": "a number of minutes",
            "read": lambda text: text if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) else None,
        },
    ),
]
Values = Annotated[
    tuple[Annotated[str, Meta(max_length=256)], ...],
    Meta(
        max_length=MAXIMUM_VALUES,
        extra={"expected": f"at most {MAXIMUM_VALUES} values of at most 256 characters"},
    ),
]
Words = Annotated[
    tuple[Annotated[str, Meta(max_length=256)], ...],
    Meta(
        max_length=MAXIMUM_TERMS,
        extra={"expected": f"at most {MAXIMUM_TERMS} words of at most 256 characters"},
    ),
]
SearchId = Annotated[
    str,
    Meta(
        examples=["0123456789abcdef"],
        extra={"expected": "an id", "read": lambda text: text if is_id(text) else None},
    ),
]


class Asked(Struct, frozen=True, kw_only=True):
    """The parameters of a search."""

    q: Annotated[
        str, Meta(description="Words, in the query language.", examples=['"black hole" -title:trailer'])
    ] = ""
    playlists: Annotated[
        Values, Meta(description="Only in these sources.", examples=[["PLyts-sample-talks"]])
    ] = field(name="playlist", default=())
    channels: Annotated[Values, Meta(description="Only of these channels: ids or names.")] = field(
        name="channel", default=()
    )
    languages: Annotated[
        Values, Meta(description="Only in these languages of captions.", examples=[["en"]])
    ] = field(name="language", default=())
    after: Annotated[Day | None, Meta(description="Published on that day or later.")] = None
    before: Annotated[Day | None, Meta(description="Published before that day.")] = None
    added_after: Annotated[Moment | None, Meta(description="Put into its source then or later.")] = None
    minimum_minutes: Annotated[Minutes | None, Meta(description="At least so long.")] = field(
        name="min_minutes", default=None
    )
    maximum_minutes: Annotated[Minutes | None, Meta(description="At most so long.")] = field(
        name="max_minutes", default=None
    )
    texts: Annotated[
        tuple[Text, ...],
        Meta(
            description="Where words are searched, separated by commas.",
            extra={"expected": f"some of {', '.join(TEXTS)}", "commas": True},
        ),
    ] = field(name="in", default=TEXTS)
    sort: Annotated[
        Sort, Meta(description="`playlist`: in the order of the one source that is asked for.")
    ] = "relevance"
    limit: Annotated[int, Meta(ge=1, le=MAXIMUM_LIMIT)] = 10
    cursor: Cursor | None = None
    new_in: Annotated[SearchId | None, Meta(description="Only the new hits of this saved search.")] = None
    required: Annotated[
        Words, Meta(description="Words that a hit must have, even when no video has all words of `q`.")
    ] = field(name="require", default=())
    by: Annotated[
        Literal["words", "meaning"],
        Meta(
            description="`meaning`: passages that say the same in other words, or in another language."
            " It has no `in`, `sort`, `require`, `new_in` or `cursor`.",
            extra={"expected": "words or meaning"},
        ),
    ] = "words"


_ASKED = Parameters(Asked)


class Params(Asked, frozen=True, kw_only=True):
    """A search. ``among``: the ids of these hits; None for no limit."""

    among: tuple[str, ...] | None = None

    @classmethod
    def from_request(cls, arguments: Arguments) -> Params:
        """Reads the query parameters of a request.

        Raises:
            BadRequest: names the parameter, what was expected and what was found.
        """
        return cls.of(_ASKED.read(arguments))

    @classmethod
    def of(cls, asked: Asked) -> Params:
        """Raises BadRequest when the parameters do not fit together."""
        if asked.sort == "playlist" and len(asked.playlists) != 1:
            raise BadRequest(
                f"sort: expected exactly one playlist= for 'playlist', found {len(asked.playlists)}."
            )
        if asked.by == "meaning" and (name := _only_of_words(asked)):
            raise BadRequest(f"{name}: a search by meaning cannot have it; leave it out.")
        for word in asked.required:
            if not has_word(clean(word)):
                raise BadRequest(f"require: expected a word, found {word[:40]!r}.")
        # In one order, so that the same search has the same signature.
        texts = tuple(each for each in TEXTS if each in asked.texts)
        given = {each.name: getattr(asked, each.name) for each in _ASKED.fields}
        return cls(**{**given, "texts": texts, "required": tuple(map(clean, asked.required))})

    @property
    def narrows(self) -> bool:
        """Whether a filter beside the query leaves out a part of the library."""
        chosen = (self.playlists, self.channels, self.languages, self.after, self.before, self.added_after)
        minutes = (self.minimum_minutes, self.maximum_minutes)
        return any(chosen) or any(each is not None for each in minutes) or self.texts != TEXTS

    def signature(self) -> str:
        """The same for all pages of one search. It shows that a cursor belongs to another search."""
        # A hit that is seen meanwhile must not end a search that shows new ones.
        described = json.dumps(structs.asdict(replace(self, limit=0, cursor=None, among=None)))
        return hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _only_of_words(asked: Asked) -> str | None:
    """A parameter that only searches by words have."""
    given = {
        "sort": asked.sort != "relevance",
        "cursor": asked.cursor,
        "require": asked.required,
        "in": set(asked.texts) != set(TEXTS),
        "new_in": asked.new_in,
    }
    return next((name for name, value in given.items() if value), None)
