"""The store of videos and transcripts, shared by everybody: the truth of which Elasticsearch is a view.

What asking YouTube has answered is remembered whatever it was. A transcript is never asked for
again; "no captions" and "unavailable" are looked at again later, less and less often.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from shared import clock, documents
from shared.documents import Commit, Conflict, Snapshot
from shared.errors import Transient
from shared.transcripts import Lines, Transcript, pack_lines, unpack_lines

OutcomeKind = Literal["transcript", "no_transcript", "unavailable"]
#: Fetching takes a second or two, and never longer than this (egress.BUDGET); what a worker that died
#: had claimed is free again after it.
CLAIM = timedelta(seconds=30)
#: Metadata (views, title) older than this is asked for again when a playlist is listed.
METADATA_AGE = timedelta(days=1)
_LONGEST_WAIT_DAYS = 90
_OUTCOME_FIELDS = (
    "kind",
    "reason",
    "language",
    "language_name",
    "generated",
    "checked_at",
    "checks",
    "look_again_at",
    "job_id",
    "youtube_bytes",
    "digest",
    "claimed_until",
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """A video as the Data API describes it. Durations in seconds."""

    video_id: str
    title: str
    description: str
    channel: str
    channel_id: str
    published_at: datetime | None
    duration_seconds: int | None
    views: int | None
    thumbnail_url: str | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What YouTube answered when it was asked for the transcript.

    ``job_id`` asked, and ``youtube_bytes`` is what that cost; ``checks`` counts askings without a
    transcript. ``packed`` is empty without a transcript, or when read without it.
    """

    kind: OutcomeKind
    reason: str
    language: str | None
    language_name: str | None
    generated: bool | None
    packed: bytes
    checked_at: datetime
    checks: int
    look_again_at: datetime | None
    job_id: str
    youtube_bytes: int
    digest: str

    @property
    def lines(self) -> Lines:
        """Unpacked at each call: most who read an outcome have no use for them."""
        return unpack_lines(self.packed) if self.packed else Lines()

    def fresh(self, now: datetime) -> bool:
        """Nobody needs to ask YouTube."""
        return self.look_again_at is None or now < self.look_again_at


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's right to ask YouTube for a video, ``until`` when nobody else does."""

    video_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """The state of one video's transcript: its outcome if there is one, and who is fetching it now."""

    outcome: Outcome | None
    claimed_until: datetime | None
    update_time: datetime | None


def video_path(video_id: str) -> str:
    return f"videos/{video_id}"


def transcript_path(video_id: str) -> str:
    return f"transcripts/{video_id}"


def metadata_of(snapshot: Snapshot) -> Metadata | None:
    """None when the video was never listed."""
    data = snapshot.data
    if data is None:
        return None
    return Metadata(
        video_id=snapshot.id,
        title=data["title"],
        description=data.get("description", ""),
        channel=data.get("channel", ""),
        channel_id=data.get("channel_id", ""),
        published_at=data.get("published_at"),
        duration_seconds=data.get("duration_seconds"),
        views=data.get("views"),
        thumbnail_url=data.get("thumbnail_url"),
        fetched_at=data["fetched_at"],
    )


def put_metadata(commit: Commit, metadata: Metadata) -> None:
    """Puts the writing of metadata into ``commit``."""
    commit.set(
        video_path(metadata.video_id),
        {
            "title": metadata.title,
            "description": metadata.description,
            "channel": metadata.channel,
            "channel_id": metadata.channel_id,
            "published_at": metadata.published_at,
            "duration_seconds": metadata.duration_seconds,
            "views": metadata.views,
            "thumbnail_url": metadata.thumbnail_url,
            "fetched_at": metadata.fetched_at,
        },
    )


def stored_of(snapshot: Snapshot) -> Stored:
    data = snapshot.data or {}
    outcome = None
    if data.get("kind"):
        outcome = Outcome(
            kind=data["kind"],
            reason=data.get("reason", ""),
            language=data.get("language"),
            language_name=data.get("language_name"),
            generated=data.get("generated"),
            packed=data.get("lines", b""),
            checked_at=data["checked_at"],
            checks=data.get("checks", 0),
            look_again_at=data.get("look_again_at"),
            job_id=data.get("job_id", ""),
            youtube_bytes=data.get("youtube_bytes", 0),
            digest=data.get("digest", ""),
        )
    return Stored(outcome, data.get("claimed_until"), snapshot.update_time)


