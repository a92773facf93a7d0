"""Fetching: one video's transcript, from YouTube or from the store, on to the indexer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import uniform
from time import monotonic
from typing import Literal

from shared import breaker, captions, clock, documents, jobs, ledger, logs, routes, store, topics
from shared.breaker import RouteClosed
from shared.captions import Fetched, Refused
from shared.documents import Commit, Conflict
from shared.errors import (
    Blocked,
    DeliveryError,
    Malformed,
    NoTranscript,
    Permanent,
    Transient,
    VideoUnavailable,
)
from shared.events import Delivery
from shared.jobs import Job
from shared.ledger import Entry
from shared.messages import VideoMessage
from shared.routes import Leave
from shared.store import Claim, Outcome, Stored

#: Failed attempts at YouTube after which a video is given up. Deliveries count for nothing: Pub/Sub's
#: are used up by an outage of Firestore, too.
ATTEMPTS = 8
#: Seconds that a delivery waits for its turn, or for an address to be let in again; what has to wait
#: longer is published again by the sweep. With the fetch itself it is less than the function's timeout.
PATIENCE = 40.0
#: A video that has waited this long for its turn is read again before YouTube is asked: its job may have been
#: cancelled, or another job may have fetched it.
REREAD_AFTER = timedelta(seconds=1)
#: A message of this age is not given back to other workers any more, but published anew: Pub/Sub
#: counts its deliveries.
_YOUNG = timedelta(minutes=5)
#: Seconds over which what others are to take is given back.
_SPREAD = 5.0
#: Until a message that others are to take is published anew.
_FOR_OTHERS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be fetched, as it was last read."""

    job: Job
    entry: Entry
    stored: Stored

    @property
    def answer(self) -> Outcome | None:
        """What the store knows already; None when YouTube has to be asked."""
        outcome = self.stored.outcome
        return outcome if outcome is not None and outcome.fresh(clock.now()) else None


def fetch(
    message: VideoMessage, delivery: Delivery, *, ask: Callable[[str], Fetched] = captions.fetch
) -> None:
    """Makes sure that the store has an answer for the video, and sends it on.

    A video somebody has fetched before is not fetched again. An unavailable one is settled here. While
    no address may ask, the video waits: here for :data:`PATIENCE` seconds, then in the ledger.

    Raises:
        Malformed: the job has no such video.
        Transient: worth another delivery.
    """
    with logs.context(job_id=message.job_id, video_id=message.video_id):
        deadline = monotonic() + PATIENCE
        while (work := _look(message)) is not None:
            try:
                outcome = work.answer or _ask_in_turn(message, work, ask, deadline)
            except RouteClosed as closed:
                if _wait(work, closed, delivery, deadline - monotonic()):
                    continue
                return
            if outcome == "again":
                continue
            if outcome != "over":
                _hand_on(work, outcome)
            return


def _look(message: VideoMessage) -> _Work | None:
    """The video as things are now; None when nothing remains to be done for it."""
    snapshots = documents.read(
        jobs.path(message.job_id),
        ledger.entry_path(message.job_id, message.video_id),
        store.transcript_path(message.video_id),
    )
    job, entry = jobs.job_of(snapshots[0]), ledger.entry_of(snapshots[1])
    if job is None or not job.active:
        logs.info("dropped: the job is over")
        return None
    if entry is None:
        raise Malformed(f"job {message.job_id} has no video {message.video_id}")
    if entry.state != "pending":
        return None
    return _Work(job, entry, store.stored_of(snapshots[2]))


def _hand_on(work: _Work, outcome: Outcome) -> None:
    job, entry = work.job, work.entry
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
        topics.publish("transcripts", [VideoMessage(job.job_id, entry.video_id, entry.round)])


_Asked = Outcome | Literal["again", "over"]


def _ask_in_turn(
    message: VideoMessage, work: _Work, ask: Callable[[str], Fetched], deadline: float
) -> _Asked:
    """Waits for the video's turn, claims the video, asks YouTube and stores the answer.

    The claim comes after the wait: a claim lasts for seconds, and a wait may be longer.

    Returns:
        What is stored now; "again" or "over" as in :func:`_ask`.

    Raises:
        RouteClosed: the turn did not come in time.
        Transient: another worker has claimed the video, or Firestore or YouTube did not answer.
    """
    with routes.leave(message.video_id, deadline - monotonic()) as leave:
        if leave.waited >= REREAD_AFTER:
            again = _look(message)
            if again is None:
                return "over"
            if again.answer:
                return again.answer
            work = again
        claim = store.claim(message.video_id, work.stored)
        answered = _ask(work, claim, ask, leave)
    # The next video may leave while this one is stored.
    return answered if isinstance(answered, str) else _store(work, answered)


