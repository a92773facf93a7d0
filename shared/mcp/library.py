"""The tools about the caller's library: its sources, indexing, jobs and clips."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from shared.mcp.api import ApiError, Caller
from shared.mcp.quotes import clock, quoted
from shared.mcp.reading import video_of
from shared.mcp.searching import TITLE
from shared.messages import is_id

#: Sources, jobs, videos of a job, and clips of an answer, at most.
SOURCES, _JOBS, _VIDEOS, CLIPS = 50, 10, 10, 20
#: Lines and characters of a text that says what to index.
_LINES, _TEXT = 50, 10_000
#: Characters of a clip and of its note.
_CLIP, _NOTE = 800, 500
#: The most seconds to wait for the end of a job, and seconds between two looks.
WAIT, _LOOK = 20, 1.0
_ENDED = ("done", "failed", "cancelled")


class Source(TypedDict):
    """``playlist_id`` is what `search` takes as a playlist. ``indexed``: how many videos can be found."""

    playlist_id: str
    quoted_title: str
    kind: str
    videos: int | None
    indexed: int | None
    indexed_at: str | None
    job_id: str | None


class Sources(TypedDict):
    total: int
    sources: list[Source]
    left_out: str | None


class Line(TypedDict):
    """What a line of the text was taken for. ``detail``: why it could not be taken, and what to do."""

    quoted_line: str
    taken_for: str
    quoted_title: NotRequired[str]
    playlist_id: str | None
    job_id: str | None
    detail: str | None


class Indexing(TypedDict):
    lines: list[Line]
    job_ids: list[str]
    next: str


class Unfound(TypedDict):
    video_id: str
    quoted_title: str
    state: str
    reason: str | None


class Job(TypedDict):
    """``not_indexed``: some of the videos that cannot be found, or only by title and description."""

    job_id: str
    playlist_id: str
    quoted_title: str | None
    state: str
    total: int | None
    counts: dict[str, int]
    created_at: str | None
    finished_at: str | None
    eta_seconds: int | None
    blocked_until: str | None
    error: str | None
    not_indexed: NotRequired[list[Unfound]]


class Jobs(TypedDict):
    jobs: list[Job]
    left_out: str | None


class Clip(TypedDict):
    clip_id: str
    video_id: str
    quoted_title: str
    quoted_channel: str
    second: float
    time: str
    until: str
    url: str
    quoted_text: str
    quoted_note: str
    quoted_tags: list[str]
    gone: NotRequired[bool]


class Clips(TypedDict):
    total: int
    clips: list[Clip]
    cursor: str | None
    left_out: str | None


def list_sources(caller: Caller, skip: int) -> Sources:
    """Raises ApiError."""
    found = caller.get("playlists")["playlists"]
    if not 0 <= skip <= len(found):
        raise ApiError(f"skip: expected a number from 0 to {len(found)}, found {skip}.")
    shown = found[skip : skip + SOURCES]
    left = len(found) - skip - len(shown)
    more = f"{left} further sources. List them with skip={skip + len(shown)}."
    return {
        "total": len(found),
        "sources": list(map(_source, shown)),
        "left_out": more if left else None,
    }


def index(caller: Caller, text: str, newest: int | None, since: str | None) -> Indexing:
    """Starts jobs. ``newest`` and ``since`` choose of a single channel. Raises ApiError."""
    if len(text) > _TEXT or len(text.splitlines()) > _LINES:
        raise ApiError(f"text: expected at most {_LINES} lines and {_TEXT:,} characters. Add it in parts.")
    if newest is not None or since is not None:
        lines = [_chosen(caller, text.strip(), newest, since)]
    else:
        lines = [_line(each) for each in caller.post("sources", text=text)["lines"]]
    jobs = list(dict.fromkeys(line["job_id"] for line in lines if line["job_id"]))
    follow = (
        f"Indexing goes on. Follow it with job and its job_id, for example wait_seconds={WAIT}."
        " What is indexed can be found at once."
    )
    return {"lines": lines, "job_ids": jobs, "next": follow if jobs else "Nothing was started; see detail."}


def job(caller: Caller, job_id: str | None, wait_seconds: int) -> Jobs:
    """A job, after its end or after some seconds; or the latest jobs. Raises ApiError."""
    if not 0 <= wait_seconds <= WAIT:
        raise ApiError(f"wait_seconds: expected a number from 0 to {WAIT}, found {wait_seconds}.")
    if job_id is None:
        shown = [_job(each) for each in caller.get("jobs", limit=_JOBS)["jobs"]]
        older = f"Older jobs, if there are any: these are the latest {_JOBS}."
        return {"jobs": shown, "left_out": older if len(shown) == _JOBS else None}
    if not is_id(job_id):
        raise ApiError(f"job_id: expected one that index has answered, found {job_id[:60]!r}.")
    deadline = time.monotonic() + wait_seconds
    found = caller.get("jobs", job_id)
    while found["state"] not in _ENDED and time.monotonic() + _LOOK < deadline:
        time.sleep(_LOOK)
        found = caller.get("jobs", job_id)
    shown_job = _job(found)
    unfound, count = _not_indexed(caller, job_id, found["counts"])
    shown_job["not_indexed"] = unfound
    left = count - len(unfound)
    return {
        "jobs": [shown_job],
        "left_out": f"{left} further videos that are not indexed. The page lists them." if left else None,
    }


def list_clips(
    caller: Caller, q: str | None, tag: str | None, video: str | None, limit: int, cursor: str | None
) -> Clips:
    """Raises ApiError."""
    if not 1 <= limit <= CLIPS:
        raise ApiError(f"limit: expected a number from 1 to {CLIPS}, found {limit}.")
    video_id = video_of(video) if video else None
    found = caller.get("clips", q=q, tag=tag, video=video_id, limit=limit, cursor=cursor)
    following = found["cursor"]
    more = f"Further clips; there are {found['total']:,}. List them with cursor {following!r}."
    return {
        "total": found["total"],
        "clips": list(map(_clip, found["clips"])),
        "cursor": following,
        "left_out": more if following else None,
    }


def add_clip(caller: Caller, video: str, start: float, end: float, note: str, tags: Sequence[str]) -> Clips:
    """Keeps the lines that are said from one second to another. Raises ApiError."""
    if not start < end:
        raise ApiError(f"end: expected a second after start, found {start} to {end} s.")
    video_id = video_of(video)
    lines = caller.get("videos", video_id)["lines"]
    if not lines:
        raise ApiError("This video has no captions, so there are no lines to keep.")
    within = [
        n for n, line in enumerate(lines) if start < line["start"] + line["duration"] and line["start"] < end
    ]
    if not within:
        raise ApiError(f"Nothing is said from {start} to {end} s. read_transcript shows when.")
    made = caller.post(
        "clips", video_id=video_id, from_line=within[0], to_line=within[-1], note=note, tags=list(tags)
    )
    return {"total": 1, "clips": [_clip(made)], "cursor": None, "left_out": None}


def _source(found: Mapping[str, Any]) -> Source:
    indexed, active = found.get("indexed") or {}, found.get("job") or {}
    return {
        "playlist_id": found["playlist_id"],
        "quoted_title": quoted(found["title"], TITLE),
        "kind": found["kind"],
        "videos": found["video_count"],
        "indexed": indexed.get("videos"),
        "indexed_at": indexed.get("at"),
        "job_id": active.get("job_id"),
    }


def _line(found: Mapping[str, Any]) -> Line:
    shown: Line = {
        "quoted_line": quoted(found["text"], TITLE),
        "taken_for": found["taken_for"],
        "playlist_id": found["playlist_id"],
        "job_id": found["job_id"],
        "detail": found["detail"],
    }
    if found["title"]:
        shown["quoted_title"] = quoted(found["title"], TITLE)
    if choice := found["choice"]:
        videos = "an unknown number of" if choice["videos"] is None else f"{choice['videos']:,}"
        shown["detail"] = (
            f"This channel has {videos} videos and was not started. Ask the user how many of them are wanted,"
            " and call index with this line alone and newest or since."
        )
    return shown


def _chosen(caller: Caller, channel: str, newest: int | None, since: str | None) -> Line:
    wanted = {"shorts": True, "live": True, "newest": newest, "since": since}
    started = caller.post("index", playlist=channel, channel=wanted)
    return {
        "quoted_line": quoted(channel, TITLE),
        "taken_for": "channel",
        "playlist_id": started["playlist_id"],
        "job_id": started["job_id"],
        "detail": None,
    }


def _job(found: Mapping[str, Any]) -> Job:
    return {
        "job_id": found["job_id"],
        "playlist_id": found["playlist_id"],
        "quoted_title": quoted(found["title"], TITLE) or None,
        "state": found["state"],
        "total": found["total"],
        "counts": found["counts"],
        "created_at": found["created_at"],
        "finished_at": found["finished_at"],
        "eta_seconds": found["eta_seconds"],
        "blocked_until": found["blocked_until"],
        "error": found["error"],
    }


def _not_indexed(caller: Caller, job_id: str, counts: Mapping[str, int]) -> tuple[list[Unfound], int]:
    """Some of the videos that are not indexed whole, the failed ones first; and how many there are."""
    states = ("failed", "unavailable", "no_transcript")
    shown: list[Unfound] = []
    for state in states:
        if counts.get(state) and len(shown) < _VIDEOS:
            left = _VIDEOS - len(shown)
            page = caller.get("jobs", job_id, "videos", state=state, limit=left)
            shown += [
                {
                    "video_id": each["video_id"],
                    "quoted_title": quoted(each["title"], TITLE),
                    "state": state,
                    "reason": each["reason"],
                }
                for each in page["videos"]
            ]
    return shown, sum(counts.get(state, 0) for state in states)


def _clip(found: Mapping[str, Any]) -> Clip:
    shown: Clip = {
        "clip_id": found["id"],
        "video_id": found["video_id"],
        "quoted_title": quoted(found["title"], TITLE),
        "quoted_channel": quoted(found["channel"], TITLE),
        "second": found["start"],
        "time": clock(found["start"]),
        "until": clock(found["end"]),
        "url": found["url"],
        "quoted_text": quoted(found["text"], _CLIP),
        "quoted_note": quoted(found["note"], _NOTE),
        "quoted_tags": [quoted(tag, TITLE) for tag in found["tags"]],
    }
    if found.get("gone"):
        shown["gone"] = True
    return shown
