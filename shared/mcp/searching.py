"""The tool `search`: hits with their moments, in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from shared.mcp.api import ApiError, Caller, Parameter
from shared.mcp.quotes import clock, quoted

#: Characters of a title, of a moment, and of a passage that is found by its meaning.
TITLE, _SNIPPET, _PASSAGE = 200, 300, 800
#: Videos of an answer, at most; moments of a video; and moments of an answer about one video.
MAXIMUM, _MOMENTS, _IN_VIDEO = 10, 5, 20
#: Characters around the line of a moment within one video.
_AROUND = 240


class Moment(TypedDict):
    """A place in a video. ``second``: exact, with milliseconds. ``strength``: of what is found by meaning."""

    second: float
    time: str
    url: str
    quoted_text: str
    quoted_chapter: NotRequired[str]
    strength: NotRequired[str]


class About(TypedDict):
    """What is said of a video everywhere."""

    video_id: str
    quoted_title: str
    quoted_channel: str
    published_at: str | None
    duration: str | None
    language: str | None
    url: str
    gone: NotRequired[bool]


class Video(About):
    """A hit. ``more_moments``: found in it, and not in this answer. ``missing``: words that it lacks.

    ``quoted_description``: the part that matches, if nothing that was said does.
    """

    moments: list[Moment]
    more_moments: int
    missing: list[str]
    quoted_description: str | None


class Found(TypedDict):
    """``total``: videos that were found. ``left_out``: what is missing here, and how to get it."""

    total: int
    videos: list[Video]
    notices: list[str]
    quoted_did_you_mean: str | None
    cursor: str | None
    left_out: str | None


def search(caller: Caller, q: str, limit: int, by: str, cursor: str | None, **filters: Parameter) -> Found:
    """A page of hits. ``filters``: parameters of `GET /api/search`.

    Raises:
        ApiError: also if the limit is out of bounds.
    """
    if not 1 <= limit <= MAXIMUM:
        raise ApiError(f"limit: expected a number from 1 to {MAXIMUM}, found {limit}.")
    # The API searches words if nothing else is said.
    meaning = {"by": by} if by != "words" else {}
    answer = caller.get("search", q=q, limit=limit, cursor=cursor, **meaning, **filters)
    videos = [_video(hit) for hit in answer["hits"]]
    notices = list(answer.get("notices", ()))
    if meaning and (asked := answer["meaning"])["videos"] < asked["of"]:
        notices.append(f"Only {asked['videos']:,} of {asked['of']:,} videos can be found by meaning so far.")
    return {
        "total": answer["total"],
        "videos": videos,
        "notices": notices,
        "quoted_did_you_mean": quoted(answer.get("did_you_mean"), TITLE) or None,
        "cursor": answer.get("cursor"),
        "left_out": _left_out(answer, videos, follows=cursor is not None),
    }


def search_in_video(caller: Caller, video_id: str, q: str, cursor: str | None) -> Found:
    """All moments of one video, some at a time. ``cursor``: the number of those before.

    Raises:
        ApiError: also for something that is no cursor.
    """
    video = caller.get("videos", video_id, q=q)
    found: Sequence[int] = video["matches"]["moments"]
    begin = _number(cursor, len(found))
    shown = found[begin : begin + _IN_VIDEO]
    left = len(found) - begin - len(shown)
    following = str(begin + len(shown)) if left else None
    hit: Video = {
        **about(video),
        "moments": [_at_line(video, line) for line in shown],
        "more_moments": left,
        "missing": [],
        "quoted_description": None,
    }
    left_out = f"{left} later moments. Search again with cursor {following!r}." if left else None
    return {
        "total": 1 if found else 0,
        "videos": [hit],
        "notices": [] if found else ["Nothing in this video matches."],
        "quoted_did_you_mean": None,
        "cursor": following,
        "left_out": left_out,
    }


def about(video: Mapping[str, Any]) -> About:
    """Of a hit, or of a video."""
    title, length = video["title"], video.get("duration_seconds")
    shown: About = {
        "video_id": video["video_id"],
        "quoted_title": quoted(title if isinstance(title, str) else plain(title), TITLE),
        "quoted_channel": quoted(video["channel"], TITLE),
        "published_at": video.get("published_at"),
        "duration": clock(length) if length is not None else None,
        "language": video.get("language"),
        "url": video["url"],
    }
    if video.get("gone"):
        shown["gone"] = True
    return shown


def _video(hit: Mapping[str, Any]) -> Video:
    # By meaning, passages are the places; by words, moments are.
    places = hit.get("passages") or hit["moments"]
    moments = [_moment(each) for each in places[:_MOMENTS]]
    count = len(places) if hit.get("passages") else hit["moment_count"]
    described = not moments and any(part["match"] for part in hit["description"])
    return {
        **about(hit),
        "moments": moments,
        "more_moments": max(count - len(moments), 0),
        "missing": [quoted(word, TITLE) for word in hit.get("missing", ())],
        "quoted_description": quoted(plain(hit["description"]), _SNIPPET) if described else None,
    }


def _moment(place: Mapping[str, Any]) -> Moment:
    passage = "text" in place
    text = quoted(plain(place["text"] if passage else place["snippet"]), _PASSAGE if passage else _SNIPPET)
    shown: Moment = {
        "second": place["start"],
        "time": clock(place["start"]),
        "url": place["url"],
        "quoted_text": text,
    }
    if chapter := place.get("chapter"):
        shown["quoted_chapter"] = quoted(chapter, TITLE)
    if strength := place.get("strength"):
        shown["strength"] = strength
    return shown


def _at_line(video: Mapping[str, Any], line: int) -> Moment:
    """A moment with the lines around it."""
    lines = video["lines"]
    first, last = line, line + 1
    length = len(lines[line]["text"])
    while last < len(lines) and length < _AROUND:
        length += len(lines[last]["text"])
        last += 1
    if first > 0 and length < _AROUND:
        first -= 1
    text = " ".join(each["text"] for each in lines[first:last])
    start = lines[line]["start"]
    return {
        "second": start,
        "time": clock(start),
        "url": f"{video['url']}&t={int(start)}s",
        "quoted_text": quoted(text, _SNIPPET),
    }


def _left_out(answer: Mapping[str, Any], videos: Sequence[Video], *, follows: bool) -> str | None:
    """``follows``: there were answers with other videos before."""
    sentences = []
    if cursor := answer.get("cursor"):
        sentences.append(
            f"Further videos; {answer['total']:,} were found in all. Search again with cursor {cursor!r}."
        )
    elif answer["total"] > len(videos) and not follows:
        more = "Search with a higher limit" if len(videos) < MAXIMUM else "Narrow the search to see others"
        sentences.append(f"{answer['total']:,} videos were found in all. {more}.")
    if any(each["more_moments"] for each in videos):
        sentences.append("More moments in some videos (more_moments). Search again with video to get them.")
    return " ".join(sentences) or None


def plain(segments: Sequence[Mapping[str, Any]]) -> str:
    """Marked text without its marks."""
    return "".join(part["text"] for part in segments)


def _number(cursor: str | None, maximum: int) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9 or int(cursor) > maximum:
        raise ApiError("cursor: expected the one of the answer before.")
    return int(cursor)