def _wait(work: _Work, closed: RouteClosed, delivery: Delivery, patience: float) -> bool:
    """Whether it was waited for; otherwise the video is parked until the sweep publishes it again.

    Raises:
        Transient: a worker with another address may take it.
    """
    now = clock.now()
    until = closed.until
    if closed.refused:
        if breaker.somebody_else_may(routes.gates()[0]):
            published = clock.parse(delivery.published)
            if published is not None and now - published < _YOUNG:
                # Not all at once: as they are given back they come again, and a worker takes few at a time.
                routes.wait(until, min(max(patience, 0.0), uniform(0, _SPREAD)))  # noqa: S311
                raise Transient("This address is blocked; another worker may take it.")
            until = now + _FOR_OTHERS
        else:
            _say_paused(work.job.job_id, until)
            if (until - now).total_seconds() < patience:
                routes.wait(until, patience)
                return True
    _park(work, until, captions.REFUSED if closed.refused else "It waits for its turn at YouTube.")
    return False


#: Of each job, until when it says that it is paused: said once a process, not by each of its videos.
_paused: dict[str, datetime] = {}


def _say_paused(job_id: str, until: datetime) -> None:
    said = _paused.get(job_id)
    if said is None or abs(until - said) >= jobs.SAME_PAUSE:
        if len(_paused) > 1000:
            _paused.clear()
        _paused[job_id] = until
        jobs.pause(job_id, until)


def _park(work: _Work, until: datetime, reason: str) -> None:
    commit = Commit()
    ledger.park(commit, work.job.job_id, work.entry, reason=reason, until=until)
    try:
        commit.run()
    except Conflict:
        # Somebody works at it: then it is theirs.
        logs.info("not parked: it has changed")
        return
    logs.info("parked", until=clock.rfc3339(until))


def _ask(
    work: _Work, claim: Claim, ask: Callable[[str], Fetched], leave: Leave
) -> Fetched | Refused | Literal["again", "over"]:
    """What YouTube answers for good; what is of the moment is noted and raised.

    "again": the address was refused, and the video has yet to be asked for. "over": it was given up.
    """
    job, entry = work.job, work.entry
    try:
        fetched = ask(entry.video_id)
        leave.passed()
        return fetched
    except Refused as refused:
        error, spent = refused.error, refused.youtube_bytes
        if isinstance(error, NoTranscript | VideoUnavailable):
            leave.passed()
            return refused
        if isinstance(error, Blocked) and (not error.asked or leave.blocked(weak=error.weak)):
            _note(job.job_id, entry, claim, error, spent, counted=False)
            return "again"
        _note(job.job_id, entry, claim, error, spent)
        if entry.attempts + 1 < ATTEMPTS:
            raise error from refused
        given_up = f"{error} Given up after {ATTEMPTS} attempts."
        jobs.settle(job, entry, "failed", reason=given_up, of_round=entry.round)
        logs.warning("video failed: given up", reason=str(error))
        return "over"


def _store(work: _Work, answered: Fetched | Refused) -> Outcome:
    """Stores the transcript, or that there is none and why."""
    save = partial(
        store.save,
        work.entry.video_id,
        work.stored.outcome,
        job_id=work.job.job_id,
        youtube_bytes=answered.youtube_bytes,
    )
    if isinstance(answered, Refused):
        gone = isinstance(answered.error, VideoUnavailable)
        return save(absent="unavailable" if gone else "no_transcript", reason=str(answered.error))
    try:
        return save(transcript=answered.transcript)
    except Permanent as error:
        return save(absent="no_transcript", reason=str(error))


def _note(
    job_id: str, entry: Entry, claim: Claim, error: DeliveryError, spent: int, *, counted: bool = True
) -> None:
    """Writes a failed attempt into the ledger and frees the video, so that the next one may be made."""
    commit = Commit()
    ledger.note_attempt(commit, job_id, entry, reason=str(error), youtube_bytes=spent, counted=counted)
    store.release(commit, claim)
    try:
        commit.run()
    except Conflict:
        # Somebody settled it meanwhile; the claim ends by itself.
        logs.info("a failed attempt was overtaken", reason=str(error))