def read_outcomes(video_ids: Sequence[str]) -> dict[str, Stored]:
    """Without the lines."""
    snapshots = documents.read(*map(transcript_path, video_ids), fields=_OUTCOME_FIELDS)
    return {snapshot.id: stored_of(snapshot) for snapshot in snapshots}


def claim(video_id: str, stored: Stored) -> Claim:
    """Takes the fetching of a video for :data:`CLAIM`, so that no two pay YouTube for the same.

    Raises:
        Transient: another worker has it.
    """
    now = clock.now()
    if stored.claimed_until is not None and stored.claimed_until > now:
        raise Transient("Another worker is fetching this video.")
    claimed = Claim(video_id, now + CLAIM)
    path, fields = transcript_path(video_id), {"claimed_until": claimed.until}
    commit = Commit()
    if stored.update_time is None:
        commit.create(path, fields)
    else:
        commit.update(path, fields, unchanged_since=stored.update_time)
    try:
        commit.run()
    except Conflict as conflict:
        raise Transient("Another worker is fetching this video.") from conflict
    return claimed


def release(commit: Commit, claim: Claim) -> None:
    """Puts the end of a claim without an outcome into ``commit``; one that has run out may be another's."""
    if clock.now() < claim.until:
        commit.set(transcript_path(claim.video_id), {"claimed_until": None}, merge=True)


def save(
    video_id: str,
    previous: Outcome | None,
    *,
    job_id: str,
    youtube_bytes: int,
    transcript: Transcript | None = None,
    absent: OutcomeKind = "no_transcript",
    reason: str = "",
) -> Outcome:
    """Stores what YouTube answered, for everybody, and ends the claim.

    Without a transcript it is ``absent`` for a ``reason``, to be looked at again 1, 3, 9, 27, 81 and
    then every 90 days later.

    Raises:
        Permanent: the transcript is too long to store.
    """
    now = clock.now()
    fields: dict[str, Any] = {
        "checked_at": now,
        "job_id": job_id,
        "youtube_bytes": youtube_bytes,
        "claimed_until": None,
    }
    if transcript is not None:
        packed = pack_lines(transcript.lines)
        fields |= {
            "kind": "transcript",
            "language": transcript.language,
            "language_name": transcript.language_name,
            "generated": transcript.generated,
            "lines": packed,
            "digest": hashlib.sha256(packed).hexdigest()[:32],
        }
    else:
        checks = (previous.checks if previous else 0) + 1
        wait = timedelta(days=min(_LONGEST_WAIT_DAYS, 3 ** min(checks - 1, 9)))
        fields |= {"kind": absent, "reason": reason, "checks": checks, "look_again_at": now + wait}
    Commit().set(transcript_path(video_id), fields).run()
    saved = stored_of(Snapshot(transcript_path(video_id), fields, None)).outcome
    if saved is None:
        raise AssertionError("an outcome that was just built has a kind")
    return saved


def version(metadata: Metadata, outcome: Outcome) -> int:
    """Microseconds since 1970: grows whenever either is stored anew, so that old never replaces new."""
    return int(max(metadata.fetched_at, outcome.checked_at).timestamp() * 1_000_000)


def every_transcript(page: int = 200) -> Iterator[list[str]]:
    """The ids of all videos with an outcome to index, page by page, in the order of ids."""
    after: str | None = None
    while True:
        found = list(
            documents.query(
                "transcripts", order_by="__name__", start_after=after, limit=page, fields=["kind"]
            )
        )
        if not found:
            return
        yield [
            snapshot.id
            for snapshot in found
            if snapshot.data and snapshot.data.get("kind") in ("transcript", "no_transcript")
        ]
        after = found[-1].id


def digest(metadata: Metadata, outcome: Outcome) -> str:
    """Changes when anything that is searched or shown of the video changes (views do not count)."""
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
