"""Indexing: one video from the store into Elasticsearch, then its ledger entry is settled."""

from __future__ import annotations

from shared import documents, jobs, ledger, logs, search_index, store
from shared.documents import Commit
from shared.errors import Malformed, Permanent, Transient
from shared.events import Delivery
from shared.ledger import Entry, State
from shared.messages import VideoMessage
from shared.search_documents import VideoDocument
from shared.store import Metadata, Outcome


def index(message: VideoMessage, delivery: Delivery) -> None:
    """Makes a stored video searchable. The order matters: what the ledger calls indexed, Elasticsearch has.

    Raises:
        Malformed: the job has no such video.
        Transient: Elasticsearch or Firestore does not answer.
    """
    with logs.context(job_id=message.job_id, video_id=message.video_id):
        snapshots = documents.read(
            jobs.path(message.job_id),
            ledger.entry_path(message.job_id, message.video_id),
            store.video_path(message.video_id),
            store.transcript_path(message.video_id),
        )
        job, entry = jobs.job_of(snapshots[0]), ledger.entry_of(snapshots[1])
        metadata, outcome = store.metadata_of(snapshots[2]), store.stored_of(snapshots[3]).outcome
        if job is None or not job.active:
            logs.info("dropped: the job is over")
            return
        if entry is None:
            raise Malformed(f"job {message.job_id} has no video {message.video_id}")
        if entry.state != "pending":
            return
        if metadata is None or outcome is None or outcome.kind == "unavailable":
            # The store does not have it (any more): the sweep sends the video to be fetched again.
            logs.warning("dropped: nothing stored to index")
            return
        try:
            search_index.write([(document(metadata, outcome), store.version(metadata, outcome))])
        except Permanent as error:
            jobs.settle(job, entry, "failed", reason=str(error))
            return
        except Transient as error:
            _note(job.job_id, entry, error)
            raise
        paid = outcome.job_id == job.job_id
        jobs.settle(
            job,
            entry,
            state_of(outcome),
            reason=outcome.reason,
            reused=not paid,
            youtube_bytes=outcome.youtube_bytes if paid else 0,
        )


def _note(job_id: str, entry: Entry, error: Transient) -> None:
    """Writes a failed attempt into the ledger, where a person sees what the video waits for."""
    commit = Commit()
    ledger.note_attempt(commit, job_id, entry, reason=str(error), youtube_bytes=0)
    try:
        commit.run()
    except Transient as trouble:
        # Somebody settled it meanwhile, or Firestore is away too: what is raised is the first error.
        logs.info("a failed attempt was not noted", reason=str(trouble))


def state_of(outcome: Outcome) -> State:
    """What an indexed video counts as."""
    return "indexed" if outcome.kind == "transcript" else "no_transcript"


def document(metadata: Metadata, outcome: Outcome) -> VideoDocument:
    """What is searched and shown of a video."""
    return VideoDocument(
        video_id=metadata.video_id,
        title=metadata.title,
        description=metadata.description,
        channel=metadata.channel,
        channel_id=metadata.channel_id,
        published_at=metadata.published_at,
        duration_seconds=metadata.duration_seconds,
        views=metadata.views,
        thumbnail_url=metadata.thumbnail_url,
        language=outcome.language,
        generated=outcome.generated,
        lines=outcome.lines,
        digest=store.digest(metadata, outcome),
    )
