"""Completing a job: when nothing of it is pending, and everything of it can be found."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from shared import logs
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.library.memberships import Memberships
from shared.library.refreshes import Again
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import Ledger
from shared.search.index.writer import SearchIndex


class Completion:
    """Ends jobs as `done`."""

    def __init__(self, db: Firestore, index: SearchIndex) -> None:
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)
        self._memberships = Memberships(db, index)
        self._index = index

    def complete_if_settled(self, job_id: str) -> bool:
        """Ends a running job of which nothing is pending. True if the job is over afterwards.

        `done` promises that everything is searchable. So the membership and the index come first.

        Raises:
            Transient: the database or the search index does not answer.
        """

        def attempt() -> bool:
            job = self._jobs.read(job_id)
            if job is None or job.state != "running":
                return job is not None and not job.active
            counts = self._ledger.counts(job_id, job.shards)
            if counts.states["pending"] > 0:
                return False
            self._index.refresh()
            waiting = {
                entry.video_id: Again(entry.look_again_at, entry.not_yet)
                for entry in self._ledger.unfinished(job_id)
                if entry.look_again_at is not None
            }
            self._memberships.finish(
                job.user_id,
                job.playlist_id,
                job_id,
                waiting,
                partial(self._ledger.indexed, job_id),
                listed=job.whole,
                only=self._looked_at(job),
            )
            self._jobs.complete(job, counts.as_json())
            logs.info("job is done", job_id=job_id, counts=dict(counts.states))
            return True

        return retry_on_conflict(attempt)

    def _looked_at(self, job: Job) -> Collection[str] | None:
        """The ids of the videos of a job; None if they are all of its source."""
        if job.new_only:
            return [entry.video_id for entry in self._ledger.entries(job.job_id, None)]
        return job.video_ids or None
