"""Reindexing: builds the whole search index again from the store, while searches go on.

A new index is filled beside the old one. Live writes go into both. Then the alias is swapped. The index of
passages is filled where it is, from the stored vectors: no model is needed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from shared import logs
from shared.gcp.firestore import WHOLE_TIMEOUT, Firestore
from shared.library.memberships import Memberships
from shared.meaning.store import PassageStore, read_state
from shared.search.index.bulk import Write
from shared.search.index.document import write_of
from shared.search.index.passages import PassageIndex
from shared.search.index.rebuild import Rebuild
from shared.search.index.writer import SearchIndex
from shared.transcripts.store import TranscriptStore, stored_from, transcript_path
from shared.transcripts.videos import metadata_from, video_path


class ReindexAsked(Struct):
    only: Literal["outdated"] | None = None


class Reindex:
    """The use case of the operator."""

    def __init__(self, db: Firestore, index: SearchIndex, rebuild: Rebuild, passages: PassageIndex) -> None:
        self._db = db
        self._index = index
        self._rebuild = rebuild
        self._transcripts = TranscriptStore(db)
        self._memberships = Memberships(db, index)
        self._passages = passages
        self._stored = PassageStore(db)

    def run(self, *, only_outdated: bool = False) -> Iterator[dict[str, Any]]:
        """Yields ``{"indexed", "total"}`` and ``{"passages", "total"}`` after each page, both in videos.

        The last one is ``{"done": True, "indexed", "playlists", "passages"}``. ``only_outdated``: leaves an
        index as it is that is of this version and complete.

        Raises:
            Transient: the database or the search index does not answer. The old index stays in use.
        """
        indexed = playlists = 0
        if not only_outdated or self._index.is_outdated():
            indexed, playlists = yield from self._videos()
        passages = yield from self._fill_passages(only_outdated)
        logs.info("reindexed", videos=indexed, playlists=playlists, passages=passages)
        yield {"done": True, "indexed": indexed, "playlists": playlists, "passages": passages}

    def _videos(self) -> Generator[dict[str, Any], None, tuple[int, int]]:
        """Builds the index of videos. Returns the numbers of videos and of playlists."""
        total = self._db.count("transcripts", timeout=WHOLE_TIMEOUT)
        with self._rebuild.index() as building:
            indexed = 0
            for video_ids in self._transcripts.every_transcript():
                writes = self._writes(video_ids)
                building.write(writes)
                indexed += len(writes)
                yield {"indexed": indexed, "total": total}
            playlists = self._memberships.copy_all()
            building.finish()
        return indexed, playlists

    def _fill_passages(self, only_outdated: bool) -> Generator[dict[str, Any], None, int]:
        """Fills the indices of passages. Returns the number of videos."""
        state = read_state(self._db)
        written = 0
        for model in dict.fromkeys(filter(None, (state.serving, state.wanted))):
            total, held = self._stored.count(model), self._passages.count(model)
            if not total or (only_outdated and held is not None and held >= total):
                continue
            for page in self._stored.every(model):
                if held is None:
                    held = 0
                    self._passages.renew(model, next(iter(page.values())).dimensions)
                self._passages.write(model, page)
                written += len(page)
                yield {"passages": written, "total": total}
        return written

    def _writes(self, video_ids: Sequence[str]) -> list[Write]:
        snapshots = self._db.read(*map(video_path, video_ids), *map(transcript_path, video_ids))
        pairs = zip(snapshots[: len(video_ids)], snapshots[len(video_ids) :], strict=True)
        found = ((metadata_from(video), stored_from(transcript).outcome) for video, transcript in pairs)
        return [write_of(metadata, outcome) for metadata, outcome in found if metadata and outcome]
