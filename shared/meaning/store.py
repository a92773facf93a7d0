"""The passages of all videos with their vectors, stored once for everybody, as transcripts are.

Each model has passages of its own, so that a new one can be prepared while the old one serves. One document
says which model serves, and how far the work for a new one has come.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import orjson

from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore
from shared.meaning.passages import Passage
from shared.transcripts.store import Outcome
from shared.transcripts.transcript import milliseconds
from shared.transcripts.videos import Metadata

#: Videos of one read: their vectors are up to a megabyte each.
_PAGE = 50


class Place(NamedTuple):
    """Where a passage is: numbers of caption lines, from 0, inclusive, and whole milliseconds."""

    first: int
    last: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class VideoPassages:
    """The passages of one video by one model.

    ``known``: the model knows the language; otherwise there are no passages. ``digest``: of what was
    embedded. ``version``: of the video when it was read (shared.transcripts.store.version). ``places`` are
    packed; ``vectors``: ``dimensions`` signed bytes for each.
    """

    digest: str
    version: int
    known: bool
    dimensions: int
    places: bytes = b""
    vectors: bytes = field(default=b"", repr=False)

    def unpack_places(self) -> list[Place]:
        return [Place(*each) for each in orjson.loads(zlib.decompress(self.places))] if self.places else []

    def vector(self, number: int) -> bytes:
        return self.vectors[number * self.dimensions : (number + 1) * self.dimensions]


def pack_places(passages: Sequence[Passage]) -> bytes:
    """The form of a :class:`VideoPassages`. Its inverse is :meth:`VideoPassages.unpack_places`."""
    starts = milliseconds(each.start for each in passages)
    ends = milliseconds(each.end for each in passages)
    ids = ([each.first, each.last] for each in passages)
    rows = [[*lines, start, end] for lines, start, end in zip(ids, starts, ends, strict=True)]
    return zlib.compress(orjson.dumps(rows)) if rows else b""


def digest(metadata: Metadata, outcome: Outcome) -> str:
    """Changes when the text or the language of the passages changes."""
    parts = [metadata.title, outcome.language, outcome.digest]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _path(name: str) -> str:
    return f"meaning/{name}"


#: The document of the :class:`State`.
STATE = _path("state")


def passages_path(model: str, video_id: str) -> str:
    return f"models/{model}/passages/{video_id}"


@dataclass(frozen=True, slots=True)
class State:
    """Which models there are.

    ``serving``: the model that searches use. ``wanted``: the configured one; None while it is off. Until all
    videos have its passages, another one may serve. ``after``: the video up to which old ones were looked
    at; ``listed``: all were. ``retired``: a model whose passages are being deleted.

    ``held_back``: the embedder has given back messages because a job runs. ``resend_after``: what was sent
    before is not on its way any more. ``trouble``: why the model cannot be used, for the operator; only the
    embedder writes it.
    """

    serving: str | None = None
    wanted: str | None = None
    after: str | None = None
    listed: bool = False
    retired: str | None = None
    held_back: bool = False
    resend_after: datetime | None = None
    trouble: str | None = None


#: The fields of the state in its document.
STATE_FIELDS = tuple(State.__dataclass_fields__)


def state_from(snapshot: Snapshot) -> State:
    return snapshot.read_as(State) or State()


def read_state(db: Firestore) -> State:
    """Raises Transient when the database does not answer."""
    return state_from(db.read(STATE)[0])


def by_meaning(db: Firestore, choice: str) -> str:
    """How search by meaning is: ``off``, ``preparing``, ``ok``, or a sentence about what is wrong.

    ``choice``: a value of EMBEDDER. Raises Transient when the database does not answer.
    """
    if choice == "off":
        return "off"
    state = read_state(db)
    return state.trouble or ("ok" if state.listed and state.serving == state.wanted else "preparing")


class PassageStore:
    """The passages of all videos."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def read(self, model: str, video_ids: Sequence[str]) -> dict[str, VideoPassages]:
        """By video id. Those that the model has not embedded yet are left out.

        Raises:
            Transient: the database does not answer.
        """
        found: dict[str, VideoPassages] = {}
        for at in range(0, len(video_ids), _PAGE):
            paths = [passages_path(model, each) for each in video_ids[at : at + _PAGE]]
            for snapshot in self._db.read(*paths):
                if (passages := snapshot.read_as(VideoPassages)) is not None:
                    found[snapshot.id] = passages
        return found

    def digests(self, model: str, video_ids: Sequence[str]) -> dict[str, str]:
        """What was embedded of each video, by id. Raises as :meth:`read`."""
        paths = [passages_path(model, each) for each in video_ids]
        found = self._db.read(*paths, fields=["digest"])
        return {snapshot.id: snapshot.data["digest"] for snapshot in found if snapshot.data}

    def every(self, model: str) -> Iterator[dict[str, VideoPassages]]:
        """All videos, page by page, in the order of ids. Raises as :meth:`read`."""
        after: str | None = None
        while True:
            found = list(
                self._db.query(
                    f"models/{model}/passages", order_by="__name__", start_after=after, limit=_PAGE
                )
            )
            if not found:
                return
            pairs = ((snapshot.id, snapshot.read_as(VideoPassages)) for snapshot in found)
            yield {video_id: passages for video_id, passages in pairs if passages is not None}
            after = found[-1].id

    def count(self, model: str) -> int:
        """The number of videos. Raises as :meth:`read`."""
        return self._db.count(f"models/{model}/passages")

    def put(self, commit: Commit, read: Snapshot, passages: VideoPassages) -> None:
        """Adds them to a commit, which is a Conflict if the document has changed since it was read."""
        commit.put(read, {name: getattr(passages, name) for name in VideoPassages.__dataclass_fields__})
