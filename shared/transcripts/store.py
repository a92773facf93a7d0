"""The transcript store: what YouTube answered about each video, stored once for everybody.

Firestore holds the truth; the search index is a view of it. A transcript is asked for again only when a
person wants that (see shared.pipeline.acceptance). "No captions" and "unavailable" are rechecked later,
less and less often.

A worker claims a video before it asks YouTube, so that no two workers pay for the same answer. A claim
begins in one place (:meth:`TranscriptStore.claim`) and ends in one place (the end of its ``with`` block).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from shared import clock, logs
from shared.errors import AttemptFailed, Conflict, Transient
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore
from shared.transcripts.due import make_due
from shared.transcripts.transcript import Answer, Lines, OutcomeKind, pack_lines, unpack_lines
from shared.transcripts.videos import Metadata

#: A fetch takes a second or two. This is longer than the longest one: the commit of the claim
#: (shared.gcp.firestore.TIMEOUT), all requests (shared.youtube.session.BUDGET), and one more silence of the
#: last one. The claim of a worker that died is free again after it.
CLAIM = timedelta(seconds=45)
_LONGEST_RECHECK_DAYS = 90
#: How soon a video is rechecked that cannot be watched yet: if YouTube does not say from when on it can, and
#: at the earliest.
_NOT_YET, _SOONEST = timedelta(hours=1), timedelta(minutes=1)
#: YouTube makes captions some hours after a premiere. So many times "no captions" still means "not yet".
_CAPTIONS_LATER = 4
KEPT = "The transcript that was fetched before is kept."


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored answer of YouTube.

    ``restricted``: see :class:`shared.transcripts.transcript.Answer`. ``choice``: which rule chose the track.
    ``job_id``: the job that asked; ``youtube_bytes``: what that cost. ``checks`` counts the answers without
    a transcript of the best language. ``look_again_at``: when to recheck; None if it is of that. ``not_yet``:
    see Answer.
    ``found_before``: YouTube does not show the video any more, and it was found by title before: it stays
    findable, marked as gone. ``packed``: the compressed lines; empty without a transcript, or when the
    outcome was read without them. The ``reason`` of a transcript says why it is not of the best track, or why
    it was kept when YouTube was asked again.
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
    not_yet: bool = False
    found_before: bool = False
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
        return is_searchable(self.kind, restricted=self.restricted, found_before=self.found_before)

    @property
    def fresh(self) -> bool:
        """YouTube need not be asked again now."""
        return self.look_again_at is None or clock.now() < self.look_again_at


#: The fields of an answer that says nothing, as they are stored. They replace what was stored before.
_NOTHING_SAID = {
    **{
        each.name: each.default
        for each in fields(Outcome)
        if each.name not in ("kind", "checked_at", "packed")
    },
    "lines": b"",
}
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
    outcome = _outcome_from(data) if data.get("kind") else None
    return Stored(outcome, data.get("claimed_until"), snapshot.update_time)


def _outcome_from(data: Mapping[str, Any]) -> Outcome:
    names = {field.name for field in fields(Outcome)} & data.keys()
    return Outcome(**{name: data[name] for name in names}, packed=data.get("lines", b""))


class Claim:
    """One worker's right to ask YouTube for a video. Others may not ask before it has ended."""

    def __init__(self, db: Firestore, video_id: str, previous: Outcome | None, passages: bool) -> None:
        self._db = db
        self._video_id = video_id
        self._passages = passages
        self._path = transcript_path(video_id)
        self._previous = previous
        self._update_time: datetime | None = None
        self._saved = False

    def save(self, answer: Answer, *, job_id: str, youtube_bytes: int) -> Outcome:
        """Stores an answer for everybody; that ends the claim.

        Without a transcript it is rechecked 1, 3, 9, 27, 81 and then every 90 days later. So is a stopgap.

        A transcript is replaced by another one only, and by a stopgap only if it is one, too. When YouTube
        has none any more, the captions were taken away or the whole video is gone. What was said in it was
        still said, and its owner may put captions back. So the old transcript stays, with a reason.

        Raises:
            AttemptFailed: another worker has claimed the video meanwhile, and its answer counts.
            Permanent: the transcript is too long to store.
        """
        previous, now = self._previous, clock.now()
        asked: dict[str, Any] = {"checked_at": now, "job_id": job_id, "youtube_bytes": youtube_bytes}
        if previous is not None and _keeps(previous, answer):
            if previous.look_again_at is not None:
                asked |= _recheck(previous.checks, now)
            asked["reason"] = f"{answer.reason} {KEPT}"
            self._write(asked)
            outcome = replace(previous, **asked)
        else:
            said = {"kind": answer.kind, "reason": answer.reason, "restricted": answer.restricted}
            if not is_searchable(answer.kind, restricted=answer.restricted):
                said["found_before"] = previous is not None and previous.searchable
            data = {**_NOTHING_SAID, **said, **asked, **_content(answer, previous, now)}
            self._write(data, is_due=self._passages and answer.transcript is not None)
            outcome = _outcome_from(data)
        self._saved = True
        return outcome

    def _write(self, data: Mapping[str, Any], *, is_due: bool = False) -> None:
        """Changes the document and ends the claim, if it is still this worker's. Raises AttemptFailed."""
        commit = self._db.commit()
        commit.update(self._path, {**data, "claimed_until": None}, unchanged_since=self._update_time)
        if is_due:
            make_due(commit, self._video_id, data["checked_at"])
        try:
            commit.run()
        except Conflict as conflict:
            # The client sends a commit again whose answer was lost. So this may be what it wrote itself.
            stored = self._db.read(self._path, fields=["checked_at", "job_id"])[0].data or {}
            if stored != {name: data[name] for name in ("checked_at", "job_id")}:
                raise AttemptFailed(_CLAIM_LOST, detail=conflict.detail) from conflict

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


