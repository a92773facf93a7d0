"""Planning: lists the playlist of a job and enters its videos into the ledger, page by page.

Fetching starts while listing goes on. Planning again, from the beginning or twice at the same time, is
harmless: an entry is made once, and the messages of pending entries are only published again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from time import monotonic
from uuid import NAMESPACE_URL, uuid5

from shared import clock, logs
from shared.config import INCOMPLETE, Config, ConfigError
from shared.errors import Deferred, GrantExpired, JobFailed, Malformed, NotVisible, Transient
from shared.gcp.deliveries import Delivery
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.gcp.pubsub import Topics
from shared.library import links, memberships
from shared.library.collections import Collections, is_collection
from shared.library.memberships import Listing, Membership, Memberships, membership_path
from shared.library.refreshes import Refreshes
from shared.messages import PlaylistMessage, VideoMessage
from shared.oauth.grants import Grants
from shared.pipeline import ledger
from shared.pipeline.completion import Completion
from shared.pipeline.jobs import LISTING, Job, Jobs, job_from, job_path
from shared.pipeline.ledger import NewEntry, entry_from, entry_path
from shared.pipeline.listings import Listings, Source
from shared.pipeline.pages import Pages
from shared.search.index.writer import SearchIndex
from shared.youtube.data_api import DataApi

#: Seconds between two writes of a membership that grows: what is listed is searchable while listing goes on.
MEMBERSHIP_EVERY = 1.0
#: Wait at least this many times the duration of the last write. An unavailable search index takes its
#: whole timeout for each, and listing has to end within the planner's own timeout.
_MEMBERSHIP_PAUSE = 20


class Planner:
    """The use case behind topic ``playlists``. ``membership_every``: see MEMBERSHIP_EVERY."""

    def __init__(
        self,
        config: Config,
        db: Firestore,
        topics: Topics,
        index: SearchIndex,
        youtube: DataApi,
        grants: Grants,
        *,
        membership_every: float = MEMBERSHIP_EVERY,
    ) -> None:
        self._membership_every = membership_every
        self._owner = config.owner
        self._db = db
        self._topics = topics
        self._grants = grants
        self._jobs = Jobs(db)
        self._refreshes = Refreshes(db)
        self._memberships = Memberships(db, index)
        self._completion = Completion(db, index)
        self._pages = Pages(db, index, youtube, passages=config.by_meaning)
        self._collections = Collections(db)
        self._listings = Listings(db, youtube, grants)

    def plan(self, message: PlaylistMessage, delivery: Delivery) -> None:
        """Lists the playlist of a job and publishes its videos.

        Raises:
            Malformed: the message asks for a job that cannot be made.
            Transient: worth another delivery.
        """
        job = self._job(message, delivery)
        if job is None or job.state not in LISTING:
            return
        with logs.context(job_id=job.job_id, playlist_id=job.playlist_id):
            asked_at = clock.now()
            try:
                self._list(job)
            except JobFailed as error:
                # No other delivery would find the playlist.
                if isinstance(error, GrantExpired):
                    self._grants.expire(job.user_id, asked_at)
                if isinstance(error, NotVisible):
                    links.suspend(self._db, job.user_id, job.playlist_id)
                logs.warning("job failed", error)
                self._fail(job, str(error))
            except ConfigError as error:
                # No other delivery would find the missing variable, which the log names.
                logs.error("job failed: misconfigured", error)
                self._fail(job, INCOMPLETE)
            except Deferred as error:
                # Acked. The sweep publishes the job again when the time has come.
                logs.warning("job put off", error)
                self._jobs.note_waiting(job.job_id, str(error), error.until)
            except Transient as error:
                self._jobs.note_waiting(job.job_id, str(error))
                raise

    def _fail(self, job: Job, reason: str) -> None:
        self._jobs.fail(job.job_id, reason)
        if job.scheduled:
            self._refreshes.note_late(job.user_id, job.playlist_id, reason)

    def _job(self, message: PlaylistMessage, delivery: Delivery) -> Job | None:
        """The job of a message, which is made here if the message names none."""
        if message.job_id is not None:
            job = self._jobs.read(message.job_id)
            if job is None:
                logs.warning("message of an unknown job", job_id=message.job_id)
            return job
        owner = message.user_id or self._owner
        if owner is None:
            raise Malformed(
                "a playlist message without job_id needs user_id, or OWNER_USER_ID configured; found neither"
            )
        # The id of the job is derived from the message, so that a redelivery finds the job. The time is part
        # of it, because an emulator that is started again counts its messages from 1 again.
        name = f"pubsub:{delivery.message_id}:{delivery.published}"
        return self._jobs.start(owner, message.playlist_id, uuid5(NAMESPACE_URL, name).hex)[0]

    def _list(self, job: Job) -> None:
        if job.whole:
            self._list_playlist(job)
        else:
            self._list_videos(job)

    def _list_videos(self, job: Job) -> None:
        """Enters the only videos of a job. The membership of its playlist stays as it is."""
        title = ""
        for page in self._pages.of_videos(job, job.video_ids):
            title = title or page.entries[0].title
            job = self._jobs.begin_planning(job, title, len(job.video_ids))
            if not self._enter(job, page.entries):
                return
        self._jobs.seal(job.job_id)
        self._completion.complete_if_settled(job.job_id)

    def _list_playlist(self, job: Job) -> None:
        known = self._memberships.read(job.user_id, job.playlist_id)
        if job.scheduled and known is None:
            # It was taken out of the library meanwhile.
            self._jobs.cancel(job.job_id)
            return
        source = self._listings.open(job, known)
        playlist = source.playlist
        job = self._jobs.begin_planning(job, playlist.title, playlist.item_count)
        before = known.added_at if known else {}
        # The videos that this playlist lets its user find: those that YouTube shows now, and those that are
        # hidden now but were in the user's library before.
        shown: dict[str, datetime | None] = {}
        hidden: set[str] = set()
        renamed: list[str] = []
        empty, next_write = True, 0.0

        def listing(videos: Mapping[str, datetime | None], *, complete: bool = False) -> Listing:
            return Listing(
                job.job_id,
                playlist.title,
                playlist.thumbnail_url,
                playlist.privacy,
                videos,
                renamed,
                complete,
                source.etag,
                source.described_at,
                source.kind,
                source.channel,
            )

        try:
            for page in self._pages.of_source(job, source, before):
                if not self._enter(job, page.entries):
                    return
                empty = empty and not page.items
                for item in page.items:
                    if not item.gone or item.video_id in before:
                        shown[item.video_id] = item.added_at
                hidden |= {item.video_id for item in page.items if item.gone}
                since = known.listed_at if known else None
                renamed += [each for each, at in page.renamed.items() if since is None or at > since]
                if (began := monotonic()) >= next_write:
                    # Until the list is complete, everything that was in the library can still be found.
                    if not self._write_membership(job, listing({**shown, **before, **shown})):
                        return
                    took = monotonic() - began
                    next_write = monotonic() + max(self._membership_every, _MEMBERSHIP_PAUSE * took)
        except GrantExpired:
            # The job ends here and keeps what is listed.
            self._write_membership(job, listing({**shown, **before, **shown}))
            raise
        # What a person keeps here is known. It may be nothing.
        if empty and source.by != "person":
            self._require_emptied(job, source, known)
        if self._write_membership(job, listing(shown, complete=not job.new_only), hidden):
            self._jobs.seal(job.job_id, job.extended)
            self._completion.complete_if_settled(job.job_id)

    def _require_emptied(self, job: Job, source: Source, known: Membership | None) -> None:
        """A source that had videos and lists none now is empty if YouTube also says that it has none.

        Raises:
            JobFailed: it had none before, or nothing of the channel is what was chosen.
            Transient: YouTube says that it has some.
        """
        if known is None or not known.video_ids:
            raise JobFailed("The playlist is empty: there is nothing to index.")
        is_described = source.described_at is not None
        if not (source.playlist if is_described else self._listings.describe(job, known)).item_count:
            return
        if source.partial:
            raise JobFailed("The channel has no videos of those that were chosen.")
        raise Transient("YouTube listed nothing of a playlist that is not empty.")

    def _enter(self, job: Job, entries: Sequence[NewEntry]) -> bool:
        """Enters a page into the ledger and publishes its pending videos. False when the job is over."""

        def attempt() -> list[VideoMessage] | None:
            paths = [entry_path(job.job_id, entry.video_id) for entry in entries]
            job_snapshot, *snapshots = self._db.read(job_path(job.job_id), *paths)
            now = job_from(job_snapshot)
            if now is None or now.state != "planning":
                return None
            existing = {each.video_id: each for each in map(entry_from, snapshots) if each}
            new = [entry for entry in entries if entry.video_id not in existing]
            if new:
                commit = self._db.commit()
                ledger.enter(commit, job.job_id, now.shards, new)
                # This condition on the job keeps entries out after it was sealed, cancelled or failed.
                commit.put(job_snapshot, {"listed": now.listed + len(new)}).run()
            return [VideoMessage(job.job_id, each.video_id) for each in new if each.state == "pending"] + [
                VideoMessage(job.job_id, each.video_id, each.round)
                for each in existing.values()
                if each.state == "pending"
            ]

        messages = retry_on_conflict(attempt)
        if messages is None:
            return False
        self._topics.publish("videos", messages)
        return True

    def _write_membership(self, job: Job, listing: Listing, hidden: Collection[str] = ()) -> bool:
        """Writes the membership, unless the job is no longer being listed. Whether it is.

        ``hidden``: the videos that YouTube does not show. What is in a collection is decided by its own
        document, and the job only says which of its videos can be found.

        Removing a playlist, or erasing a user, ends the job first. A planner that is late must not put
        back what was removed.
        """

        def attempt() -> bool:
            paths = job_path(job.job_id), membership_path(job.user_id, job.playlist_id)
            snapshot, known = self._db.read(*paths)
            now = job_from(snapshot)
            if now is None or now.state != "planning":
                return False
            commit = self._db.commit().put(snapshot, {"listed": now.listed})
            now_listed: Listing | None = listing
            if is_collection(job.playlist_id):
                now_listed = self._collections.note(commit, job.user_id, known, listing, hidden)
            if now_listed is None:
                return False
            memberships.put(commit, known, now_listed)
            commit.run()
            return True

        if not retry_on_conflict(attempt):
            return False
        self._memberships.show(job.user_id, job.playlist_id)
        return True
