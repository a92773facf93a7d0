"""Clips: stretches of lines that a person keeps, with a note and tags.

A clip has the text of its lines as they were. So it stays readable when the video is fetched again, or
leaves the library. Clips are found by scanning those of the person: there are few, and a second index would
have to be kept in step.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import inf
from typing import Any

from msgspec import UNSET

from shared import clock, logs
from shared.errors import BadRequest, Busy, DeliveryError, NotFound
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore, delete_all, retry_on_conflict
from shared.keep.clip_views import (
    NO_NOTE,
    NOTE,
    TAG,
    TAGS,
    ClipChange,
    ClipFilters,
    ClipPage,
    ClipView,
    NewClip,
)
from shared.library.memberships import titles
from shared.search.hits import watch_url
from shared.search.index.analysis import clean, clean_paragraphs, is_spaceless
from shared.search.index.folding import fold
from shared.search.params import Params
from shared.search.service import Search
from shared.transcripts.transcript import Line

#: Clips of a user, and characters of a clip.
MAXIMUM, TEXT = 10_000, 20_000
#: Different tags in an answer.
_COUNTED = 200
#: Clips that an export reads at a time.
_BATCH = 200
#: Clips get ids that descend, so that the newest comes first.
_FAR = 2**56
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Clip:
    """The lines from ``from_line`` to ``to_line`` of a video. ``start`` and ``end`` in seconds."""

    clip_id: str
    video_id: str
    title: str
    channel: str
    from_line: int
    to_line: int
    start: float
    end: float
    text: str
    note: str
    tags: Sequence[str]
    created_at: datetime

    def view(self, *, gone: bool) -> ClipView:
        """As the API shows it. ``gone``: the video is not in the library any more."""
        shown: ClipView = {
            "id": self.clip_id,
            "video_id": self.video_id,
            "title": self.title,
            "channel": self.channel,
            "from_line": self.from_line,
            "to_line": self.to_line,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "note": self.note,
            "tags": list(self.tags),
            "created_at": clock.rfc3339(self.created_at),
            "url": watch_url(self.video_id, int(self.start)),
        }
        if gone:
            shown["gone"] = True
        return shown


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which clips are wanted. ``words``: folded; None finds none. ``tag``: folded. ``video``: an id."""

    words: Sequence[str] | None = ()
    tag: str | None = None
    video: str | None = None

    @classmethod
    def of(cls, asked: ClipFilters) -> Wanted:
        q = asked.q.strip()
        words = _WORD.findall(fold(q))
        tag = fold(clean(asked.tag)) if asked.tag else None
        return cls(words if words or not q else None, tag, asked.video)

    @property
    def fields(self) -> list[str]:
        """The fields of a clip that :meth:`finds` reads."""
        return ["video_id", "tags", *(("text", "note", "title") if self.words else ())]

    def finds(self, data: Mapping[str, Any]) -> bool:
        """Whether a clip is wanted, whatever its tags are. It has to have all words, or longer ones."""
        if self.words is None or self.video not in (None, data["video_id"]):
            return False
        if not self.words:
            return True
        text = fold("\n".join([data["text"], data["note"], data["title"], *data["tags"]]))
        found = " ".join(["", *_WORD.findall(text)])
        return all(f" {word}" in found or (is_spaceless(word) and word in found) for word in self.words)