def _keeps(previous: Outcome, answer: Answer) -> bool:
    """Whether what is stored is better than the answer."""
    is_good = previous.look_again_at is None
    return previous.kind == "transcript" and (answer.transcript is None or (answer.is_stopgap and is_good))


def _content(answer: Answer, previous: Outcome | None, now: datetime) -> dict[str, Any]:
    """The fields that are stored of an answer. Raises Permanent."""
    checks = previous.checks if previous else 0
    if answer.transcript is not None:
        packed = pack_lines(answer.transcript.lines)
        recheck = _recheck(checks, now) if answer.is_stopgap else {}
        return {
            **recheck,
            "language": answer.transcript.language,
            "language_name": answer.transcript.language_name,
            "generated": answer.transcript.generated,
            "choice": answer.transcript.choice,
            "lines": packed,
            "digest": hashlib.sha256(packed).hexdigest()[:32],
        }
    if answer.not_yet:
        # Not counted: once it can be watched, it is rechecked as often as a new video.
        at = max(answer.expected_at or now + _NOT_YET, now + _SOONEST)
        return {"not_yet": True, "checks": checks, "look_again_at": at}
    if previous and previous.not_yet and answer.kind == "no_transcript" and checks < _CAPTIONS_LATER:
        return {"not_yet": True, "checks": checks + 1, "look_again_at": now + _NOT_YET}
    return _recheck(checks, now)


def _recheck(checks: int, now: datetime) -> dict[str, Any]:
    """When to ask again, after so many answers without a transcript of the best language."""
    wait = timedelta(days=min(_LONGEST_RECHECK_DAYS, 3 ** min(checks, 9)))
    return {"checks": checks + 1, "look_again_at": now + wait}


class TranscriptStore:
    """The answers about all videos. ``passages``: new transcripts are also for search by meaning."""

    def __init__(self, db: Firestore, *, passages: bool = False) -> None:
        self._db = db
        self._passages = passages

    def read(self, video_ids: Sequence[str], *, lines: bool = False) -> dict[str, Stored]:
        """These videos in the store, by id, with or without the lines."""
        wanted = None if lines else _WITHOUT_LINES
        snapshots = self._db.read(*map(transcript_path, video_ids), fields=wanted)
        return {snapshot.id: stored_from(snapshot) for snapshot in snapshots}

    @contextmanager
    def claim(self, video_id: str, stored: Stored) -> Iterator[Claim]:
        """Claims a video for the ``with`` block, :data:`CLAIM` at most.

        Raises:
            Transient: another worker has claimed it.
        """
        claim = Claim(self._db, video_id, stored.outcome, self._passages)
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
        found: Mapping[str, Outcome | None] = {"": None}
        while found := self.next_page(max(found), page):
            yield [video_id for video_id, outcome in found.items() if outcome and outcome.searchable]

    def next_page(self, after: str | None, limit: int) -> dict[str, Outcome | None]:
        """The next videos in the order of ids, without their lines. None for one that was never answered."""
        found = self._db.query(
            "transcripts",
            order_by="__name__",
            start_after=after or None,
            limit=limit,
            fields=_WITHOUT_LINES,
        )
        return {snapshot.id: stored_from(snapshot).outcome for snapshot in found}


_CLAIMED = "Another worker is fetching this video."
_CLAIM_LOST = "Another worker has taken over this video."


def is_searchable(kind: OutcomeKind, *, restricted: bool = False, found_before: bool = False) -> bool:
    """Whether a video with this outcome belongs into the search index. See :class:`Outcome`."""
    return kind != "unavailable" or restricted or found_before


def is_gone(metadata: Metadata, outcome: Outcome) -> bool:
    """Whether YouTube does not show a video any more that is in the search index."""
    return metadata.gone_at is not None or outcome.found_before


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
        *(["gone"] if is_gone(metadata, outcome) else []),
        *([outcome.reason] if outcome.reason else []),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
