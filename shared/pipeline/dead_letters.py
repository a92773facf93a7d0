"""Dead letters: messages that were delivered too often, and messages that can never be read.

Each is settled here, so that jobs end.
"""

from __future__ import annotations

import hashlib
import re

from shared import clock, logs
from shared.errors import Malformed
from shared.gcp.deliveries import Delivery
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.library.refreshes import Refreshes
from shared.messages import PassagesMessage, PlaylistMessage, VideoMessage, is_id
from shared.pipeline.embedding_due import postpone
from shared.pipeline.jobs import LISTING, Jobs
from shared.pipeline.ledger import Entry, Ledger
from shared.pipeline.settlement import Settlement
from shared.search.index.writer import SearchIndex

#: Attributes that Pub/Sub adds (https://cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic).
_ATTEMPTS = "CloudPubSubDeadLetterSourceDeliveryCount"
_SUBSCRIPTION = "CloudPubSubDeadLetterSourceSubscription"
#: With so many failed attempts in the ledger, a video fails. So often a job is sent again that never began.
_ENOUGH = 6
#: Characters kept of a message that cannot be read.
_KEPT = 2000


class DeadLetters:
    """The use case behind topic ``dead-letters``."""

    def __init__(self, db: Firestore, topics: Topics, index: SearchIndex) -> None:
        self._db = db
        self._topics = topics
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)
        self._refreshes = Refreshes(db)
        self._settlement = Settlement(db, index)

    def settle(self, delivery: Delivery) -> None:
        """Settles the video or the job of a dead letter as failed. Records what is neither.

        What the embedder could not do waits, longer each time: words do not need it.

        Raises:
            Transient: the database does not answer.
        """
        if "reason" in delivery.attributes and _ATTEMPTS not in delivery.attributes:
            self._record(delivery, delivery.attributes["reason"])
            return
        attempts = delivery.attributes.get(_ATTEMPTS, "several")
        try:
            message = VideoMessage.decode(delivery.data)
        except Malformed:
            self._settle_other(delivery, attempts)
        else:
            self._settle_video(message, attempts)

    def _settle_other(self, delivery: Delivery, attempts: str) -> None:
        try:
            message = PassagesMessage.decode(delivery.data)
        except Malformed:
            self._settle_playlist(delivery, attempts)
            return
        if b'"job_id"' in delivery.data:
            self._record(delivery, "expected the id of a job, found another value")
            return
        postpone(self._db, message.video_id)

    def _settle_playlist(self, delivery: Delivery, attempts: str) -> None:
        try:
            message = PlaylistMessage.decode(delivery.data)
        except Malformed as error:
            self._record(delivery, str(error))
            return
        if message.job_id is None:
            reason = f"No job could be started for playlist {message.playlist_id} in {attempts} attempts."
            self._record(delivery, reason)
            return
        job = self._jobs.read(message.job_id)
        if job is not None and job.state == "queued" and job.error is None and job.sent_again < _ENOUGH:
            # No delivery has reached the planner: it had no room, or did not admit Pub/Sub yet.
            job = self._jobs.touch(job, sent_again=job.sent_again + 1)
            self._topics.publish("playlists", [message])
            logs.warning("job sent again", job_id=job.job_id, attempts=attempts)
            return
        cause = (job.error if job else None) or "The playlist could not be listed."
        reason = f"{cause} Given up after {attempts} attempts."
        self._jobs.fail(message.job_id, reason)
        if job is not None and job.scheduled and job.state in LISTING:
            self._refreshes.note_late(job.user_id, job.playlist_id, reason)
        logs.warning("job failed: given up", job_id=message.job_id, attempts=attempts)

    def _settle_video(self, message: VideoMessage, attempts: str) -> None:
        job = self._jobs.read(message.job_id)
        entry = self._ledger.read(message.job_id, message.video_id) if job else None
        if job is None or entry is None:
            return
        if job.active and entry.state == "pending" and entry.round == message.round:
            if entry.parked:
                # The sweep publishes it when its address may be let in again.
                return
            if entry.attempts < _ENOUGH:
                self._send_again(message, entry)
                return
        cause = entry.reason or "It could not be fetched and indexed."
        reason = f"{cause} Given up after {attempts} attempts."
        self._settlement.settle(job, entry, "failed", reason, of_round=message.round)
        logs.warning(
            "video failed: given up", job_id=message.job_id, video_id=message.video_id, attempts=attempts
        )

    def _send_again(self, message: VideoMessage, entry: Entry) -> None:
        """Sends a video again whose deliveries were used up by something else, and counts one attempt.

        For example, it waited for the claim of a worker that died, or was one of several messages of the
        same video. The attempt is counted so that a video that kills its workers is not sent for ever.
        """
        reason = entry.reason or "Internal error."
        self._ledger.note_attempt(message.job_id, entry, reason=reason)
        self._topics.publish("videos", [message])
        logs.warning("video sent again", job_id=message.job_id, video_id=message.video_id, reason=reason)

    def _record(self, delivery: Delivery, reason: str) -> None:
        """Keeps a message that cannot be read where an operator finds it.

        The time is part of the name, because an emulator that is started again counts its messages from 1
        again.
        """
        attributes = delivery.attributes
        message_id, published = attributes.get("message_id"), attributes.get("published", "")
        if not message_id:
            message_id, published = delivery.message_id, delivery.published
        name = "-".join(part for part in (message_id, re.sub(r"\D", "", published)) if part)
        if not is_id(name):
            # A publisher chose it. Firestore does not take it as a name, and nothing may be retried for ever.
            name = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
        data = {
            "at": clock.now(),
            "reason": reason,
            "source": attributes.get("source") or attributes.get(_SUBSCRIPTION, "unknown"),
            "data": delivery.data[:_KEPT].decode("utf-8", "replace"),
        }
        self._db.commit().set(f"rejections/{name}", data).run()
        logs.warning("message recorded as rejected", reason=reason)
