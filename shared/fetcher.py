"""Fetching: one video's transcript, from YouTube or from the store, on to the indexer."""

from __future__ import annotations

from collections.abc import Callable

from shared import captions, clock, documents, jobs, ledger, logs, store, topics
from shared.captions import Fetched, Refused
from shared.documents import Commit, Conflict
from shared.errors import DeliveryError, Malformed, NoTranscript, Permanent, VideoUnavailable
from shared.events import Delivery
from shared.jobs import Job
from shared.ledger import Entry
from shared.messages import VideoMessage
from shared.store import Outcome, OutcomeKind, Stored


def fetch(
    message: VideoMessage, delivery: Delivery, *, ask: Callable[[str], Fetched] = captions.fetch
) -> None:
    """Makes sure that the store has an answer for the video, and sends it on.

    A video somebody has fetched before is not fetched again. An unavailable one is settled here.

    Raises:
        Malformed: the job has no such video.
        Transient: worth another delivery.
    """
    with logs.context(job_id=message.job_id, video_id=message.video_id):
        snapshots = documents.read(
            jobs.path(message.job_id),
            ledger.entry_path(message.job_id, message.video_id),
            store.transcript_path(message.video_id),
        )
        job, entry = jobs.job_of(snapshots[0]), ledger.entry_of(snapshots[1])
        if job is None or not job.active:
            logs.info("dropped: the job is over")
            return
        if entry is None:
            raise Malformed(f"job {message.job_id} has no video {message.video_id}")
        if entry.state != "pending":
            return
        stored = store.stored_of(snapshots[2])
        outcome = stored.outcome
        if outcome is None or not outcome.fresh(clock.now()):
            outcome = _ask(job, entry, stored, ask)
        if outcome.kind == "unavailable":
            jobs.settle(
                job,
                entry,
                "unavailable",
                reason=outcome.reason,
                reused=outcome.job_id != job.job_id,
                youtube_bytes=outcome.youtube_bytes if outcome.job_id == job.job_id else 0,
            )
        else:
            topics.publish("transcripts", [VideoMessage(message.job_id, message.video_id, entry.round)])


def _ask(job: Job, entry: Entry, stored: Stored, ask: Callable[[str], Fetched]) -> Outcome:
    """Asks YouTube, and stores whatever it answers for good; what is of the moment is noted and raised."""
    video_id = entry.video_id
    store.claim(video_id, stored)
    fetched: Fetched | None = None
    try:
        fetched = ask(video_id)
        return store.save(
            video_id,
            stored.outcome,
            job_id=job.job_id,
            youtube_bytes=fetched.youtube_bytes,
            transcript=fetched.transcript,
        )
    except Refused as refused:
        error, spent = refused.error, refused.youtube_bytes
        if isinstance(error, NoTranscript | VideoUnavailable):
            absent: OutcomeKind = "no_transcript" if isinstance(error, NoTranscript) else "unavailable"
            return store.save(
                video_id,
                stored.outcome,
                job_id=job.job_id,
                youtube_bytes=spent,
                absent=absent,
                reason=str(error),
            )
        _note(job.job_id, entry, error, spent)
        raise error from refused
    except Permanent as error:
        return store.save(
            video_id,
            stored.outcome,
            job_id=job.job_id,
            youtube_bytes=fetched.youtube_bytes if fetched else 0,
            absent="no_transcript",
            reason=str(error),
        )


def _note(job_id: str, entry: Entry, error: DeliveryError, spent: int) -> None:
    """Writes a failed attempt into the ledger and frees the video, so that the next delivery may try."""
    commit = Commit()
    ledger.note_attempt(commit, job_id, entry, reason=str(error), youtube_bytes=spent)
    store.release(commit, entry.video_id)
    try:
        commit.run()
    except Conflict:
        # Somebody settled it meanwhile; the claim ends by itself.
        logs.info("a failed attempt was overtaken", reason=str(error))
