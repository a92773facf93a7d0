"""Clips as the API takes and shows them."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.declared import Cursor, NextCursor, Time, Url, VideoId

#: Characters of a note, of a tag and of a query, and tags of a clip.
NOTE, TAG, QUERY, TAGS = 5000, 50, 2000, 20
NO_NOTE = f"note: expected text of at most {NOTE:,} characters."
_TAGS = 'tags: expected a list of words such as ["history", "to read"].'
ClipId = Annotated[str, Meta(examples=["00aa11bb00aa11bb00aa11"])]
LineNumber = Annotated[int, Meta(ge=0, extra={"expected": "the number of a line, from 0"})]
Note = Annotated[str, Meta(extra={"sentence": NO_NOTE}, extra_json_schema={"maxLength": NOTE})]
Tags = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"maxLength": TAG})]],
    Meta(
        description="A comma separates tags, too.",
        examples=[["black holes"]],
        extra={"sentence": _TAGS},
        extra_json_schema={"maxItems": TAGS},
    ),
]


class NewClip(Struct):
    """The lines of a video from `from_line` to `to_line`, counted from 0."""

    video_id: Annotated[
        VideoId, Meta(extra={"sentence": "video_id: expected the id of a video in your library."})
    ]
    from_line: LineNumber
    to_line: LineNumber
    note: Note = ""
    tags: Tags = []


class ClipChange(Struct):
    """What is missing stays as it is."""

    note: Note | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class ClipFilters(Struct):
    q: Annotated[
        str,
        Meta(
            max_length=QUERY,
            description="Words of the clip's lines, note, title or tags.",
            extra={"sentence": f"q: expected at most {QUERY:,} characters. Search for fewer words."},
        ),
    ] = ""
    tag: str | None = None
    video: VideoId | None = None


class ClipsAsked(ClipFilters, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ClipView(TypedDict):
    """A clip: the lines as they were, from `start` to `end` (seconds).

    `gone`: the video is not in the library any more; missing for others.
    """

    id: ClipId
    video_id: VideoId
    title: str
    channel: str
    from_line: int
    to_line: int
    start: float
    end: float
    text: str
    note: str
    tags: list[str]
    created_at: Time
    url: Url
    gone: NotRequired[bool]


class TagCount(TypedDict):
    """A tag, and how many of the clips have it."""

    value: str
    count: int


class ClipPage(TypedDict):
    """A page of clips. `tags` are counted in all clips that are wanted, whatever the wanted tag is."""

    clips: list[ClipView]
    total: int
    tags: list[TagCount]
    cursor: NextCursor
