"""Reindexing: builds the whole search index anew from the store, while searches go on.

The new index is filled beside the old one; live writes go into both; then the alias is swapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shared import documents, library, logs, search_rebuild, store
from shared.indexer import document
from shared.search_documents import VideoDocument


def run() -> Iterator[dict[str, Any]]:
    """Yields ``{"indexed", "total"}`` after each page, last ``{"done": True, "indexed", "playlists"}``.

    Raises:
        Transient: Firestore or Elasticsearch does not answer; the old index stays as it was.
    """
    total = documents.count("transcripts")
    # The store is read only after this returns.
    index = search_rebuild.start()
    done = False
    try:
        indexed = 0
        for video_ids in store.every_transcript():
            found = _documents(video_ids)
            search_rebuild.write(index, found)
            indexed += len(found)
            yield {"indexed": indexed, "total": total}
        playlists = _libraries()
        search_rebuild.finish(index)
        done = True
    finally:
        if not done:
            search_rebuild.abandon(index)
    logs.info("reindexed", videos=indexed, playlists=playlists)
    yield {"done": True, "indexed": indexed, "playlists": playlists}


def _documents(video_ids: Sequence[str]) -> list[tuple[VideoDocument, int]]:
    snapshots = documents.read(*map(store.video_path, video_ids), *map(store.transcript_path, video_ids))
    found = []
    for described, transcribed in zip(snapshots[: len(video_ids)], snapshots[len(video_ids) :], strict=True):
        metadata, outcome = store.metadata_of(described), store.stored_of(transcribed).outcome
        if metadata is not None and outcome is not None:
            found.append((document(metadata, outcome), store.version(metadata, outcome)))
    return found


def _libraries() -> int:
    """Writes every membership again; search forgets none, whatever Elasticsearch had lost."""
    # First the names: writing each takes time, and a stream of Firestore's has an end.
    paths = [snapshot.path for snapshot in documents.every("memberships", fields=("title",))]
    for path in paths:
        library.rebuild(path.split("/")[1], documents.read(path)[0])
    return len(paths)