class Clips:
    """The clips of all users."""

    def __init__(self, db: Firestore, search: Search) -> None:
        self._db = db
        self._search = search

    def add(self, user_id: str, body: NewClip) -> ClipView:
        """Makes a clip, as `POST /api/clips` answers it.

        Raises:
            BadRequest: says which field is wrong.
            NotFound: the video is not in the library.
            Busy: the user has too many clips.
        """
        note, tags, video_id = _note(body.note), _tags(body.tags), body.video_id
        first, last = body.from_line, body.to_line
        about, lines = self._search.video(user_id, titles(self._db, user_id), video_id)
        chosen = _chosen(lines, first, last)
        if self._db.count(_collection(user_id)) >= MAXIMUM:
            raise Busy(f"You have {MAXIMUM:,} clips, and there cannot be more. Delete some first.")
        now = clock.now()
        clip = Clip(
            clip_id=f"{_FAR - int(now.timestamp() * 1_000_000):014x}{secrets.token_hex(4)}",
            video_id=about["video_id"],
            title=about["title"] or video_id,
            channel=about["channel"],
            from_line=first,
            to_line=last,
            start=chosen[0].start,
            end=_end(lines, last),
            text="\n".join(line.text for line in chosen),
            note=note,
            tags=tags,
            created_at=now,
        )
        data = asdict(clip)
        self._db.commit().create(_path(user_id, data.pop("clip_id")), data).run()
        return clip.view(gone=False)

    def page(self, user_id: str, wanted: Wanted, limit: int, cursor: str | None = None) -> ClipPage:
        """A page of clips, the newest first, as `GET /api/clips` answers it. ``cursor``: of the page before.

        ``tags`` are counted in all clips that are wanted, whatever the wanted tag is.

        Raises:
            BadRequest: that is no cursor.
        """
        if cursor is not None and not _is_clip_id(cursor):
            raise BadRequest("cursor: expected one that a list of clips has returned.")
        found, tags = self._find(user_id, wanted)
        left = [clip_id for clip_id in found if cursor is None or clip_id > cursor]
        shown = {clip_id: found[clip_id] for clip_id in left[:limit]}
        return {
            "clips": list(self._views(user_id, shown)),
            "total": len(found),
            "tags": [{"value": value, "count": count} for value, count in tags],
            "cursor": left[limit - 1] if len(left) > limit else None,
        }

    def every(self, user_id: str, wanted: Wanted) -> Iterator[ClipView]:
        """All wanted clips as in :meth:`page`. They are looked for at once, and read some at a time."""
        return self._views(user_id, self._find(user_id, wanted)[0])

    def change(self, user_id: str, clip_id: str, body: ClipChange) -> ClipView:
        """Changes the note, the tags, or both, as `PATCH /api/clips/{id}` answers it.

        Raises:
            BadRequest: says which field is wrong.
            NotFound: the user has no such clip.
        """
        changes: dict[str, Any] = {}
        if body.note is not UNSET:
            changes["note"] = _note(body.note)
        if body.tags is not UNSET:
            changes["tags"] = _tags(body.tags)
        video_id = (self._read(user_id, clip_id).data or {})["video_id"]

        def attempt() -> None:
            read = self._read(user_id, clip_id)
            # Only these fields are written, so a change of another one at the same time stays.
            self._db.commit().update(read.path, changes, unchanged_since=read.update_time).run()

        if changes:
            retry_on_conflict(attempt)
        for view in self._views(user_id, {clip_id: video_id}):
            return view
        raise NotFound(_NOT_FOUND)

    def delete(self, user_id: str, clip_id: str) -> None:
        """Raises NotFound."""
        self._db.commit().delete(self._read(user_id, clip_id).path).run()

    def _find(self, user_id: str, wanted: Wanted) -> tuple[dict[str, str], list[tuple[str, int]]]:
        """The wanted clips, the newest first: id → video. And how often each tag occurs."""
        found: dict[str, str] = {}
        counts = Counter[str]()
        written: dict[str, str] = {}
        for snapshot in self._db.query(_collection(user_id), fields=wanted.fields):
            if snapshot.data is None or not wanted.finds(snapshot.data):
                continue
            tags = {fold(tag): tag for tag in snapshot.data["tags"]}
            counts.update(tags.keys())
            written = {**tags, **written}
            if wanted.tag is None or wanted.tag in tags:
                found[snapshot.id] = snapshot.data["video_id"]
        often = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return dict(sorted(found.items())), [(written[tag], count) for tag, count in often[:_COUNTED]]

    def _views(self, user_id: str, found: Mapping[str, str]) -> Iterator[ClipView]:
        """Those of the clips that are still there, read some at a time. ``found``: as :meth:`_find`."""
        library = self._library(user_id, set(found.values()))
        ids = list(found)
        parts = (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))
        snapshots = (
            each for part in parts for each in self._db.read(*(_path(user_id, clip_id) for clip_id in part))
        )
        clips = (each.read_as(Clip, clip_id=each.id) for each in snapshots)
        return (clip.view(gone=clip.video_id not in library) for clip in clips if clip is not None)

    def _library(self, user_id: str, video_ids: Collection[str]) -> Collection[str]:
        """Those of the videos that are in the library. All of them if the search index does not answer: the
        clips can be read without it."""
        library = titles(self._db, user_id) if video_ids else {}
        try:
            return set(self._search.ids(user_id, library, Params(among=tuple(video_ids)))) if library else ()
        except DeliveryError as error:
            logs.warning("it is not known which clips are of videos that are gone", error)
            return video_ids

    def _read(self, user_id: str, clip_id: str) -> Snapshot:
        found = self._db.read(_path(user_id, clip_id))[0] if _is_clip_id(clip_id) else None
        if found is None or found.data is None:
            raise NotFound(_NOT_FOUND)
        return found


_NOT_FOUND = "You have no such clip."


def forget(db: Firestore, user_id: str) -> None:
    """Deletes all clips of a user."""
    delete_all(db, _collection(user_id))


def _collection(user_id: str) -> str:
    return f"users/{user_id}/clips"


def _path(user_id: str, clip_id: str) -> str:
    return f"users/{user_id}/clips/{clip_id}"


def _is_clip_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{22}", text) is not None


def _note(value: str) -> str:
    if len(note := clean_paragraphs(value)) > NOTE:
        raise BadRequest(NO_NOTE)
    return note


def _tags(value: list[str]) -> list[str]:
    """Cleaned tags; a comma separates two. Of those that are folded alike the first one stays."""
    # A comma separates tags in the page and in files, so it is no part of one.
    parts = [part for each in value[: 10 * TAGS] for part in each.split(",")]
    tags = [clean(each).lstrip("#").strip() for each in parts]
    first: dict[str, str] = {}
    for tag in filter(None, tags):
        first.setdefault(fold(tag), tag)
    kept = list(first.values())
    if len(value) > 10 * TAGS or len(kept) > TAGS or any(len(tag) > TAG for tag in kept):
        raise BadRequest(f"tags: expected at most {TAGS} of at most {TAG} characters.")
    return kept


def _chosen(lines: Sequence[Line], first: int, last: int) -> Sequence[Line]:
    if not lines:
        raise BadRequest("This video has no captions, so there are no lines to keep.")
    if first > last:
        raise BadRequest("to_line: expected a line that is not before from_line.")
    if last >= len(lines):
        raise BadRequest(f"to_line: expected at most {len(lines) - 1}, because lines are counted from 0.")
    chosen = lines[first : last + 1]
    if sum(len(line.text) + 1 for line in chosen) > TEXT:
        raise BadRequest(f"A clip has at most {TEXT:,} characters. Choose fewer lines.")
    return chosen


def _end(lines: Sequence[Line], last: int) -> float:
    """The end of a line, or the beginning of the next one, if that is sooner: captions may overlap."""
    line = lines[last]
    following = next((each.start for each in lines[last + 1 :] if each.start > line.start), inf)
    return min(round(line.start + line.duration, 3), following)
