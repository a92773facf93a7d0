"""Fetching: one video's transcript, from the store or from YouTube, then on to the indexer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform
from time import monotonic

from shared import clock, logs
from shared.errors import (
    AddressBlocked,
    AttemptFailed,
    Conflict,
    Malformed,
    NotReached,
    Permanent,
    Transient,
    YouTubeError,
)
from shared.gcp.deliveries import Delivery
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.messages import VideoMessage
from shared.pipeline.acceptance import accepts
from shared.pipeline.jobs import SAME_PAUSE, Job, Jobs, job_from, job_path
from shared.pipeline.ledger import Entry, Ledger, entry_from, entry_path
from shared.pipeline.settlement import Settlement
from shared.search.index.writer import SearchIndex
from shared.transcripts.store import KEPT, Outcome, Stored, TranscriptStore, stored_from, transcript_path
from shared.transcripts.transcript import Answer
from shared.transcripts.videos import Metadata, metadata_from, video_path
from shared.youtube.captions import Captions
from shared.youtube.egress.breaker import ADDRESS_BLOCKED, RouteClosed
from shared.youtube.egress.routing import Routing

#: Failed attempts at YouTube after which a video fails. Deliveries are not counted, because an outage of
#: the database uses them up, too.
ATTEMPTS = 8
#: Seconds that a delivery waits for a permit, or for a blocked address. A video that has to wait longer is
#: parked. With the fetch itself this is less than the function's timeout.
PATIENCE = 40.0
#: After so long a wait for a permit the video is read again: the job may have been cancelled meanwhile.
_LONG_WAIT = timedelta(seconds=1)
#: A message of this age is not returned to other workers any more, because Pub/Sub counts its deliveries.
_YOUNG = timedelta(minutes=5)
#: Seconds over which messages for other workers are returned, so that they do not all come at once.
_SPREAD = 5.0
#: How long a video is parked that another worker may take.
_FOR_OTHERS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Work:
    """One pending video as it was last read."""

    job: Job
    entry: Entry
    stored: Stored
    metadata: Metadata | None

    @property
    def known(self) -> Outcome | None:
        """The stored outcome, if YouTube need not be asked."""
        outcome = self.stored.outcome
        accepted = outcome is not None and accepts(self.job, self.entry.video_id, outcome)
        return outcome if accepted else None

    @property
    def has_transcript(self) -> bool:
        """Whether one was fetched before."""
        return self.stored.outcome is not None and self.stored.outcome.kind == "transcript"


class Fetcher:
    """The use case behind topic ``videos``."""

    def __init__(
        self,
        db: Firestore,
        topics: Topics,
        index: SearchIndex,
        captions: Captions,
        routing: Routing,
        *,
        patience: float = PATIENCE,
        passages: bool = True,
    ) -> None:
        self._db = db
        self._topics = topics
        self._captions = captions
        self._routing = routing
        self._patience = patience
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)
        self._transcripts = TranscriptStore(db, passages=passages)
        self._settlement = Settlement(db, index)
        #: For each job, until when this process has said that it is paused.
        self._paused: dict[str, datetime] = {}

    def fetch(self, message: VideoMessage, delivery: Delivery) -> None:
        """Makes sure that the store has YouTube's answer about a video, and sends the video on.

        While no address may ask YouTube, the video waits: here for at most PATIENCE seconds, then parked in
        the ledger.

        Raises:
            Malformed: the job has no such video.
            Transient: worth another delivery.
        """
        with logs.context(job_id=message.job_id, video_id=message.video_id):
            deadline = monotonic() + self._patience
            while (work := self._read(message)) is not None:
                try:
                    outcome = work.known or self._ask(message, work, deadline - monotonic())
                except RouteClosed as closed:
                    if not self._wait(work, closed, delivery, deadline - monotonic()):
                        return
                except (AddressBlocked, NotReached) as error:
                    if (now := self._read(message)) is not None:
                        self._note(now, error, counted=False)
                    if isinstance(error, NotReached):
                        # Another delivery may come when this process has a way out.
                        raise
                except AttemptFailed as error:
                    # The video may have changed while it waited for its turn, and the attempt counts all
                    # the same. So it is read again.
                    if (now := self._read(message)) is not None:
                        self._attempt_failed(now, error)
                    return
                else:
                    if outcome is not None:
                        self._hand_on(work, outcome)
                    return

    def _read(self, message: VideoMessage) -> _Work | None:
        """The video as it is now. None when nothing is left to do for it."""
        snapshots = self._db.read(
            job_path(message.job_id),
            entry_path(message.job_id, message.video_id),
            transcript_path(message.video_id),
            video_path(message.video_id),
        )
        job, entry = job_from(snapshots[0]), entry_from(snapshots[1])
        if job is None or not job.active:
            logs.info("dropped: the job is over")
            return None
        if entry is None:
            raise Malformed(f"job {message.job_id} has no video {message.video_id}")
        if entry.state != "pending":
            return None
        return _Work(job, entry, stored_from(snapshots[2]), metadata_from(snapshots[3]))

    def _ask(self, message: VideoMessage, work: _Work, patience: float) -> Outcome | None:
        """Asks YouTube when it is the video's turn, and stores the answer.

        None when nothing is left to do. Raises RouteClosed, AddressBlocked or AttemptFailed.
        """
        with self._routing.acquire(message.video_id, patience) as permit:
            if permit.waited >= _LONG_WAIT:
                # The job may have been cancelled meanwhile, or the video fetched for another job.
                now = self._read(message)
                if now is None:
                    return None
                if now.known:
                    return now.known
                work = now
            with self._transcripts.claim(message.video_id, work.stored) as claim:
                last = work.entry.attempts + 1 >= ATTEMPTS and not work.has_transcript
                answer = self._captions.fetch(message.video_id, permit.session, work.metadata, last=last)
                permit.succeeded()
                job_id, spent = work.job.job_id, permit.received
                try:
                    return claim.save(answer, job_id=job_id, youtube_bytes=spent)
                except Permanent as error:
                    absent = Answer("no_transcript", reason=str(error))
                    return claim.save(absent, job_id=job_id, youtube_bytes=spent)

    def _hand_on(self, work: _Work, outcome: Outcome) -> None:
        """Sends a video to the indexer, or settles it if nothing of it may be found."""
        if not outcome.searchable:
            self._settlement.settle(work.job, work.entry, "unavailable", outcome.reason, outcome=outcome)
            return
        message = VideoMessage(work.job.job_id, work.entry.video_id, work.entry.round)
        self._topics.publish("transcripts", [message])

    def _attempt_failed(self, work: _Work, error: AttemptFailed) -> None:
        """Notes the attempt and raises it, or, if it was the last one, settles the video as failed."""
        self._note(work, error, counted=True)
        if work.entry.attempts + 1 < ATTEMPTS:
            raise error
        reason = f"{error} Given up after {ATTEMPTS} attempts."
        if work.has_transcript:
            reason += f" {KEPT}"
        self._settlement.settle(work.job, work.entry, "failed", reason, of_round=work.entry.round)
        logs.warning("video failed: given up", error)

    def _note(self, work: _Work, error: YouTubeError, *, counted: bool) -> None:
        """Writes a failed attempt into the ledger, where a person sees why the video is pending."""
        try:
            self._ledger.note_attempt(
                work.job.job_id,
                work.entry,
                reason=str(error),
                youtube_bytes=error.youtube_bytes,
                counted=counted,
            )
        except Conflict:
            logs.info("failed attempt not noted: the video has changed", reason=str(error))

    def _wait(self, work: _Work, closed: RouteClosed, delivery: Delivery, patience: float) -> bool:
        """Waits until a route opens and returns True, or parks the video and returns False.

        Raises:
            Transient: a worker with another address may take the video.
        """
        until = closed.until
        if not closed.blocked:
            return self._park(work, until, "It waits for its turn at YouTube.")
        if self._routing.another_worker_may_ask():
            published, now = clock.parse(delivery.published), clock.now()
            if published is not None and now - published < _YOUNG:
                # Not all at once: a worker takes few at a time, and the others come back here.
                self._routing.wait(until, min(max(patience, 0.0), uniform(0, _SPREAD)))  # noqa: S311
                raise Transient("This address is blocked. Another worker may take the video.")
            return self._park(work, now + _FOR_OTHERS, ADDRESS_BLOCKED)
        self._say_paused(work.job.job_id, until)
        if (until - clock.now()).total_seconds() >= patience:
            return self._park(work, until, ADDRESS_BLOCKED)
        self._routing.wait(until, patience)
        return True

    def _park(self, work: _Work, until: datetime, reason: str) -> bool:
        """Parks the video until the sweep publishes it again. Always False."""
        try:
            self._ledger.park(work.job.job_id, work.entry, reason=reason, until=until)
            logs.info("parked", until=clock.rfc3339(until))
        except Conflict:
            # Another worker has the video now.
            logs.info("not parked: the video has changed")
        return False

    def _say_paused(self, job_id: str, until: datetime) -> None:
        """Says on the job that it is paused. Once for all of its videos that this process has."""
        known = self._paused.get(job_id)
        if known is None or abs(until - known) >= SAME_PAUSE:
            if len(self._paused) > 1000:
                self._paused.clear()
            self._paused[job_id] = until
            self._jobs.note_pause(job_id, until)
