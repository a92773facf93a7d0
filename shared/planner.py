"""Planning: lists a playlist and puts its videos into the ledger, page by page.

Fetching starts while the listing goes on. The next page of the list is prefetched while one page is looked up
and entered. Planning can be repeated from the beginning, or run twice at once: an entry is created once, and
a pending video is only published again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from uuid import NAMESPACE_URL, uuid5

from shared import (
    clock,
    config,
    documents,
    grants,
    indexer,
    jobs,
    ledger,
    library,
    logs,
    search_documents,
    search_index,
    store,
    topics,
    youtube,
)
from shared.config import ConfigError
from shared.documents import Commit, retried
from shared.errors import Deferred, GrantExpired, JobFailed, Malformed, NotVisible, Transient
from shared.events import Delivery
from shared.jobs import Job
from shared.ledger import NewEntry
from shared.messages import PlaylistMessage, VideoMessage
from shared.store import Metadata
from shared.youtube import Item, PlaylistInfo

#: Seconds between two writings of a growing membership: it is searchable while listing goes on.
_MEMBERSHIP_EVERY = 1.0
#: So many times what such a writing took is waited as well: an Elasticsearch that hangs takes its whole
#: timeout each time, and listing has to end before the planner's own.
_MEMBERSHIP_PAUSE = 20
#: Why a video is left out that is visible in its owner's name only.
_OF_ONE = "YouTube shows this video to nobody but you."


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of a playlist, and what of it is to be entered into the ledger."""

    items: Sequence[Item]
    entries: Sequence[NewEntry]


@dataclass(slots=True)
class _Held:
    """What Elasticsearch holds, asked page by page; in a listing in which it once did not answer, no more."""

    away: bool = False

    def fingerprints(self, video_ids: Sequence[str]) -> dict[str, str]:
        if self.away or not video_ids:
            return {}
        try:
            return search_index.fingerprints(video_ids)
        except Transient as error:
            logs.warning("Elasticsearch could not be asked what it holds", reason=str(error))
            self.away = True
            return {}


def plan(message: PlaylistMessage, delivery: Delivery) -> None:
    """Lists the playlist of a job and publishes its videos.

    Raises:
        Malformed: the message asks for a job that cannot be made.
        Transient: worth another delivery.
    """
    job = _job(message, delivery)
    if job is None or not job.active or job.state == "running":
        return
    with logs.context(job_id=job.job_id, playlist_id=job.playlist_id):
        asked_at = clock.now()
        try:
            _list(job)
        except (JobFailed, ConfigError) as error:
            if isinstance(error, GrantExpired):
                grants.expire(job.user_id, asked_at)
            # What the configuration lacks, no other delivery has either.
            logs.warning("job failed", reason=str(error))
            jobs.fail(job.job_id, str(error))
        except Deferred as error:
            # Acknowledged; the sweep publishes the job again when the time has come.
            logs.warning("job put off", reason=str(error))
            jobs.note(job.job_id, str(error), error.until)
        except Transient as error:
            jobs.note(job.job_id, f"{error} It is tried again.")
            raise


def _job(message: PlaylistMessage, delivery: Delivery) -> Job | None:
    if message.job_id is not None:
        job = jobs.read(message.job_id)
        if job is None:
            logs.warning("a message for a job that does not exist", job_id=message.job_id)
        return job
    owner = message.user_id or config.load().owner
    if owner is None:
        raise Malformed(
            "a playlist message without job_id needs user_id, or OWNER_USER_ID configured; found neither"
        )
    # The id of the job follows from the message's: a redelivery finds the job it has made. The time
    # belongs to it, because an emulator that is started again counts its messages from 1 again.
    name = f"pubsub:{delivery.message_id}:{delivery.published}"
    job, _ = jobs.start(owner, message.playlist_id, uuid5(NAMESPACE_URL, name).hex)
    return job


def _list(job: Job) -> None:
    info, access = _found(job)
    job = jobs.begin_planning(job, info.title, info.item_count)
    known = library.playlist(job.user_id, job.playlist_id)
    before = dict.fromkeys(known.video_ids if known else ())
    # What this playlist lets its user find: what YouTube shows in it, now or when they had it before.
    shown: dict[str, None] = {}
    empty, next_writing = True, 0.0
    try:
        for page in _pages(job.playlist_id, access, before):
            if not _enter(job, page.entries):
                return
            empty = empty and not page.items
            shown.update(
                (item.video_id, None) for item in page.items if not item.gone or item.video_id in before
            )
            if (began := monotonic()) >= next_writing:
                # What was in the library stays findable until the list is complete.
                if not _put(job, info, {**shown, **before}):
                    return
                took = monotonic() - began
                next_writing = monotonic() + max(_MEMBERSHIP_EVERY, _MEMBERSHIP_PAUSE * took)
    except GrantExpired:
        # The job ends here, and keeps what it has.
        _put(job, info, {**shown, **before})
        raise
    if empty:
        raise JobFailed("The playlist is empty: there is nothing to index.")
    if _put(job, info, shown):
        jobs.seal(job.job_id)


def _pages(playlist_id: str, access: str | None, before: Container[str]) -> Iterator[_Page]:
    """Each page as it is to be entered; a video that is listed twice comes once. New metadata is stored."""
    listed: set[str] = set()
    held = _Held()
    for page in youtube.pages(playlist_id, access):
        fresh = [
            item for item in {each.video_id: each for each in page}.values() if item.video_id not in listed
        ]
        listed.update(item.video_id for item in fresh)
        items, metadata = _described(fresh, before, of_user=access is not None)
        settled = _settled(items, metadata, held)
        entries = [
            settled.get(item.video_id)
            or NewEntry(item.video_id, metadata[item.video_id].title, item.position)
            for item in items
        ]
        yield _Page(items, entries)


