"""A person starts a job."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from shared import logs
from shared.config import Config
from shared.errors import BadRequest, NotFound, Transient
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.library import memberships
from shared.messages import is_id
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.quotas import Quota
from shared.youtube.addresses import WATCH_LATER, is_refused, parse_playlist_id


class Start:
    """The use case behind `POST /api/index`."""

    def __init__(self, config: Config, db: Firestore, topics: Topics) -> None:
        self._config = config
        self._db = db
        self._topics = topics
        self._jobs = Jobs(db)

    def start(self, user_id: str, playlist: object, *, again: bool = False) -> tuple[Job, bool]:
        """The user's active job of a playlist and False, or a new job and True. YouTube is not asked.

        ``playlist``: an id or an address. ``again``: the job asks YouTube also for what is stored,
        of those videos that are in the user's library through this playlist now.

        Raises:
            BadRequest: it names no playlist, or one that YouTube shows to no program.
            Busy: the active job of the playlist does not fetch again.
            TooMany: the user's quota is used up.
            Transient: the database does not answer.
        """
        playlist_id = parse_playlist_id(playlist)
        if is_refused(playlist_id):
            raise BadRequest(WATCH_LATER)
        known = memberships.read(self._db, user_id, playlist_id) if again else None
        return self._start(user_id, playlist_id, again=known.video_ids if known else ())

    def fetch_again(self, user_id: str, video_id: str) -> tuple[Job, bool]:
        """As :meth:`start`, for one video of the user's library.

        Raises:
            BadRequest: no video has such an id.
            NotFound: the video is not in the user's library.
            TooMany, Transient: as above.
        """
        if not is_id(video_id):
            raise BadRequest(f"Expected the id of a video, found {video_id[:100]!r}.")
        for membership in memberships.of_user(self._db, user_id):
            if video_id in membership.video_ids:
                return self._start(user_id, membership.playlist_id, again=[video_id], video_ids=[video_id])
        raise NotFound("There is no such video in your library.")

    def _start(
        self, user_id: str, playlist_id: str, *, again: Collection[str], video_ids: Sequence[str] = ()
    ) -> tuple[Job, bool]:
        quota = Quota.for_user(user_id, self._config)
        job, new = self._jobs.start(user_id, playlist_id, quota=quota, again=again, video_ids=video_ids)
        if new:
            publish(self._topics, job)
        return job, new


def publish(topics: Topics, job: Job) -> None:
    """Hands a new job to the planner. The job is stored, so it is not lost: the sweep publishes it, too."""
    try:
        topics.publish("playlists", [job.message])
    except Transient as error:
        logs.warning("job not published yet", error, job_id=job.job_id)
