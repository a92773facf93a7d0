"""The pages of a playlist as the planner enters them: each video with its metadata and what is left to do."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared import clock, logs
from shared.errors import DeliveryError, Transient
from shared.gcp.firestore import Firestore
from shared.pipeline.acceptance import accepts, accepts_metadata
from shared.pipeline.jobs import Job
from shared.pipeline.ledger import NewEntry, state_when_indexed
from shared.pipeline.listings import ListedBy, Source
from shared.search.index.document import write_of
from shared.search.index.mapping import fingerprint
from shared.search.index.writer import SearchIndex
from shared.transcripts import store
from shared.transcripts.store import Outcome, TranscriptStore
from shared.transcripts.videos import Metadata, VideoStore
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PAGE, Item

#: Why a video is left out about which YouTube says nothing, by who has listed it.
_CLOSED: dict[ListedBy, str] = {
    "everybody": "YouTube does not show this video any more.",
    "owner": "YouTube shows this video to nobody but you.",
    "person": "YouTube knows no such video, or shows it to nobody but its owner.",
}
#: That it describes none of so many videos, which it has described before, is most likely a mistake.
_UNBELIEVABLE = 5


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a playlist, and its new entries for the ledger. ``renamed``: ids of videos, and when they
    were found to have a new title.
    """

    items: Sequence[Item]
    entries: Sequence[NewEntry]
    renamed: Mapping[str, datetime]


