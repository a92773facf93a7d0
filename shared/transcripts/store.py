"""The transcript store: what YouTube answered about each video, stored once for everybody.

Firestore holds the truth; the search index is a view of it. A transcript is never asked for again.
"No captions" and "unavailable" are rechecked later, less and less often.

A worker claims a video before it asks YouTube, so that no two workers pay for the same answer. A claim
begins in one place (:meth:`TranscriptStore.claim`) and ends in one place (the end of its ``with`` block).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from shared import clock, logs
from shared.errors import Conflict, Transient
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore
from shared.transcripts.transcript import Answer, Lines, OutcomeKind, pack_lines, unpack_lines
from shared.transcripts.videos import Metadata

#: A fetch takes a second or two, and never longer than this (see shared.youtube.session.BUDGET). The claim
#: of a worker that died is free again after it.
CLAIM = timedelta(seconds=30)
_LONGEST_RECHECK_DAYS = 90


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored answer of YouTube.

    ``restricted``: see :class:`shared.transcripts.transcript.Answer`. ``choice``: which rule chose the track.
    ``job_id``: the job that asked; ``youtube_bytes``: what that cost. ``checks`` counts the answers without
    a transcript. ``look_again_at``: when to recheck; None for a transcript. ``packed``: the compressed
    lines; empty without a transcript, or when the outcome was read without them.
    """

    kind: OutcomeKind
    checked_at: datetime
    reason: str = ""
    restricted: bool = False
    choice: str = ""
    language: str | None = None
    language_name: str | None = None
    generated: bool | None = None
    packed: bytes = b""
    checks: int = 0
    look_again_at: datetime | None = None
    job_id: str = ""
    youtube_bytes: int = 0
    digest: str = ""

    @property
    def lines(self) -> Lines:
        """Unpacked at each call, because most readers of an outcome do not need the lines."""
        return unpack_lines(self.packed) if self.packed else Lines()

    @property
    def searchable(self) -> bool:
        """Whether the video belongs into the search index, be it by its title and description alone."""
        return self.kind != "unavailable" or self.restricted

    @property
    def fresh(self) -> bool:
        """YouTube need not be asked again now."""
        return self.look_again_at is None or clock.now() < self.look_again_at


#: The fields that are read if the lines are not needed.
_WITHOUT_LINES = (*(field.name for field in fields(Outcome) if field.name != "packed"), "claimed_until")


@dataclass(frozen=True, slots=True)
class Stored:
    """A video in the store: its outcome and its claim, if it has them."""

    outcome: Outcome | None
    claimed_until: datetime | None
    update_time: datetime | None


def transcript_path(video_id: str) -> str:
    return f"transcripts/{video_id}"


def stored_from(snapshot: Snapshot) -> Stored:
    data = snapshot.data or {}
    # A video that was claimed and never answered has a document without a kind.
    outcome = snapshot.read_as(Outcome, packed=data.get("lines", b"")) if data.get("kind") else None
    return Stored(outcome, data.get("claimed_until"), snapshot.update_time)


