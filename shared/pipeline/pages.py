"""The pages of a playlist as the planner enters them: each video with its metadata and what is left to do."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared import clock, logs
from shared.errors import Transient
from shared.gcp.firestore import Firestore
from shared.pipeline.ledger import NewEntry, state_when_indexed
from shared.search.index.mapping import fingerprint
from shared.search.index.writer import SearchIndex
from shared.transcripts import store
from shared.transcripts.store import TranscriptStore
from shared.transcripts.videos import METADATA_AGE, Metadata, VideoStore
from shared.youtube.data_api import DataApi
from shared.youtube.resources import Item

#: Why a video is left out that YouTube shows to its owner only.
_PRIVATE_TO_OWNER = "YouTube shows this video to nobody but you."


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a playlist, and its new entries for the ledger."""

    items: Sequence[Item]
    entries: Sequence[NewEntry]


class Pages:
    """Lists playlists. New metadata is stored on the way."""

    def __init__(self, db: Firestore, index: SearchIndex, youtube: DataApi) -> None:
        self._videos = VideoStore(db)
        self._transcripts = TranscriptStore(db)
        self._index = index
        self._youtube = youtube

    def of_playlist(
        self, playlist_id: str, access_token: str | None, before: Container[str]
    ) -> Iterator[Page]:
        """The pages of a playlist. A video that is listed twice comes once.

        ``access_token``: of the user in whose name the playlist is listed; None for a public one.
        ``before``: the videos of this playlist that the user had in the library before.
        """
        listed: set[str] = set()
        indexed = _Indexed(self._index)
        for page in self._youtube.pages(playlist_id, access_token):
            new = {item.video_id: item for item in page if item.video_id not in listed}
            listed |= new.keys()
            items, metadata = self._describe(list(new.values()), before, of_user=access_token is not None)
            yield Page(items, self._entries(items, metadata, indexed))

    def _describe(
        self, items: Sequence[Item], before: Container[str], *, of_user: bool
    ) -> tuple[list[Item], dict[str, Metadata]]:
        """The items, those marked as gone that nobody may index, and the metadata of all.

        The store holds only what everybody may see. So a video that YouTube shows to one person alone is
        not stored. And of a video that is hidden from this user (``gone``), the store tells the user only
        what they had ``before``. ``of_user``: the playlist was listed in the name of a user.
        """
        now = clock.now()
        hidden = {item.video_id for item in items if item.gone and item.video_id not in before}
        known = self._videos.read([item.video_id for item in items if item.video_id not in hidden])
        stale = [
            item.video_id
            for item in items
            if not item.gone
            and (item.video_id not in known or now - known[item.video_id].fetched_at > METADATA_AGE)
        ]
        answered = {each.video_id: each for each in self._youtube.videos(stale)}
        left_out = set(stale) - answered.keys()
        if of_user:
            items = [
                replace(item, gone=_PRIVATE_TO_OWNER) if item.video_id in left_out else item for item in items
            ]
        # A video that videos.list leaves out keeps its stored metadata, or gets that of the playlist item.
        metadata = {item.video_id: item.metadata(now) for item in items} | known | answered
        from_items = [
            metadata[item.video_id]
            for item in items
            if not item.gone and item.video_id in left_out and item.video_id not in known
        ]
        # What videos.list no longer describes may be gone: YouTube's player is believed then.
        unlisted = [replace(known[each], listed=False) for each in left_out & known.keys()]
        metadata |= {each.video_id: each for each in unlisted}
        self._videos.save([*answered.values(), *from_items, *unlisted])
        return list(items), metadata

    def _entries(
        self, items: Sequence[Item], metadata: Mapping[str, Metadata], indexed: _Indexed
    ) -> list[NewEntry]:
        """The ledger entries. Videos for which nothing is left to do are settled and need no message."""
        stored = self._transcripts.read([item.video_id for item in items])
        outcomes = {
            video_id: each.outcome for video_id, each in stored.items() if each.outcome and each.outcome.fresh
        }
        fingerprints = indexed.fingerprints(list(outcomes))

        def entry(item: Item) -> NewEntry:
            about, outcome = metadata[item.video_id], outcomes.get(item.video_id)
            pending = NewEntry(item.video_id, about.title, item.position)
            if item.gone:
                return replace(pending, state="unavailable", reason=item.gone)
            if outcome is None:
                return pending
            if not outcome.searchable:
                return replace(pending, state="unavailable", reason=outcome.reason, reused=True)
            if fingerprints.get(item.video_id) == fingerprint(store.digest(about, outcome)):
                return replace(
                    pending, state=state_when_indexed(outcome.kind), reason=outcome.reason, reused=True
                )
            return pending

        return [entry(item) for item in items]


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
