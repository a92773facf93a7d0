"""A person starts a job."""

from __future__ import annotations

from shared import logs
from shared.config import Config
from shared.errors import BadRequest, Transient
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.quotas import Quota
from shared.youtube.addresses import WATCH_LATER, is_refused, parse_playlist_id


class Start:
    """The use case behind `POST /api/index`."""

    def __init__(self, config: Config, db: Firestore, topics: Topics) -> None:
        self._config = config
        self._topics = topics
        self._jobs = Jobs(db)

    def start(self, user_id: str, playlist: object) -> tuple[Job, bool]:
        """The user's active job of a playlist and False, or a new job and True. YouTube is not asked.

        ``playlist``: an id or an address.

        Raises:
            BadRequest: it names no playlist, or one that YouTube shows to no program.
            TooMany: the user's quota is used up.
            Transient: the database does not answer.
        """
        playlist_id = parse_playlist_id(playlist)
        if is_refused(playlist_id):
            raise BadRequest(WATCH_LATER)
        job, new = self._jobs.start(user_id, playlist_id, quota=Quota.for_user(user_id, self._config))
        if new:
            try:
                self._topics.publish("playlists", [job.message])
            except Transient as error:
                # The job is stored, so it is not lost: the sweep publishes it.
                logs.warning("job not published yet", error, job_id=job.job_id)
        return job, new