class Pages:
    """Lists playlists. New metadata is stored on the way.

    ``passages``: new titles are also for search by meaning.
    """

    def __init__(
        self, db: Firestore, index: SearchIndex, youtube: DataApi, *, passages: bool = False
    ) -> None:
        self._videos = VideoStore(db, passages=passages)
        self._transcripts = TranscriptStore(db)
        self._index = index
        self._youtube = youtube

    def of_source(self, job: Job, source: Source, before: Container[str]) -> Iterator[Page]:
        """The pages of what a job lists. A video that is listed twice comes once.

        ``before``: the videos of this playlist that the user had in the library before.
        """
        listed: set[str] = set()
        indexed = _Indexed(self._index)
        for page in source.pages():
            new = {item.video_id: item for item in page if item.video_id not in listed}
            listed |= new.keys()
            items, metadata = self._describe(
                job, list(new.values()), before, source.by, at_youtube=source.by != "person"
            )
            yield _page(items, self._entries(job, items, metadata, indexed), metadata)

    def of_videos(self, job: Job, video_ids: Sequence[str]) -> Iterator[Page]:
        """Videos of the user's library, in pages."""
        indexed = _Indexed(self._index)
        for start in range(0, len(video_ids), PAGE):
            items = [
                Item(video_id, "", "", "", None, position=start + number, gone=None)
                for number, video_id in enumerate(video_ids[start : start + PAGE])
            ]
            described, metadata = self._describe(job, items, video_ids, "everybody", at_youtube=False)
            yield _page(described, self._entries(job, described, metadata, indexed), metadata)

    def _describe(
        self, job: Job, items: Sequence[Item], before: Container[str], by: ListedBy, *, at_youtube: bool
    ) -> tuple[list[Item], dict[str, Metadata]]:
        """The items, those marked as gone that nobody may index, and the metadata of all.

        The store holds only what everybody may see. So a video that YouTube shows to one person alone is
        not stored. And of a video that is hidden from this user (``gone``), the store tells the user only
        what they had ``before``.

        A video that was stored and is hidden from everybody now keeps its metadata, and is marked. That
        videos.list leaves it out says so only if it described the video before: some videos it never
        describes.

        ``at_youtube``: YouTube listed the items just now, and marked those that are gone.
        """
        now = clock.now()
        hidden = {item.video_id for item in items if item.gone and item.video_id not in before}
        known = self._videos.read([item.video_id for item in items if item.video_id not in hidden])

        accepted = {video_id for video_id, each in known.items() if accepts_metadata(job, each)}
        accepted -= {item.video_id for item in items if _is_renamed(item, known.get(item.video_id))}
        stale = [item.video_id for item in items if not item.gone and item.video_id not in accepted]
        described_before = {each for each, about in known.items() if about.listed or about.gone_at}
        shown_before = [each for each in stale if each in known and known[each].gone_at is None]
        is_doubtful = len(described_before.intersection(shown_before)) >= _UNBELIEVABLE
        found = self._youtube.videos(stale)
        if not found and is_doubtful:
            if at_youtube:
                raise Transient("YouTube described none of the videos that it has described before.")
            # Nothing else tells what is gone, and all may be: a channel was closed. So it is asked once more,
            # in another order, to which no stored answer belongs.
            found = self._youtube.videos(stale[::-1])
        answered = {each.video_id: _since(known.get(each.video_id), each) for each in found}
        left_out = set(stale) - answered.keys()
        # Of any other video, the item of a playlist that everybody sees is taken at its word.
        closed = left_out & described_before if by == "everybody" else left_out
        reason = _CLOSED[by]
        items = [replace(item, gone=reason) if item.video_id in closed else item for item in items]
        described = {item.video_id: item.metadata(now) for item in items}
        gone = {item.video_id for item in items if item.gone} & known.keys()
        gone -= closed - described_before
        marked = {
            each: replace(known[each], gone_at=now, fetched_at=now, listed=False)
            for each in gone
            if not known[each].gone_at
        }
        from_items = {each: described[each] for each in left_out - known.keys() - closed}
        self._videos.save([*answered.values(), *marked.values(), *from_items.values()])
        return items, described | known | answered | marked

    def _entries(
        self, job: Job, items: Sequence[Item], metadata: Mapping[str, Metadata], indexed: _Indexed
    ) -> list[NewEntry]:
        """The ledger entries. Videos for which nothing is left to do are settled and need no message."""
        stored = self._transcripts.read([item.video_id for item in items])
        outcomes = {
            video_id: each.outcome
            for video_id, each in stored.items()
            if each.outcome and accepts(job, video_id, each.outcome)
        }
        gone = {item.video_id for item in items if item.gone and metadata[item.video_id].gone_at}
        fingerprints = indexed.fingerprints([*(outcomes.keys() | gone)])

        def is_current(video_id: str, outcome: Outcome) -> bool:
            return fingerprints.get(video_id) == fingerprint(store.digest(metadata[video_id], outcome))

        known = {each: outcome for each in gone & fingerprints.keys() if (outcome := stored[each].outcome)}
        self._mark([each for each, outcome in known.items() if not is_current(each, outcome)], metadata)

        def entry(item: Item) -> NewEntry:
            about, outcome = metadata[item.video_id], outcomes.get(item.video_id)
            pending = NewEntry(item.video_id, about.title, item.position)
            if item.gone:
                return replace(pending, state="unavailable", reason=item.gone)
            if outcome is None:
                return pending
            settled = replace(
                pending,
                reason=outcome.reason,
                reused=True,
                look_again_at=outcome.look_again_at,
                not_yet=outcome.not_yet,
            )
            if not outcome.searchable:
                return replace(settled, state="unavailable")
            if is_current(item.video_id, outcome):
                return replace(settled, state=state_when_indexed(outcome.kind))
            return pending

        return [entry(item) for item in items]

    def _mark(self, video_ids: Sequence[str], metadata: Mapping[str, Metadata]) -> None:
        """Writes videos that are gone into the index again, which marks them there.

        Not by a message: nothing is left to fetch, and the videos are settled as unavailable at once. When
        the index does not take them, the next listing finds that they are not marked.
        """
        if not video_ids:
            return
        stored = self._transcripts.read(video_ids, lines=True)
        writes = [
            write_of(metadata[video_id], each.outcome) for video_id, each in stored.items() if each.outcome
        ]
        try:
            self._index.write(writes)
        except DeliveryError as error:
            logs.warning("gone videos not marked yet", error)


def _page(items: Sequence[Item], entries: Sequence[NewEntry], metadata: Mapping[str, Metadata]) -> Page:
    times = {item.video_id: metadata[item.video_id].renamed_at for item in items}
    return Page(items, entries, {video_id: at for video_id, at in times.items() if at is not None})


def _is_renamed(item: Item, known: Metadata | None) -> bool:
    """A title that only a playlist has told is as good as another one."""
    return known is not None and known.listed and bool(item.title) and item.title != known.title


def _since(known: Metadata | None, now: Metadata) -> Metadata:
    """The new metadata, which says whether there was another title before."""
    if known is None:
        return now
    renamed_at = known.renamed_at if known.title == now.title else now.fetched_at
    return replace(now, renamed_at=renamed_at)


class _Indexed:
    """Finds out which videos the search index has. After a failure it stops asking in this listing."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._unavailable = False

    def fingerprints(self, video_ids: Sequence[str]) -> dict[str, str]:
        """Empty when the index does not answer. The videos then go the usual way."""
        if self._unavailable or not video_ids:
            return {}
        try:
            return self._index.fingerprints(video_ids)
        except Transient as error:
            logs.warning("search index not asked for what it holds", error)
            self._unavailable = True
            return {}
