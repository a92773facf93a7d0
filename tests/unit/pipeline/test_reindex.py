"""Reindexing reads the store when all live writes go into the new index, and cleans up when it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from shared import clock
from shared.config import Config
from shared.errors import Transient
from shared.gcp.documents import Snapshot
from shared.pipeline.reindex import Reindex
from shared.search.index import mapping
from shared.search.index.passages import PassageIndex
from shared.search.index.rebuild import PAUSE, Rebuild
from shared.search.index.writer import REMEMBERED, SearchIndex
from shared.search.server import SearchServer
from tests.unit.in_memory import InMemory


class FakeServer(SearchServer):
    """A search server without documents. It notes each step of a rebuild in ``steps``."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__(Config())
        self._steps = steps
        self.version: int | None = mapping.VERSION

    @property
    def client(self) -> Any:
        return self

    @property
    def indices(self) -> Any:
        return self

    def options(self, **_: Any) -> Any:
        return self

    def exists(self, **_: Any) -> bool:
        return True

    def exists_alias(self, **_: Any) -> bool:
        return True

    def get(self, **_: Any) -> dict[str, Any]:
        return {}

    def get_mapping(self, **_: Any) -> dict[str, Any]:
        return {"index": {"mappings": {"_meta": {"version": self.version}}}}

    def get_alias(self, **_: Any) -> dict[str, Any]:
        return {}

    def refresh(self, **_: Any) -> None:
        pass

    def create(self, *, aliases: dict[str, Any], **_: Any) -> None:
        assert list(aliases) == [self.building]
        self._steps.append("live writes go into the new index")

    def update_aliases(self, **_: Any) -> None:
        self._steps.append("swap")

    def delete(self, **_: Any) -> None:
        self._steps.append("remove the new index")


class FakeStore(InMemory):
    """An empty store. It notes when it is read."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__()
        self._steps = steps

    def count(self, collection: str, *_: object, **__: object) -> int:
        return 0

    def query(self, collection: str, *rest: Any, **named: Any) -> Iterator[Snapshot]:
        self._steps.append(f"read {collection}")
        return super().query(collection, *rest, **named)

    def query_group(self, collection_id: str, fields: Sequence[str]) -> Iterator[Snapshot]:
        self._steps.append(f"read {collection_id}")
        return iter(())


@pytest.fixture
def steps() -> list[str]:
    return []


@pytest.fixture
def store(steps: list[str]) -> FakeStore:
    return FakeStore(steps)


@pytest.fixture
def server(steps: list[str]) -> FakeServer:
    return FakeServer(steps)


@pytest.fixture
def reindex(steps: list[str], store: FakeStore, server: FakeServer) -> Reindex:
    rebuild = Rebuild(server, sleep=lambda seconds: steps.append(f"wait {seconds:g} s"))
    return Reindex(store, SearchIndex(server), rebuild, PassageIndex(server))


BEGIN = ["live writes go into the new index", f"wait {PAUSE:g} s", "read transcripts"]


def test_the_store_is_read_when_the_rebuild_has_begun(reindex: Reindex, steps: list[str]) -> None:
    assert list(reindex.run())[-1] == {"done": True, "indexed": 0, "playlists": 0, "passages": 0}
    assert steps == [*BEGIN, "read memberships", "swap"]


def test_an_index_of_this_version_need_not_be_rebuilt(reindex: Reindex, steps: list[str]) -> None:
    assert list(reindex.run(only_outdated=True)) == [
        {"done": True, "indexed": 0, "playlists": 0, "passages": 0}
    ]
    assert steps == []


@pytest.mark.parametrize("version", [1, mapping.VERSION - 1, mapping.VERSION + 1, None])
def test_an_index_of_another_version_is_rebuilt(
    version: int | None, reindex: Reindex, server: FakeServer, steps: list[str]
) -> None:
    server.version = version
    assert list(reindex.run(only_outdated=True))[-1]["done"]
    assert steps[-1] == "swap"


def test_a_rebuild_that_fails_removes_its_index(reindex: Reindex, store: FakeStore, steps: list[str]) -> None:
    store.unavailable = True
    with pytest.raises(Transient):
        list(reindex.run())
    assert steps == [*BEGIN, "remove the new index"]


def test_a_caller_that_stops_removes_the_new_index(
    reindex: Reindex, store: FakeStore, steps: list[str]
) -> None:
    store["transcripts/v"] = {"kind": "unavailable", "checked_at": clock.now()}
    running = reindex.run()
    next(running)
    running.close()  # type: ignore[attr-defined]  # a generator
    assert steps[-1] == "remove the new index"


def test_a_rebuild_waits_longer_than_a_writer_remembers() -> None:
    assert PAUSE > REMEMBERED
