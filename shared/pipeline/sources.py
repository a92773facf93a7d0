"""What a person puts into the one box of the page: playlists, channels, videos, and many lines of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Literal, TypedDict

from msgspec import Meta, Struct

from shared.declared import JobId, PlaylistId, VideoId
from shared.errors import BadRequest, RequestError
from shared.library.collections import SAVED
from shared.pipeline.channels import Channels
from shared.pipeline.job_views import status_url
from shared.pipeline.jobs import Job
from shared.pipeline.start import Start
from shared.pipeline.usage import listing_units
from shared.youtube import addresses
from shared.youtube.addresses import WATCH_LATER, Named, classify, is_refused, uploads_of
from shared.youtube.channels import Choice
from shared.youtube.resources import Channel

#: Lines in one request.
MAXIMUM_LINES = 1_000
#: A channel with more videos is not started before the person has chosen what of it.
LARGE = 500
#: Seconds after which no more lines are taken. The function has thirty.
WORKS_FOR = 20.0
#: For an estimate: videos that are fetched in a second.
_A_SECOND = 5
_NOTHING = "text: expected addresses or ids, one in each line; found nothing."
_LATE = "There was no time for this line. Paste it again."
#: What the page of a channel shows that is named in an address.
_TABS = {"videos": Choice(shorts=False, live=False)}
TakenFor = Literal["playlist", "channel", "video", "nothing"]


class Pasted(Struct):
    text: Annotated[
        str,
        Meta(
            description=f"Addresses or ids, one in each line, at most {MAXIMUM_LINES:,}.",
            examples=["https://www.youtube.com/@AtariMuseum\nhttps://youtu.be/dQw4w9WgXcQ"],
            extra={"sentence": _NOTHING},
        ),
    ]


class Estimate(TypedDict):
    """What a large channel would cost. `units`: of YouTube's quota. `videos`: null if not known."""

    videos: int | None
    seconds: int
    units: int


@dataclass(slots=True)
class Line:
    """What one line was taken for.

    - `detail`: why it could not be taken and what to do; or what is left out
    - `choice`: of a channel that is too large to be started at once: what it would cost
    - `channel`: what of a channel is taken
    """

    text: str
    taken_for: TakenFor = "nothing"
    title: str | None = None
    playlist_id: PlaylistId | None = None
    video_id: VideoId | None = None
    job_id: JobId | None = None
    status_url: str | None = None
    detail: str | None = None
    choice: Estimate | None = None
    channel: Choice | None = None

    def started(self, job: Job) -> None:
        self.playlist_id, self.job_id, self.status_url = job.playlist_id, job.job_id, status_url(job)

    def refuse(self, detail: str) -> None:
        self.taken_for, self.detail = "nothing", detail


class SavedVideos(TypedDict):
    """The collection that took the videos. `added`: those that were not in it."""

    playlist_id: PlaylistId
    title: str
    added: int
    job_id: JobId | None
    status_url: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken. `collection`: null without single videos."""

    lines: list[Line]
    collection: SavedVideos | None


class Sources:
    """The use case behind `POST /api/sources`. ``works_for``: see WORKS_FOR."""

    def __init__(self, start: Start, channels: Channels, *, works_for: float = WORKS_FOR) -> None:
        self._start = start
        self._channels = channels
        self._works_for = works_for

    def add(self, user_id: str, text: str) -> Taken:
        """Takes each line for what it is, and starts it. Videos go together into "Saved videos".

        Raises:
            BadRequest: there is nothing in the text, or too much.
            Transient: the database or YouTube does not answer. What was started before stays started.
        """
        if not text.strip():
            raise BadRequest(_NOTHING)
        # A lone surrogate cannot be sent back.
        texts = addresses.split(text.encode("utf-8", "replace").decode())
        if len(texts) > MAXIMUM_LINES:
            raise BadRequest(
                f"text: expected at most {MAXIMUM_LINES:,} lines, found {len(texts):,}. Paste them in parts."
            )
        lines = [Line(each[:300]) for each in texts]
        named = list(map(_named, lines, texts))
        deadline = monotonic() + self._works_for
        known = self._described(user_id, [each for each in named if each is not None])
        for line, found in zip(lines, named, strict=True):
            if found is None or found.kind == "video":
                continue
            if monotonic() > deadline:
                line.refuse(_LATE)
                continue
            try:
                self._take(user_id, line, found, known)
            except RequestError as error:
                line.refuse(str(error))
        collection = self._save(user_id, lines)
        return Taken(lines, collection)

    def _described(self, user_id: str, named: Iterable[Named]) -> dict[str, Channel] | str:
        """The channels that are given by their id; or why they are not known."""
        ids = list(dict.fromkeys(each.id for each in named if each.kind == "channel"))
        try:
            return self._channels.described(user_id, ids)
        except RequestError as error:
            return str(error)

    def _take(self, user_id: str, line: Line, named: Named, known: dict[str, Channel] | str) -> None:
        if named.kind == "playlist":
            line.taken_for = "playlist"
            line.started(self._start.start_known(user_id, named.id))
            return
        if named.kind != "channel":
            channel = self._channels.named(user_id, named)
        elif isinstance(known, str):
            raise BadRequest(known)
        elif named.id in known:
            channel = known[named.id]
        else:
            raise BadRequest("YouTube knows no channel with this id. Copy its address from its page.")
        choice = _TABS.get(named.tab)
        line.taken_for, line.title = "channel", channel.title
        line.playlist_id = uploads_of(channel.channel_id)
        line.channel = choice or Choice()
        if choice:
            line.detail = "Without its Shorts and broadcasts, because this is the address of its videos."
        if channel.videos is None or channel.videos > LARGE:
            line.choice = estimate(channel.videos)
        else:
            line.started(self._start.start_known(user_id, line.playlist_id, choice))

    def _save(self, user_id: str, lines: list[Line]) -> SavedVideos | None:
        videos = [line for line in lines if line.video_id is not None]
        if not videos:
            return None
        try:
            added, job = self._start.add(user_id, SAVED, {str(line.video_id): None for line in videos})
        except RequestError as error:
            for line in videos:
                line.refuse(str(error))
            return None
        for line in videos:
            line.playlist_id = added.collection_id
            if job is not None:
                line.started(job)
        return {
            "playlist_id": added.collection_id,
            "title": added.title,
            "added": added.added,
            "job_id": job.job_id if job else None,
            "status_url": status_url(job) if job else None,
        }


def _named(line: Line, text: str) -> Named | None:
    """What a line names. None when it cannot be taken, and the line says why."""
    try:
        named = classify(text)
    except BadRequest as error:
        line.refuse(str(error))
        return None
    if is_refused(named.id):
        line.refuse(WATCH_LATER)
        return None
    if named.kind == "video":
        line.taken_for, line.video_id = "video", named.id
    return named


def estimate(videos: int | None) -> Estimate:
    """What a channel of so many videos costs, if none of them is known here yet."""
    number = videos or 0
    return {"videos": videos, "seconds": -(-number // _A_SECOND), "units": listing_units(number)}
