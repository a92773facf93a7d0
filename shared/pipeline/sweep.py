"""The sweep: publishes again what was lost or has come due, and completes jobs whose last step died.

A message can be lost between a commit and its publish, or with Pub/Sub's memory (the emulator forgets
everything when it restarts). Jobs that move are left alone, because their messages are on their way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from shared import clock, logs
from shared.config import Config
from shared.errors import Transient
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.pipeline.completion import Completion
from shared.pipeline.embedding_due import EmbeddingDue
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import Ledger
from shared.pipeline.retry import Retry
from shared.search.index.passages import PassageIndex
from shared.search.index.writer import SearchIndex

#: A job that stalls again waits twice as long, up to so many times. While a dependency is unavailable,
#: messages are nacked and not lost, and each sweep would only add as many again.
_DOUBLINGS = 4


@dataclass(slots=True)
class Swept:
    """Counts of a sweep: jobs read, planned again and ended; videos published again; errors.

    ``embedding``: videos sent to the embedder.
    """

    jobs: int = 0
    planned_again: int = 0
    ended: int = 0
    videos_published: int = 0
    embedding: int = 0
    troubles: int = 0


@dataclass(slots=True)
class SweepDone(Swept):
    """``erasures``: those that were continued."""

    erasures: int = 0


class SweepAsked(Struct):
    """``messages_lost``: Pub/Sub has forgotten all of its messages."""

    messages_lost: bool = False


class Sweep:
    """The use case of the scheduler."""

    def __init__(
        self, config: Config, db: Firestore, topics: Topics, index: SearchIndex, passages: PassageIndex
    ) -> None:
        self._stalled_after = timedelta(seconds=config.stalled_after_seconds)
        self._topics = topics
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)
        self._completion = Completion(db, index)
        self._retry = Retry(db, topics, index)
        self._embedding = EmbeddingDue(config, db, topics, passages)

    def run(self, *, messages_lost: bool = False) -> Swept:
        """Looks at every active job. ``messages_lost``: Pub/Sub has forgotten all of its messages."""
        swept = Swept()
        active = self._jobs.active()
        for job in active:
            self.sweep(job, swept, messages_lost=messages_lost)
        try:
            swept.embedding = self._embedding.run(active, messages_lost=messages_lost)
        except Transient as error:
            swept.troubles += 1
            logs.warning("no videos sent to the embedder", error)
        return swept

    def sweep(self, job: Job, swept: Swept, *, messages_lost: bool = False) -> None:
        """Looks at one job, and adds to ``swept`` what was done. Trouble with it is logged and counted."""
        swept.jobs += 1
        with logs.context(job_id=job.job_id):
            try:
                self._sweep(job, swept, messages_lost)
            except Transient as error:
                # Trouble with one job must not stop the others. The next sweep comes soon.
                swept.troubles += 1
                logs.warning("a job could not be swept", error)

    def _sweep(self, job: Job, swept: Swept, messages_lost: bool) -> None:
        now = clock.now()

        def is_still(moved_at: datetime | None, stalls: int = 0) -> bool:
            return messages_lost or moved_at is None or now - moved_at >= self._stalled_after * 2**stalls

        if job.blocked_until is not None and job.blocked_until > now and not messages_lost:
            # It may wait for a day, and its counters are up to 64 documents. Parked videos may be due. The
            # planner publishes all other pending ones when it continues.
            if job.listed:
                swept.videos_published += self._retry.republish(job.job_id, "overdue")
            return
        if job.state != "running":
            if job.blocked_until <= now if job.blocked_until else is_still(job.update_time):
                # The quota is renewed, or the message was lost. Until then the job says what it waits for.
                over = {"blocked_until": None, "error": None} if job.blocked_until else {}
                job = self._jobs.touch(job, **over)
                self._topics.publish("playlists", [job.message])
                swept.planned_again += 1
            if job.state == "queued":
                return
        counts = self._ledger.counts(job.job_id, job.shards)
        if counts.states["pending"] == 0:
            swept.ended += self._completion.complete_if_settled(job.job_id)
            return
        # A job that waits for YouTube to let us in has lost nothing.
        moved_at = max(time for time in (job.update_time, counts.changed_at, job.paused_until) if time)
        stalls = job.stalls if moved_at == job.update_time else 0
        if is_still(moved_at, stalls):
            self._jobs.touch(job, stalls=0 if messages_lost else min(stalls + 1, _DOUBLINGS))
            published = self._retry.republish(job.job_id, "all" if messages_lost else "stalled")
        else:
            published = self._retry.republish(job.job_id, "overdue")
        swept.videos_published += published
        if published:
            logs.info("videos published again", videos=published)
