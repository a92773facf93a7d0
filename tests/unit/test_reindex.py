"""Reindexing reads the store only when all live writes go into the new index, and cleans up when it fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared import documents, library, reindex, search_index, search_rebuild, store
from shared.errors import Transient


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps in their order, with servers that do nothing."""
    made: list[str] = []

    def start() -> str:
        made.append("start")
        return "the-index"

    def transcripts() -> Iterator[list[str]]:
        made.append("read the store")
        yield []

    def written(index: str, found: object) -> None:
        made.append(f"fill {index}")

    monkeypatch.setattr(search_rebuild, "start", start)
    monkeypatch.setattr(search_rebuild, "write", written)
    monkeypatch.setattr(search_rebuild, "finish", lambda index: made.append(f"finish {index}"))
    monkeypatch.setattr(search_rebuild, "abandon", lambda index: made.append(f"abandon {index}"))
    monkeypatch.setattr(store, "every_transcript", transcripts)
    monkeypatch.setattr(documents, "count", lambda _: 0)
    monkeypatch.setattr(documents, "every", lambda *_, **__: iter(()))
    monkeypatch.setattr(library, "rebuild", lambda *_: None)
    return made


def test_the_store_is_read_when_the_rebuild_has_started(steps: list[str]) -> None:
    assert list(reindex.run())[-1] == {"done": True, "indexed": 0, "playlists": 0}
    assert steps == ["start", "read the store", "fill the-index", "finish the-index"]


def test_a_rebuild_that_fails_is_abandoned(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(index: str, found: object) -> None:
        raise Transient("Elasticsearch is busy")

    monkeypatch.setattr(search_rebuild, "write", refuse)
    with pytest.raises(Transient):
        list(reindex.run())
    assert steps == ["start", "read the store", "abandon the-index"]


def test_a_rebuild_waits_longer_than_a_writer_remembers() -> None:
    assert search_rebuild.WAIT > search_index.REMEMBERED
