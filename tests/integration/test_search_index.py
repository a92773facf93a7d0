"""Writing the real search index: versions, repeated writes, rebuilds and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shared.errors import Permanent, Transient
from shared.search.index.bulk import NotAccepted
from shared.search.index.rebuild import Rebuild
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.search.service import Search
from tests.faults.proxies import Fault, HttpProxy
from tests.integration.search_library import (
    TITLES,
    USER,
    VIDEOS,
    SearchLibrary,
    config_of,
    empty_library,
)
from tests.stored_videos import StoredVideo, video

ROPES = next(each for each in VIDEOS if each.video_id == "ropes")
NEWER = ROPES.with_metadata(title="Splices")


@pytest.fixture
def library(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    with empty_library(elasticsearch_url) as library:
        yield library


@pytest.fixture
def index(library: SearchLibrary) -> SearchIndex:
    return library.index


@pytest.fixture
def rebuild(library: SearchLibrary) -> Rebuild:
    """It need not wait for writers, because those of the library remember nothing."""
    return Rebuild(library.server, pause=0)


def fingerprint(stored: StoredVideo) -> str:
    return str(json.loads(stored.write().body)["fingerprint"])


def test_nothing_is_indexed_at_first(index: SearchIndex, library: SearchLibrary) -> None:
    assert index.fingerprints(["ropes"]) == {}
    assert index.fingerprints([]) == {}
    index.refresh()
    assert library.search("sea")["total"] == 0


def test_a_fingerprint_changes_with_the_content(index: SearchIndex) -> None:
    index.write([ROPES.write(1)])
    assert index.fingerprints(["ropes", "other"]) == {"ropes": fingerprint(ROPES)}
    index.write([NEWER.write(2)])
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(NEWER)}
    shorter = ROPES.with_lines(ROPES.lines[:-1])
    assert len({fingerprint(each) for each in (ROPES, NEWER, shorter)}) == 3


def test_an_older_write_never_replaces_a_newer_one(index: SearchIndex) -> None:
    index.write([NEWER.write(2)])
    index.write([ROPES.write(1)])
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(NEWER)}


def test_the_same_write_twice_makes_one_document(index: SearchIndex, library: SearchLibrary) -> None:
    for _ in range(2):
        index.write([ROPES.write(1)])
    index.refresh()
    assert library.server.client.count(index=library.server.videos)["count"] == 1


def test_many_first_writers_at_once_make_one_index(index: SearchIndex, library: SearchLibrary) -> None:
    videos = [ROPES.with_metadata(video_id=f"ropes{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: SearchIndex(library.server).write([each.write()]), videos))
    assert len(index.fingerprints([each.video_id for each in videos])) == 8
    assert len(library.server.client.indices.get_alias(name=library.server.videos)) == 1


def test_a_refused_document_is_named_and_the_others_are_written(index: SearchIndex) -> None:
    bad = ROPES.with_metadata(video_id="bad", channel_id="c" * 40_000)
    with pytest.raises(NotAccepted) as refused:
        index.write([bad.write(), ROPES.write()])
    assert list(refused.value.failed) == ["bad"]
    assert refused.value.detail is not None
    assert refused.value.detail.startswith("bad: ")
    assert isinstance(refused.value, Permanent)
    assert set(index.fingerprints(["bad", "ropes"])) == {"ropes"}


def test_an_index_of_another_version_is_found_out_and_loses_nothing(library: SearchLibrary) -> None:
    with empty_library_of_another_version(library) as old:
        assert old.index.is_outdated()
        with pytest.raises(Transient, match="has to be rebuilt"):
            old.index.ping(5)
        # The video is retried until the index has been rebuilt.
        with pytest.raises(Transient):
            old.index.write([ROPES.write()])
        with Rebuild(old.server, pause=0).index() as building:
            building.write([ROPES.write()])
            building.finish()
        assert not old.index.is_outdated()
        old.index.ping(5)
        old.index.write([ROPES.write()])


@contextmanager
def empty_library_of_another_version(library: SearchLibrary) -> Iterator[SearchLibrary]:
    """Its index has the fields of an older mapping."""
    old = SearchLibrary(library.url)
    try:
        mappings = {
            "dynamic": "strict",
            "_meta": {"version": 2},
            "properties": {"video_id": {"type": "keyword"}},
        }
        name = old.server.videos
        old.server.client.indices.create(index=f"{name}-0", mappings=mappings, aliases={name: {}})
        yield old
    finally:
        old.remove()


def test_an_index_that_does_not_exist_is_not_outdated(library: SearchLibrary) -> None:
    fresh = SearchLibrary(library.url)
    assert not fresh.index.is_outdated()
    fresh.index.create_missing()
    assert not fresh.index.is_outdated()
    fresh.remove()


def test_a_server_that_is_down_is_worth_a_retry(library: SearchLibrary) -> None:
    server = SearchServer(config_of("http://127.0.0.1:9", library.prefix))
    index, search = SearchIndex(server), Search(server)
    calls: list[Callable[[], object]] = [
        lambda: index.write([ROPES.write()]),
        lambda: index.fingerprints(["ropes"]),
        lambda: index.write_membership(USER, "PLtalks", ["ropes"], 1),
        index.refresh,
        lambda: search.suggest(USER, TITLES, "sea"),
        lambda: search.video(USER, TITLES, "ropes"),
    ]
    for call in calls:
        with pytest.raises(Transient) as error:
            call()
        assert "127.0.0.1" not in str(error.value)


def test_a_membership_is_searched_at_once_and_its_removal_too(
    index: SearchIndex, library: SearchLibrary
) -> None:
    library.write(ROPES)
    assert library.ids("bowline") == []
    library.put("PLtalks", [ROPES], version=5)
    assert library.ids("bowline") == ["ropes"]
    index.delete_membership(USER, "PLtalks", 7)
    assert library.ids("bowline") == []
    library.put("PLtalks", [ROPES], version=6)  # late: it is older than the removal
    assert library.ids("bowline") == []
    index.delete_membership(USER, "PLtalks", 7)
    index.delete_membership(USER, "PLnever", 1)
    library.put("PLtalks", [ROPES, ROPES], version=8)
    assert library.ids("bowline") == ["ropes"]
    assert index.playlists_of(USER) == ["PLtalks"]


def test_after_a_pause_the_first_video_can_be_found_at_once(library: SearchLibrary) -> None:
    now = [100.0]
    index = SearchIndex(library.server, monotonic=lambda: now[0])
    index.create_missing()
    indices, videos = library.server.client.indices, library.server.videos
    # Nothing else may refresh the index. This change itself causes a refresh at some time.
    indices.put_settings(index=videos, settings={"refresh_interval": "-1"})
    indices.refresh(index=videos)

    def refreshes() -> int:
        stats = indices.stats(index=videos, metric="refresh")
        return int(stats["_all"]["primaries"]["refresh"]["external_total"])

    before = refreshes()
    index.write([NEWER.write(2)])
    assert refreshes() == before + 1
    now[0] += 3
    index.write([ROPES.write(3)])
    assert refreshes() == before + 1, "the next one waits for the usual refresh"
    now[0] += 5
    index.write([ROPES.write(4)])
    assert refreshes() == before + 2


def test_a_rebuild_replaces_the_index_and_keeps_newer_writes(
    index: SearchIndex, library: SearchLibrary, rebuild: Rebuild
) -> None:
    old, new = (video(each, f"{each} bowline", None) for each in ("old", "new"))
    library.write(ROPES, old)
    library.put("PLtalks", [ROPES, old, new])
    with rebuild.index() as building:
        library.write(NEWER, new, version=3)
        building.write([ROPES.write(1)])
        assert set(library.ids("bowline")) == {"ropes", "old", "new"}
        building.finish()
        assert set(library.ids("bowline")) == {"ropes", "new"}
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(NEWER)}
    assert len(indices_of(library)) == 1
    index.write([video("later", "Later", None).write()])
    assert index.fingerprints(["later"])


def indices_of(library: SearchLibrary) -> list[str]:
    return list(library.server.client.indices.get(index=f"{library.server.videos}-*"))


def test_a_rebuild_removes_the_index_of_one_that_died(
    index: SearchIndex, library: SearchLibrary, rebuild: Rebuild
) -> None:
    index.write([ROPES.write()])
    with rebuild.index() as dead, rebuild.index():
        with pytest.raises(Permanent):
            dead.finish()
        assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(ROPES)}
    assert len(indices_of(library)) == 1
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(ROPES)}


def test_a_finished_rebuild_cannot_be_abandoned(index: SearchIndex, rebuild: Rebuild) -> None:
    with rebuild.index() as building:
        building.write([ROPES.write()])
        building.finish()
        building.abandon()
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(ROPES)}


def test_a_rebuild_that_fails_leaves_the_old_index_in_use(
    index: SearchIndex, library: SearchLibrary, rebuild: Rebuild
) -> None:
    index.write([ROPES.write()])
    with pytest.raises(ZeroDivisionError), rebuild.index():
        raise ZeroDivisionError
    assert len(indices_of(library)) == 1
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(ROPES)}


def test_every_writer_knows_of_a_rebuild_when_it_reads_the_store(library: SearchLibrary) -> None:
    """A writer asked just before the rebuild began. It may remember the answer for some seconds."""
    now = [100.0]
    index = SearchIndex(library.server, monotonic=lambda: now[0])
    index.write([ROPES.write(1)])
    (old,) = indices_of(library)

    def sleep(seconds: float) -> None:
        # The remembered answer still counts: this write goes only into the old index.
        index.write([video("early", "Early", None).write()])
        now[0] += seconds

    def versions(name: str) -> dict[str, int]:
        found = library.server.client.mget(index=name, ids=["ropes", "early", "late"])["docs"]
        return {each["_id"]: each["_version"] for each in found if each["found"]}

    with Rebuild(library.server, sleep=sleep).index():
        index.write([NEWER.write(2), video("late", "Late", None).write()])
        assert versions(old) == {"ropes": 2, "early": 1, "late": 1}
        assert versions(library.server.building) == {"ropes": 2, "late": 1}


def test_a_writer_that_remembers_a_finished_rebuild_writes_into_the_new_index(
    library: SearchLibrary, rebuild: Rebuild
) -> None:
    index = SearchIndex(library.server, remembered=3600)
    with rebuild.index() as building:
        index.write([ROPES.write(1)])
        building.finish()
    index.write([NEWER.write(2), video("later", "Later", None).write()])
    assert len(indices_of(library)) == 1
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(NEWER)}
    assert index.fingerprints(["later"])


def test_a_write_fails_if_nobody_says_whether_there_is_a_rebuild(
    elasticsearch_url: str, library: SearchLibrary, rebuild: Rebuild
) -> None:
    proxy = HttpProxy(elasticsearch_url)
    index = SearchIndex(SearchServer(config_of(proxy.url, library.prefix)))
    try:
        with rebuild.index() as building:
            proxy.fault = Fault("429", only="HEAD")
            with pytest.raises(Transient):
                index.write([NEWER.write(2)])
            assert library.index.fingerprints(["ropes"]) == {}
            proxy.heal()
            index.write([NEWER.write(2)])
            building.finish()
    finally:
        proxy.close()
    assert index.fingerprints(["ropes"]) == {"ropes": fingerprint(NEWER)}


class HookedServer(SearchServer):
    """The real server. ``after_bulk`` is called once, after the first bulk request."""

    def __init__(self, url: str, prefix: str, after_bulk: Callable[[], None]) -> None:
        super().__init__(config_of(url, prefix))
        self._after_bulk: Callable[[], None] | None = after_bulk

    @property
    def client(self) -> Any:
        return _HookedClient(super().client, self)

    def bulk_sent(self) -> None:
        after, self._after_bulk = self._after_bulk, None
        if after is not None:
            after()


class _HookedClient:
    def __init__(self, client: Elasticsearch, server: HookedServer) -> None:
        self._client, self._server = client, server

    def bulk(self, **request: Any) -> Any:
        answer = self._client.bulk(**request)
        self._server.bulk_sent()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def test_a_rebuild_that_ends_between_the_two_requests_of_a_write_loses_nothing(
    elasticsearch_url: str, library: SearchLibrary, rebuild: Rebuild
) -> None:
    library.write(ROPES)
    with rebuild.index() as building:
        index = SearchIndex(HookedServer(elasticsearch_url, library.prefix, building.finish))
        index.write([NEWER.write(2)])
        assert building.finished
    assert library.index.fingerprints(["ropes"]) == {"ropes": fingerprint(NEWER)}
