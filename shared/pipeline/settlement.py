"""Settling a video: its entry leaves `pending`, once, and the last one completes the job."""

from __future__ import annotations

from datetime import timedelta

from shared import clock
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.pipeline.completion import Completion
from shared.pipeline.jobs import Job
from shared.pipeline.ledger import Entry, Ledger, VideoState
from shared.search.index.writer import SearchIndex
from shared.transcripts.store import Outcome

#: When a refresh gives another try to a video that failed.
_FAILED = timedelta(days=1)


class Settlement:
    """The one place where videos of a job are settled."""

    def __init__(self, db: Firestore, index: SearchIndex) -> None:
        self._ledger = Ledger(db)
        self._completion = Completion(db, index)

    def settle(
        self,
        job: Job,
        entry: Entry,
        state: VideoState,
        reason: str = "",
        *,
        outcome: Outcome | None = None,
        of_round: int | None = None,
    ) -> None:
        """Settles a video, once, and completes the job if it was the last one.

        ``outcome``: YouTube's answer, if there is one. The job whose fetch brought it is charged for the
        bytes; all others reused it. ``of_round``: settle only if the entry is still of that round.

        Raises:
            Transient: the database or the search index does not answer.
        """
        paid = outcome is not None and outcome.job_id == job.job_id
        again_at = clock.now() + _FAILED if state == "failed" else outcome.look_again_at if outcome else None
        known: Entry | None = entry

        def attempt() -> bool:
            nonlocal known
            # The first attempt trusts the entry as it was read; later ones read it again.
            now, known = known or self._ledger.read(job.job_id, entry.video_id), None
            if now is None or now.state != "pending" or of_round not in (None, now.round):
                return False
            return self._ledger.settle(
                job.job_id,
                job.shards,
                now,
                state,
                reason=reason,
                reused=outcome is not None and not paid,
                youtube_bytes=now.youtube_bytes + (outcome.youtube_bytes if outcome and paid else 0),
                look_again_at=again_at,
                not_yet=outcome is not None and outcome.not_yet,
            )

        if retry_on_conflict(attempt):
            self._completion.complete_if_settled(job.job_id)