def _found(job: Job) -> tuple[PlaylistInfo, str | None]:
    """The playlist as everybody sees it; or as the job's user does, with the access token that shows it.

    To who may not see it, a private playlist is one that does not exist.
    """
    try:
        return youtube.playlist(job.playlist_id), None
    except NotVisible:
        access = grants.access_token(job.user_id)
        if access is None:
            raise
        return youtube.playlist(job.playlist_id, access), access


def _put(job: Job, info: PlaylistInfo, video_ids: Iterable[str]) -> bool:
    """Writes the membership, unless the job is no longer being listed; whether it is.

    Removing a playlist, or erasing a user, ends the job first: a planner that is late must not put back
    what was removed.
    """

    def attempt() -> bool:
        current = jobs.read(job.job_id)
        if current is None or current.state != "planning":
            return False
        still = Commit().update(
            jobs.path(job.job_id), {"listed": current.listed}, unchanged_since=current.update_time
        )
        library.put(
            job.user_id,
            job.playlist_id,
            info.title,
            info.thumbnail_url,
            list(video_ids),
            privacy=info.privacy,
            within=still,
        )
        return True

    return retried(attempt)


def _enter(job: Job, entries: Sequence[NewEntry]) -> bool:
    """Enters one page into the ledger and publishes what is pending of it. False when the job is over."""

    def attempt() -> list[VideoMessage] | None:
        job_now, *snapshots = documents.read(
            jobs.path(job.job_id), *(ledger.entry_path(job.job_id, entry.video_id) for entry in entries)
        )
        current = jobs.job_of(job_now)
        if current is None or current.state != "planning":
            return None
        existing = {each.video_id: each for each in map(ledger.entry_of, snapshots) if each}
        born = [entry for entry in entries if entry.video_id not in existing]
        if born:
            commit = Commit()
            ledger.add(commit, job.job_id, current.shards, born)
            # The precondition on the job: no entry is born after it was sealed, cancelled or failed.
            commit.update(
                jobs.path(job.job_id),
                {"listed": current.listed + len(born)},
                unchanged_since=current.update_time,
            )
            commit.run()
        return [VideoMessage(job.job_id, each.video_id) for each in born if each.state == "pending"] + [
            VideoMessage(job.job_id, each.video_id, each.round)
            for each in existing.values()
            if each.state == "pending"
        ]

    messages = retried(attempt)
    if messages is None:
        return False
    topics.publish("videos", messages)
    return True


def _described(
    items: Sequence[Item], before: Container[str], *, of_user: bool
) -> tuple[list[Item], dict[str, Metadata]]:
    """The items, with those gone that nobody may index, and metadata of all; what is new of it is stored.

    Stored is what everybody may see: a video that YouTube shows to one person alone leaves no trace in
    the store, and of one that is hidden from this user (``gone``) the store tells them nothing that
    they did not have ``before``. ``of_user``: listed in the name of a user.
    """
    now = clock.now()
    snapshots = documents.read(*(store.video_path(item.video_id) for item in items))
    known = {
        item.video_id: found
        for item, found in zip(items, map(store.metadata_of, snapshots), strict=True)
        if found is not None and (not item.gone or item.video_id in before)
    }
    stale = [
        item.video_id
        for item in items
        if not item.gone
        and (item.video_id not in known or now - known[item.video_id].fetched_at > store.METADATA_AGE)
    ]
    answered = {each.video_id: each for each in youtube.videos(stale)}
    left_out = {video_id for video_id in stale if video_id not in answered}
    if of_user:
        items = [replace(item, gone=_OF_ONE) if item.video_id in left_out else item for item in items]
    # What videos.list leaves out keeps what is known, or at least what the playlist says of it.
    metadata = {item.video_id: item.metadata(now) for item in items} | known | answered
    changed = list(answered.values()) + [
        metadata[item.video_id]
        for item in items
        if not item.gone and item.video_id in left_out - known.keys()
    ]
    if changed:
        commit = Commit()
        for each in changed:
            store.put_metadata(commit, each)
        commit.run()
    return list(items), metadata


def _settled(items: Sequence[Item], metadata: Mapping[str, Metadata], held: _Held) -> dict[str, NewEntry]:
    """Entries of videos for which nothing remains to be done.

    Those that are gone; and those that are stored and that Elasticsearch holds as they are: they
    need no message. When Elasticsearch does not answer, they go the usual way.
    """
    found: dict[str, NewEntry] = {}
    now = clock.now()
    outcomes = store.read_outcomes([item.video_id for item in items])
    candidates = {
        item.video_id: stored.outcome
        for item in items
        if (stored := outcomes[item.video_id]).outcome is not None and stored.outcome.fresh(now)
    }
    indexed = held.fingerprints(list(candidates))
    for item in items:
        outcome, title = candidates.get(item.video_id), metadata[item.video_id].title
        if item.gone:
            found[item.video_id] = NewEntry(item.video_id, title, item.position, "unavailable", item.gone)
        elif outcome is None:
            continue
        elif outcome.kind == "unavailable":
            found[item.video_id] = NewEntry(
                item.video_id, title, item.position, "unavailable", outcome.reason, True
            )
        elif indexed.get(item.video_id) == search_documents.fingerprint_of(
            store.digest(metadata[item.video_id], outcome)
        ):
            state = indexer.state_of(outcome)
            found[item.video_id] = NewEntry(item.video_id, title, item.position, state, outcome.reason, True)
    return found
