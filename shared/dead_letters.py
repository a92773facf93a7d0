"""Dead letters: what was given back too often, and what nobody can read. Settles it, so that jobs end."""

from __future__ import annotations

import hashlib
import re

from shared import clock, jobs, ledger, logs, topics
from shared.documents import Commit, read
from shared.errors import Malformed
from shared.events import Delivery
from shared.ledger import Entry
from shared.messages import PlaylistMessage, VideoMessage, is_id

#: Attributes that Pub/Sub adds (https://cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic).
_ATTEMPTS = "CloudPubSubDeadLetterSourceDeliveryCount"
_SUBSCRIPTION = "CloudPubSubDeadLetterSourceSubscription"
#: Failed attempts in the ledger with which a video is given up; a message of it has eight deliveries.
_ENOUGH = 6
#: Characters kept of a message nobody can read.
_KEPT = 2000


def settle(delivery: Delivery) -> None:
    """Settles the video or the job of a dead letter as failed; records what is neither.

    Raises:
        Transient: Firestore does not answer.
    """
    if "reason" in delivery.attributes and _ATTEMPTS not in delivery.attributes:
        _record(delivery, delivery.attributes["reason"])
        return
    attempts = delivery.attributes.get(_ATTEMPTS, "several")
    try:
        video = VideoMessage.decode(delivery.data)
    except Malformed:
        pass
    else:
        _fail_video(video, attempts)
        return
    try:
        playlist = PlaylistMessage.decode(delivery.data)
    except Malformed as error:
        _record(delivery, str(error))
        return
    if playlist.job_id is None:
        _record(
            delivery, f"No job could be started for playlist {playlist.playlist_id} in {attempts} attempts."
        )
        return
    job = jobs.read(playlist.job_id)
    cause = (job.error or "").removesuffix(" It is tried again.") if job else ""
    jobs.fail(
        playlist.job_id, f"{cause or 'The playlist could not be listed.'} Given up after {attempts} attempts."
    )
    logs.warning("job failed: given up", job_id=playlist.job_id, attempts=attempts)


def _fail_video(message: VideoMessage, attempts: str) -> None:
    job = jobs.read(message.job_id)
    if job is None:
        return
    entry = ledger.entry_of(read(ledger.entry_path(message.job_id, message.video_id))[0])
    if entry is None:
        return
    waits = job.active and entry.state == "pending" and entry.round == message.round
    if waits and entry.parked:
        # It waits for its address, and the sweep sends it when the time has come.
        return
    if waits and entry.attempts < _ENOUGH:
        _again(message, entry)
        return
    cause = entry.reason or "It could not be fetched and indexed."
    jobs.settle(
        job, entry, "failed", reason=f"{cause} Given up after {attempts} attempts.", of_round=message.round
    )
    logs.warning(
        "video failed: given up", job_id=message.job_id, video_id=message.video_id, attempts=attempts
    )


def _again(message: VideoMessage, entry: Entry) -> None:
    """Sends a video again whose deliveries were used up by something other than itself.

    Such as waiting for the claim of a worker that has died, or being one of several messages of the
    video. What kills its workers, so that none notes an attempt, is not sent for ever: this is one.
    """
    reason = entry.reason or "Workers died, or were waited for in vain."
    commit = Commit()
    ledger.note_attempt(commit, message.job_id, entry, reason=reason, youtube_bytes=0)
    commit.run()
    topics.publish("videos", [message])
    logs.warning("video sent again", job_id=message.job_id, video_id=message.video_id, reason=reason)


def _record(delivery: Delivery, reason: str) -> None:
    """Keeps a message nobody can read where an operator finds it.

    Its time belongs to its name: an emulator that is started again counts its messages from 1 again.
    """
    told = delivery.attributes
    message_id, published = told.get("message_id"), told.get("published", "")
    if not message_id:
        message_id, published = delivery.message_id, delivery.published
    message_id = "-".join(part for part in (message_id, re.sub(r"\D", "", published)) if part)
    if not is_id(message_id):
        # Whoever published it wrote this; Firestore takes no such name, and nothing may be retried for ever.
        message_id = hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()
    Commit().set(
        f"rejections/{message_id}",
        {
            "at": clock.now(),
            "reason": reason,
            "source": delivery.attributes.get("source") or delivery.attributes.get(_SUBSCRIPTION, "unknown"),
            "data": delivery.data[:_KEPT].decode("utf-8", "replace"),
        },
    ).run()
    logs.warning("message recorded as rejected", reason=reason)
