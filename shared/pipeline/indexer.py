"""Indexing: one video from the store into the search index, then its entry is settled."""

from __future__ import annotations

from shared import logs
from shared.errors import Conflict, Malformed, Permanent, Transient
from shared.gcp.deliveries import Delivery
from shared.gcp.firestore import Firestore
from shared.messages import VideoMessage
from shared.pipeline.jobs import Job, job_from, job_path
from shared.pipeline.ledger import Entry, Ledger, entry_from, entry_path, state_when_indexed
from shared.pipeline.settlement import Settlement
from shared.search.index.document import write_of
from shared.search.index.writer import SearchIndex
from shared.transcripts.store import stored_from, transcript_path
from shared.transcripts.videos import metadata_from, video_path


class Indexer:
    """The use case behind topic ``transcripts``."""

    def __init__(self, db: Firestore, index: SearchIndex) -> None:
        self._db = db
        self._index = index
        self._ledger = Ledger(db)
        self._settlement = Settlement(db, index)

    def index(self, message: VideoMessage, delivery: Delivery) -> None:
        """Makes a stored video searchable, then settles it.

        The order matters: what the ledger calls indexed, the search index has.

        Raises:
            Malformed: the job has no such video.
            Transient: the search index or the database does not answer.
        """
        with logs.context(job_id=message.job_id, video_id=message.video_id):
            snapshots = self._db.read(
                job_path(message.job_id),
                entry_path(message.job_id, message.video_id),
                video_path(message.video_id),
                transcript_path(message.video_id),
            )
            job, entry = job_from(snapshots[0]), entry_from(snapshots[1])
            metadata, outcome = metadata_from(snapshots[2]), stored_from(snapshots[3]).outcome
            if job is None or not job.active:
                logs.info("dropped: the job is over")
                return
            if entry is None:
                raise Malformed(f"job {message.job_id} has no video {message.video_id}")
            if entry.state != "pending":
                return
            if metadata is None or outcome is None or not outcome.searchable:
                # The store has lost the video. The sweep sends it to the fetcher again.
                logs.warning("dropped: nothing stored to index")
                return
            try:
                self._index.write([write_of(metadata, outcome)])
            except Permanent as error:
                self._settlement.settle(job, entry, "failed", str(error))
                return
            except Transient as error:
                self._note(job, entry, error)
                raise
            state = state_when_indexed(outcome.kind)
            self._settlement.settle(job, entry, state, outcome.reason, outcome=outcome)

    def _note(self, job: Job, entry: Entry, error: Transient) -> None:
        """Writes a failed attempt into the ledger, where a person sees what the video waits for."""
        try:
            self._ledger.note_attempt(job.job_id, entry, reason=str(error))
        except Conflict:
            logs.info("failed attempt not noted: the video has changed", reason=str(error))
        except Transient as trouble:
            # The database does not answer either. The caller raises the first error.
            logs.info("failed attempt not noted", reason=str(trouble))
