"""A person starts a job."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from shared import logs
from shared.config import Config
from shared.errors import BadRequest, Busy, NotFound, Transient
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.gcp.pubsub import Topics
from shared.library import collections, memberships
from shared.library.collections import Added, Collections, is_collection
from shared.messages import is_id
from shared.pipeline.channels import Channels
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.quotas import Quota
from shared.youtube.addresses import NOTHING, SHELL, WATCH_LATER, classify, is_refused, is_uploads, uploads_of
from shared.youtube.channels import Choice, require_day


class NewJob(Struct):
    """`again`: ask YouTube also for what is stored. `channel`: what of a channel is wanted."""

    playlist: Annotated[
        str,
        Meta(
            description="A playlist, a channel or a collection: its id, its address at YouTube, or @handle.",
            examples=["PLyts-sample-talks"],
            extra={"sentence": NOTHING},
        ),
    ]
    again: bool = False
    channel: (
        Annotated[
            Choice,
            Meta(extra={"sentence": "channel: expected an object with shorts, live, newest and since."}),
        ]
        | None
    ) = None


class Start:
    """The use case behind `POST /api/index` and whatever else begins with a person's wish."""

    def __init__(
        self, config: Config, db: Firestore, topics: Topics, channels: Channels | None = None
    ) -> None:
        """``channels``: None where nobody names a channel."""
        self._channels = channels
        self._config = config
        self._db = db
        self._topics = topics
        self._jobs = Jobs(db)
        self._collections = Collections(db)

    def start(
        self, user_id: str, playlist: str, *, again: bool = False, channel: Choice | None = None
    ) -> tuple[Job, bool]:
        """The user's active job of a source and False, or a new job and True. YouTube is asked only for the
        id of a channel that is given by its name.

        ``playlist``: an id, an address or a handle; ``channel``: what of a channel is wanted; None: as it was
        chosen before. ``again``: the job asks YouTube also for what is stored,
        of those videos that are in the user's library through this playlist now.

        Raises:
            BadRequest: it names no playlist, or one that YouTube shows to no program.
            Busy: the active job of the playlist does not fetch again, or lists something else of the channel.
            NotFound: the user has no such collection.
            TooMany: the user's quota is used up.
            Transient: the database does not answer.
        """
        if channel is not None:
            require_day(channel)
        playlist_id = self._playlist_id(user_id, playlist)
        if channel and not is_uploads(playlist_id):
            raise BadRequest("channel: expected a channel in playlist; found a playlist.")
        known = memberships.read(self._db, user_id, playlist_id) if again else None
        return self._start(user_id, playlist_id, again=known.video_ids if known else (), choice=channel)

    def _playlist_id(self, user_id: str, playlist: str) -> str:
        if is_collection(playlist):
            if collections.read(self._db, user_id, playlist) is None:
                raise NotFound("There is no such collection in your library.")
            return playlist
        named = classify(playlist)
        if named.kind == "video":
            raise BadRequest(f"This is one video; it names no playlist. {SHELL}")
        if named.kind in ("handle", "user"):
            assert self._channels is not None, "whoever takes names can look them up"
            return uploads_of(self._channels.named(user_id, named).channel_id)
        if is_refused(named.id):
            raise BadRequest(WATCH_LATER)
        return named.playlist_id

    def start_known(self, user_id: str, playlist_id: str, choice: Choice | None = None) -> Job:
        """The job of a playlist or channel that was found already. Raises Busy, TooMany, Transient."""
        return self._start(user_id, playlist_id, again=(), choice=choice)[0]

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

    def add(
        self,
        user_id: str,
        collection_id: str,
        videos: Mapping[str, datetime | None],
        origin: str | None = None,
    ) -> tuple[Added, Job | None]:
        """Adds videos to a collection of the user. The job that lists them; None when all can be found.

        ``origin``: another collection, out of which they are taken.

        An active job of the collection lists them, too: it goes back to its first state, and the planner that
        works on it gives up. So videos that come while it lists, or after that, are not left out.

        Raises:
            BadRequest: the two collections are the same.
            Busy: the collection would have too many videos.
            NotFound: the user has no such collection.
            TooMany: the user's quota is used up; nothing was added.
            Transient: the database does not answer.
        """
        self._require_quota(user_id)
        if origin is None:
            added = self._collections.add(user_id, collection_id, videos)
        else:
            added = self._collections.move(user_id, origin, collection_id, videos)
        return added, self.list_new(user_id, added.collection_id) if added.to_list else None

    def list_new(self, user_id: str, collection_id: str) -> Job:
        """The job that lists those videos of a collection that were never looked at. See :meth:`add`."""
        quota = Quota.for_user(user_id, self._config)

        def attempt() -> Job:
            job, new = self._jobs.start(user_id, collection_id, quota=quota, chosen={"new_only": True})
            return job if new else self._extend(job, quota)

        job = retry_on_conflict(attempt)
        publish(self._topics, job)
        return job

    def _extend(self, job: Job, quota: Quota) -> Job:
        """Lets an active job list its source once more, for a person, who is charged. The job after that.

        Raises:
            Conflict: the job has changed since it was read.
            TooMany: the quota is used up.
        """
        starts = self._db.read(quota.path)[0]
        charge = self._db.commit().put(starts, self._jobs.charge(quota, starts, job.job_id))
        listed_again = {"state": "queued", "total": None, "started_at": None, "extended": job.extended + 1}
        # A person waits for it now.
        return self._jobs.touch(job, charge, **listed_again, scheduled=False)

    def _require_quota(self, user_id: str) -> None:
        """Raises TooMany or Full when a job could not be started now.

        So nothing is stored that cannot be listed.
        """
        self._db.room.require()
        quota = Quota.for_user(user_id, self._config)
        # This raises if the quota is used up. The fields that it returns are not written.
        self._jobs.charge(quota, self._db.read(quota.path)[0], "any")

    def _start(
        self,
        user_id: str,
        playlist_id: str,
        *,
        again: Collection[str],
        video_ids: Sequence[str] = (),
        choice: Choice | None = None,
    ) -> tuple[Job, bool]:
        quota = Quota.for_user(user_id, self._config)
        chosen = {"channel": choice.as_json()} if choice else None
        job, new = self._jobs.start(
            user_id,
            playlist_id,
            quota=quota,
            again=again,
            video_ids=video_ids,
            chosen=chosen,
        )
        if new:
            publish(self._topics, job)
        elif chosen and job.channel != chosen["channel"]:
            raise Busy(
                "This channel is being indexed, and not with this choice. Wait until that is done, or cancel"
                " it, then try again."
            )
        return job, new


def publish(topics: Topics, job: Job) -> None:
    """Hands a new job to the planner. The job is stored, so it is not lost: the sweep publishes it, too."""
    try:
        topics.publish("playlists", [job.message])
    except Transient as error:
        logs.warning("job not published yet", error, job_id=job.job_id)
