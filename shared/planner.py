"""Planning: lists a playlist and puts its videos into the ledger, page by page.

Fetching starts while listing goes on. Planning again, from the beginning or by two at once, is
harmless: an entry is born once, and what is pending is only published again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import NAMESPACE_URL, uuid5

from shared import (
    clock,
    config,
    documents,
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
from shared.errors import Deferred, JobFailed, Malformed, Transient
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
        try:
            _list(job)
        except (JobFailed, ConfigError) as error:
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
    info = youtube.playlist(job.playlist_id)
    job = jobs.begin_planning(job, info.title, info.item_count)
    known = library.playlist(job.user_id, job.playlist_id)
    before = known.video_ids if known else ()
    listed: dict[str, None] = {}
    held, next_writing = _Held(), 0.0
    for items in youtube.pages(job.playlist_id):
        fresh = [
            item for item in {item.video_id: item for item in items}.values() if item.video_id not in listed
        ]
        listed.update(dict.fromkeys(item.video_id for item in fresh))
        # Before the membership: what was cancelled and removed meanwhile must not come back.
        if not _enter(job, fresh, held):
            return
        if (began := monotonic()) >= next_writing:
            # What was in the library stays findable until the list is complete.
            _put(job, info, list({**listed, **dict.fromkeys(before)}))
            took = monotonic() - began
            next_writing = monotonic() + max(_MEMBERSHIP_EVERY, _MEMBERSHIP_PAUSE * took)
    if not listed:
        raise JobFailed("The playlist is empty: there is nothing to index.")
    _put(job, info, list(listed))
    jobs.seal(job.job_id)


def _put(job: Job, info: PlaylistInfo, video_ids: Sequence[str]) -> None:
    """Writes the membership, unless the job is no longer being listed.

    Removing a playlist ends its job first: a planner that is late must not put back what was removed.
    """

    def attempt() -> None:
        current = jobs.read(job.job_id)
        if current is None or current.state != "planning":
            return
        still = Commit().update(
            jobs.path(job.job_id), {"listed": current.listed}, unchanged_since=current.update_time
        )
        library.put(job.user_id, job.playlist_id, info.title, info.thumbnail_url, video_ids, within=still)

    retried(attempt)


def _enter(job: Job, items: Sequence[Item], held: _Held) -> bool:
    """Enters one page into the ledger and publishes what is pending of it. False when the job is over."""
    metadata, changed = _metadata(items)
    settled = _settled(items, metadata, held)
    entries = [
        settled.get(item.video_id) or NewEntry(item.video_id, metadata[item.video_id].title, item.position)
        for item in items
    ]
    if changed:
        commit = Commit()
        for each in changed:
            store.put_metadata(commit, each)
        commit.run()

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


def _metadata(items: Sequence[Item]) -> tuple[dict[str, Metadata], list[Metadata]]:
    """Metadata of all items, and what of it has to be stored because it is new or has changed."""
    now = clock.now()
    snapshots = documents.read(*(store.video_path(item.video_id) for item in items))
    known = {each.video_id: each for each in map(store.metadata_of, snapshots) if each}
    stale = [
        item.video_id
        for item in items
        if not item.gone
        and (item.video_id not in known or now - known[item.video_id].fetched_at > store.METADATA_AGE)
    ]
    answered = {each.video_id: each for each in youtube.videos(stale)}
    # What videos.list leaves out keeps what is known, or at least what the playlist says of it.
    found = {item.video_id: item.metadata(now) for item in items} | known | answered
    changed = list(answered.values()) + [
        found[item.video_id] for item in items if item.video_id not in known and item.video_id not in answered
    ]
    return found, changed


def _settled(items: Sequence[Item], metadata: dict[str, Metadata], held: _Held) -> dict[str, NewEntry]:
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