class Claim:
    """One worker's right to ask YouTube for a video. Others may not ask before it has ended."""

    def __init__(self, db: Firestore, video_id: str, previous: Outcome | None) -> None:
        self._db = db
        self._path = transcript_path(video_id)
        self._previous = previous
        self._update_time: datetime | None = None
        self._saved = False

    def save(self, answer: Answer, *, job_id: str, youtube_bytes: int) -> Outcome:
        """Stores an answer for everybody; that ends the claim.

        Without a transcript it is rechecked 1, 3, 9, 27, 81 and then every 90 days later.

        Raises:
            Permanent: the transcript is too long to store.
        """
        now = clock.now()
        data: dict[str, Any] = {
            "kind": answer.kind,
            "reason": answer.reason,
            "restricted": answer.restricted,
            "checked_at": now,
            "job_id": job_id,
            "youtube_bytes": youtube_bytes,
            "claimed_until": None,
        }
        if answer.transcript is not None:
            packed = pack_lines(answer.transcript.lines)
            data |= {
                "language": answer.transcript.language,
                "language_name": answer.transcript.language_name,
                "generated": answer.transcript.generated,
                "choice": answer.transcript.choice,
                "lines": packed,
                "digest": hashlib.sha256(packed).hexdigest()[:32],
            }
        else:
            checks = (self._previous.checks if self._previous else 0) + 1
            wait = timedelta(days=min(_LONGEST_RECHECK_DAYS, 3 ** min(checks - 1, 9)))
            data |= {"checks": checks, "look_again_at": now + wait}
        self._db.commit().set(self._path, data).run()
        self._saved = True
        outcome = stored_from(Snapshot(self._path, data, None)).outcome
        assert outcome is not None
        return outcome

    def _begin(self, stored: Stored) -> None:
        data = {"claimed_until": clock.now() + CLAIM}
        commit = self._db.commit()
        if stored.update_time is None:
            commit.create(self._path, data)
        else:
            commit.update(self._path, data, unchanged_since=stored.update_time)
        self._update_time = commit.run().update_time

    def _end(self) -> None:
        if self._saved:
            return
        try:
            data = {"claimed_until": None}
            self._db.commit().update(self._path, data, unchanged_since=self._update_time).run()
        except Transient as error:
            # It runs out by itself, or has already, and then it may be another worker's.
            logs.info("claim not released", reason=str(error))


class TranscriptStore:
    """The answers about all videos."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def read(self, video_ids: Sequence[str]) -> dict[str, Stored]:
        """These videos in the store, by id, without the lines."""
        snapshots = self._db.read(*map(transcript_path, video_ids), fields=_WITHOUT_LINES)
        return {snapshot.id: stored_from(snapshot) for snapshot in snapshots}

    @contextmanager
    def claim(self, video_id: str, stored: Stored) -> Iterator[Claim]:
        """Claims a video for the ``with`` block, :data:`CLAIM` at most.

        Raises:
            Transient: another worker has claimed it.
        """
        claim = Claim(self._db, video_id, stored.outcome)
        if stored.claimed_until is not None and stored.claimed_until > clock.now():
            raise Transient(_CLAIMED)
        try:
            claim._begin(stored)
        except Conflict as conflict:
            raise Transient(_CLAIMED) from conflict
        try:
            yield claim
        finally:
            claim._end()

    def every_transcript(self, page: int = 200) -> Iterator[list[str]]:
        """The ids of all videos that belong into the search index, page by page, in the order of ids."""
        after: str | None = None
        while True:
            found = list(
                self._db.query(
                    "transcripts",
                    order_by="__name__",
                    start_after=after,
                    limit=page,
                    fields=["kind", "restricted"],
                )
            )
            if not found:
                return
            yield [
                snapshot.id
                for snapshot in found
                if snapshot.data
                and (
                    snapshot.data.get("kind") in ("transcript", "no_transcript")
                    or snapshot.data.get("restricted")
                )
            ]
            after = found[-1].id


_CLAIMED = "Another worker is fetching this video."


def version(metadata: Metadata, outcome: Outcome) -> int:
    """Microseconds since 1970. Grows whenever either is stored again, so that old never replaces new."""
    return int(max(metadata.fetched_at, outcome.checked_at).timestamp() * 1_000_000)


def digest(metadata: Metadata, outcome: Outcome) -> str:
    """Changes when anything that is searched or shown of the video changes. Views do not count."""
    parts = [
        metadata.title,
        metadata.description,
        metadata.channel,
        metadata.channel_id,
        clock.rfc3339(metadata.published_at),
        metadata.duration_seconds,
        metadata.thumbnail_url,
        outcome.kind,
        outcome.language,
        outcome.generated,
        outcome.digest,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
