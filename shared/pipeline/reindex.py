"""Reindexing: builds the whole search index again from the store, while searches go on.

A new index is filled beside the old one. Live writes go into both. Then the alias is swapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from shared import logs
from shared.gcp.firestore import WHOLE_TIMEOUT, Firestore
from shared.library.memberships import Memberships
from shared.search.index.bulk import Write
from shared.search.index.document import write_of
from shared.search.index.rebuild import Rebuild
from shared.search.index.writer import SearchIndex
from shared.transcripts.store import TranscriptStore, stored_from, transcript_path
from shared.transcripts.videos import metadata_from, video_path


class ReindexAsked(Struct):
    only: Literal["outdated"] | None = None


class Reindex:
    """The use case of the operator."""

    def __init__(self, db: Firestore, index: SearchIndex, rebuild: Rebuild) -> None:
        self._db = db
        self._index = index
        self._rebuild = rebuild
        self._transcripts = TranscriptStore(db)
        self._memberships = Memberships(db, index)

    def run(self, *, only_outdated: bool = False) -> Iterator[dict[str, Any]]:
        """Yields ``{"indexed", "total"}`` after each page, last ``{"done": True, "indexed", "playlists"}``.

        ``only_outdated``: does nothing, and yields only the last one, if the index is of this version.

        Raises:
            Transient: the database or the search index does not answer. The old index stays in use.
        """
        if only_outdated and not self._index.is_outdated():
            yield {"done": True, "indexed": 0, "playlists": 0}
            return
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
        logs.info("reindexed", videos=indexed, playlists=playlists)
        yield {"done": True, "indexed": indexed, "playlists": playlists}

    def _writes(self, video_ids: Sequence[str]) -> list[Write]:
        snapshots = self._db.read(*map(video_path, video_ids), *map(transcript_path, video_ids))
        pairs = zip(snapshots[: len(video_ids)], snapshots[len(video_ids) :], strict=True)
        found = ((metadata_from(video), stored_from(transcript).outcome) for video, transcript in pairs)
        return [write_of(metadata, outcome) for metadata, outcome in found if metadata and outcome]
