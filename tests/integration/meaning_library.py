"""Embeds the videos of a search library with the real model: the index, the store, and the document."""

from __future__ import annotations

from collections.abc import Iterable

from shared.gcp.firestore import Firestore
from shared.lazy import Lazy
from shared.meaning.embedder import USE, Embedder, in_context, knows, open_embedder
from shared.meaning.passages import cut, embedded_text
from shared.meaning.store import STATE, PassageStore, VideoPassages, pack_places, passages_path
from shared.search.index.passages import PassageIndex
from shared.search.server import SearchServer
from tests.stored_videos import StoredVideo


def _open() -> Embedder:
    embedder = open_embedder("use")
    assert embedder is not None
    return embedder


EMBEDDER = Lazy(_open)


def passages_of(video: StoredVideo, version: int = 1) -> VideoPassages:
    known = knows(USE, video.outcome.language)
    passages = cut(video.outcome.lines) if known else []
    texts = [embedded_text(video.metadata.title, each) for each in passages]
    vectors = in_context(EMBEDDER().passages(texts))
    return VideoPassages("d", version, known, EMBEDDER().dimensions, pack_places(passages), b"".join(vectors))


def embed(server: SearchServer, db: Firestore, videos: Iterable[StoredVideo]) -> None:
    """Afterwards searches by meaning find them."""
    made = {each.video_id: passages_of(each) for each in videos}
    PassageIndex(server).write(USE.name, made)
    server.client.indices.refresh(index=server.passages(USE.name))
    store = PassageStore(db)
    for video_id, passages in made.items():
        commit = db.commit()
        store.put(commit, db.read(passages_path(USE.name, video_id))[0], passages)
        commit.run()
    serve(db, USE.name)


def serve(db: Firestore, model: str | None) -> None:
    """Says which model serves."""
    commit = db.commit()
    commit.put(db.read(STATE)[0], {"serving": model, "wanted": USE.name})
    commit.run()
