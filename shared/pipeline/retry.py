"""Retries: another round for videos that failed, and another message for those whose message was lost."""

from __future__ import annotations

from typing import Literal

from shared import clock
from shared.errors import NotFound
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.gcp.pubsub import Topics
from shared.library import memberships
from shared.messages import VideoMessage
from shared.pipeline.completion import Completion
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import LATE, Ledger
from shared.pipeline.quotas import Quota
from shared.search.index.writer import SearchIndex


class Retry:
    """Starts work of a job again."""

    def __init__(self, db: Firestore, topics: Topics, index: SearchIndex) -> None:
        self._db = db
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)
        self._completion = Completion(db, index)
        self._topics = topics

    def retry(self, job: Job, quota: Quota | None = None) -> None:
        """Gives the failed videos of a job another round, and those that a cancelled job left pending.

        A job whose playlist was never listed to its end is planned again. An active job stays as it is.
        Failed videos that are fetched again are charged once more, because each may cost several requests.

        Raises:
            Busy: the playlist has another active job.
            NotFound: no video of the job is in the user's library through its playlist any more.
            TooMany, Full: the quota is used up; there is no room for more videos.
        """
        if job.active:
            return
        # Before anything is charged or reopened.
        self._db.room.require()
        self._jobs.require_free(job)
        if not job.whole:
            known = memberships.read(self._db, job.user_id, job.playlist_id)
            if known is None or not set(job.video_ids).intersection(known.video_ids):
                raise NotFound("The video is not in your library any more.")
        if quota is not None:
            failed = (
                {entry.video_id for entry in self._ledger.entries(job.job_id, "failed")}
                if job.again
                else set()
            )
            self._spend(quota, job.job_id, len(failed & job.again_ids))
        # Before the job itself: a running job with nothing pending may be completed by anybody at once.
        self._ledger.reopen_failed(job.job_id, job.shards)
        if job.total is None:
            self._jobs.resume(job, "queued", quota)
            self._topics.publish("playlists", [job.message])
            return
        self._jobs.resume(job, "running", quota)
        self.republish(job.job_id)
        self._completion.complete_if_settled(job.job_id)

    def _spend(self, quota: Quota, job_id: str, again: int) -> None:
        """Charges a retry that fetches so many videos ``again`` to the user's quota. Raises TooMany."""

        def attempt() -> None:
            starts = self._db.read(quota.path)[0]
            self._db.commit().put(starts, self._jobs.charge(quota, starts, job_id, again)).run()

        retry_on_conflict(attempt)

    def republish(self, job_id: str, which: Literal["all", "stalled", "overdue"] = "all") -> int:
        """Publishes messages of pending videos again.

        ``all``: of every pending video. ``overdue``: of parked videos whose time has come, and of videos
        whose next attempt did not come in time. ``stalled``: of all but those that still wait for theirs.

        Returns:
            The number of messages.
        """
        now = clock.now()
        late = now - LATE
        found = (
            self._ledger.overdue(job_id, now)
            if which == "overdue"
            else self._ledger.entries(job_id, "pending")
        )
        entries = [
            entry
            for entry in found
            if which == "all"
            or entry.next_attempt_at is None
            or entry.next_attempt_at <= (now if entry.parked else late)
        ]
        self._topics.publish("videos", [VideoMessage(job_id, each.video_id, each.round) for each in entries])
        # The next attempt is now that of this message. Otherwise each sweep would publish one more.
        self._ledger.postpone(job_id, [each for each in entries if each.next_attempt_at is not None], now)
        return len(entries)
