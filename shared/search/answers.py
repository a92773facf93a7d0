"""What searches answer."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta, Struct

from shared.declared import NextCursor, Url, VideoId
from shared.search.facets import Facets
from shared.search.hits import Hit, Match, Strength
from shared.search.params import MAXIMUM_LIMIT


class ByMeaning(TypedDict):
    """Whether a search by meaning is possible.

    - `offer`: `q` is typed as a question, so that an answer by meaning may be wanted; of searches by words
    - `videos`, `of`: so many videos can be found by meaning, of those with captions in `languages`; of
      searches by meaning
    """

    state: Literal["on", "preparing", "off"]
    offer: NotRequired[bool]
    videos: NotRequired[int]
    of: NotRequired[int]
    languages: NotRequired[list[str]]


class Found(TypedDict):
    """Hits of a search.

    - `match`: `some_words` if no video has all words; then `missing` are the words that no hit has
    - `facets`: hits by source, channel, language and year, each without its own filter
    - `did_you_mean`: another spelling that finds more
    - `notices`: sentences about what was not searched, or was read otherwise; only if there are any
    """

    match: Match
    total: int
    took_ms: int
    hits: list[Hit]
    facets: Facets
    did_you_mean: str | None
    cursor: NextCursor
    meaning: ByMeaning
    missing: NotRequired[list[str]]
    notices: NotRequired[list[str]]


class RelatedAsked(Struct):
    """`start`: a second of the video."""

    start: Annotated[
        float,
        Meta(
            ge=0,
            lt=10_000_000,
            examples=[83.5],
            extra={"expected": "a second of the video, such as 83.5"},
        ),
    ]
    limit: Annotated[int, Meta(ge=1, le=MAXIMUM_LIMIT)] = 10


class Stretch(TypedDict):
    """A passage, from second to second."""

    start: float
    end: float
    text: str


class Place(TypedDict):
    """A passage of a video in the library. `line`: the number of its first caption line, from 0."""

    video_id: VideoId
    title: str
    channel: str
    thumbnail_url: str | None
    url: Url
    start: float
    end: float
    line: int
    text: str
    strength: Strength


class Related(TypedDict):
    """Places where the same is talked about as in a passage, which is null if the video has none."""

    passage: Stretch | None
    places: list[Place]
    notices: NotRequired[list[str]]
