"""Writing into the real Elasticsearch: versions, repetitions, rebuilds, errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shared import clients, search_bulk, search_index, search_rebuild
from shared.errors import Permanent, Transient
from shared.transcripts import Lines
from tests.faults.proxies import Fault, HttpProxy
from tests.integration.search_library import LIBRARY, USER, VIDEOS, ask, environment, ids, video

pytestmark = pytest.mark.usefixtures("elasticsearch_url")


@pytest.fixture(autouse=True)
def prefix(elasticsearch_url: str) -> Iterator[str]:
    with environment() as prefix:
        yield prefix


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write asks whether an index is being rebuilt: a rebuild need not wait for it."""
    monkeypatch.setattr(search_index, "REMEMBERED", 0.0)


ROPES = next(each for each in VIDEOS if each.video_id == "ropes")
NEWER = replace(ROPES, title="Splices")


def test_nothing_is_indexed_at_first() -> None:
    assert search_index.fingerprints(["ropes"]) == {}
    assert search_index.fingerprints([]) == {}
    search_index.refresh()
    assert ask("sea")["total"] == 0


def test_a_fingerprint_changes_with_what_is_indexed() -> None:
    search_index.write([(ROPES, 1)])
    assert search_index.fingerprints(["ropes", "other"]) == {"ropes": ROPES.fingerprint}
    search_index.write([(NEWER, 2)])
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}
    assert NEWER.fingerprint != ROPES.fingerprint
    shorter = Lines.of_rows(list(ROPES.lines)[:-1])
    assert replace(ROPES, lines=shorter).fingerprint != ROPES.fingerprint


def test_an_older_write_never_overwrites_a_newer_one() -> None:
    search_index.write([(NEWER, 2)])
    search_index.write([(ROPES, 1)])
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}


def test_the_same_write_twice_is_one_document() -> None:
    for _ in range(2):
        search_index.write([(ROPES, 1)])
    search_index.refresh()
    assert clients.elasticsearch().count(index=search_index.videos_alias())["count"] == 1


def test_many_first_writers_at_once_make_one_index() -> None:
    documents = [replace(ROPES, video_id=f"ropes{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda document: search_index.write([(document, 1)]), documents))
    assert len(search_index.fingerprints([document.video_id for document in documents])) == 8
    assert len(clients.elasticsearch().indices.get_alias(name=search_index.videos_alias())) == 1


def test_a_refused_document_is_named_and_the_others_are_written() -> None:
    bad = replace(ROPES, video_id="bad", channel_id="c" * 40_000)
    with pytest.raises(search_bulk.Refused, match="bad") as refused:
        search_index.write([(bad, 1), (ROPES, 1)])
    assert list(refused.value.failed) == ["bad"]
    assert isinstance(refused.value, Permanent)
    assert set(search_index.fingerprints(["bad", "ropes"])) == {"ropes"}


def test_a_server_that_is_down_is_a_passing_trouble() -> None:
    with environment(ELASTICSEARCH_URL="http://127.0.0.1:9"):
        for attempt in (
            lambda: search_index.write([(ROPES, 1)]),
            lambda: search_index.fingerprints(["ropes"]),
            lambda: search_index.write_library(USER, "PLtalks", ["ropes"], 1),
            search_index.refresh,
            lambda: ask("sea"),
        ):
            with pytest.raises(Transient, match="Elasticsearch does not answer"):
                attempt()


def test_a_library_is_searched_at_once_and_forgotten_at_once() -> None:
    search_index.write([(ROPES, 1)])
    search_index.refresh()
    assert ids("bowline") == []
    search_index.write_library(USER, "PLtalks", ["ropes"], 5)
    assert ids("bowline") == ["ropes"]
    search_index.delete_library(USER, "PLtalks", 7)
    assert ids("bowline") == []
    search_index.write_library(USER, "PLtalks", ["ropes"], 6)  # late: it is older than the removal
    assert ids("bowline") == []
    search_index.delete_library(USER, "PLtalks", 7)
    search_index.delete_library(USER, "PLnever", 1)
    search_index.write_library(USER, "PLtalks", ["ropes", "ropes"], 8)
    assert ids("bowline") == ["ropes"]


def test_a_rebuild_swaps_at_once_and_keeps_what_was_written_meanwhile(forgetful: None) -> None:
    search_index.write([(ROPES, 1), (video("old", "Old bowline", None), 1)])
    search_index.write_library(USER, LIBRARY[0], ["ropes", "old", "new"], 1)
    index = search_rebuild.start(wait=0)
    search_index.write([(NEWER, 3), (video("new", "New bowline", None), 3)])
    search_rebuild.write(index, [(ROPES, 1)])
    search_index.refresh()
    assert set(ids("bowline")) == {"ropes", "old", "new"}
    search_rebuild.finish(index)
    assert set(ids("bowline")) == {"ropes", "new"}
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}
    es = clients.elasticsearch()
    assert list(es.indices.get(index=f"{search_index.videos_alias()}-*")) == [index]
    search_index.write([(video("later", "Later", None), 1)])
    assert search_index.fingerprints(["later"])


def test_a_dead_rebuild_is_cleared_away_by_the_next() -> None:
    search_index.write([(ROPES, 1)])
    dead = search_rebuild.start(wait=0)
    index = search_rebuild.start(wait=0)
    with pytest.raises(Permanent):
        search_rebuild.finish(dead)
    assert search_index.fingerprints(["ropes"]) == {"ropes": ROPES.fingerprint}
    search_rebuild.abandon(index)
    search_rebuild.abandon(index)
    assert len(clients.elasticsearch().indices.get(index=f"{search_index.videos_alias()}-*")) == 1
    assert search_index.fingerprints(["ropes"]) == {"ropes": ROPES.fingerprint}


def test_when_a_rebuild_reads_the_store_every_writer_knows_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer asked just before the rebuild began, and remembers the answer as long as it may."""
    clock = [100.0]
    monkeypatch.setattr(search_index, "monotonic", lambda: clock[0])
    search_index.write([(ROPES, 1)])
    es = clients.elasticsearch()
    (old,) = es.indices.get(index=f"{search_index.videos_alias()}-*")

    def holding(index: str) -> dict[str, int]:
        found = es.mget(index=index, ids=["ropes", "early", "late"])["docs"]
        return {each["_id"]: each["_version"] for each in found if each["found"]}

    def sleep(seconds: float) -> None:
        # The remembered answer is not old enough yet: this write goes into the old index only.
        search_index.write([(video("early", "Early", None), 1)])
        clock[0] += seconds

    monkeypatch.setattr(search_rebuild, "time", SimpleNamespace(sleep=sleep, time_ns=time.time_ns))
    index = search_rebuild.start()
    search_index.write([(NEWER, 2), (video("late", "Late", None), 1)])
    assert holding(old) == {"ropes": 2, "early": 1, "late": 1}
    assert holding(index) == {"ropes": 2, "late": 1}


def test_a_writer_that_remembers_a_rebuild_which_is_over_writes_into_the_new_index() -> None:
    index = search_rebuild.start(wait=0)
    search_index.write([(ROPES, 1)])
    search_rebuild.finish(index)
    search_index.write([(NEWER, 2), (video("later", "Later", None), 1)])
    assert list(clients.elasticsearch().indices.get(index=f"{search_index.videos_alias()}-*")) == [index]
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}
    assert search_index.fingerprints(["later"])


def test_a_writer_that_cannot_ask_whether_there_is_a_rebuild_does_not_write(elasticsearch_url: str) -> None:
    search_index.write([(ROPES, 1)])
    index = search_rebuild.start(wait=0)
    search_index._rebuild.forget()
    proxy = HttpProxy(elasticsearch_url)
    try:
        proxy.fault = Fault("429", only="HEAD")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clients, "elasticsearch", lambda: Elasticsearch(proxy.url, max_retries=0))
            with pytest.raises(Transient, match="Elasticsearch"):
                search_index.write([(NEWER, 2)])
            assert search_index.fingerprints(["ropes"]) == {"ropes": ROPES.fingerprint}
            proxy.heal()
            search_index.write([(NEWER, 2)])
            search_rebuild.finish(index)
    finally:
        proxy.close()
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}


def test_after_a_quiet_time_the_first_document_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refreshes() -> int:
        stats = clients.elasticsearch().indices.stats(index=search_index.videos_alias(), metric="refresh")
        return int(stats["_all"]["primaries"]["refresh"]["external_total"])

    monkeypatch.setattr(search_index, "_written", float("-inf"))
    search_index.create_missing()
    es = clients.elasticsearch()
    # So that nobody refreshes but we; the change itself does, some time.
    es.indices.put_settings(index=search_index.videos_alias(), settings={"refresh_interval": "-1"})
    es.indices.refresh(index=search_index.videos_alias())
    before = refreshes()
    search_index.write([(NEWER, 2)])
    assert refreshes() == before + 1
    # Nobody searches: what comes soon after gathers.
    monkeypatch.setattr(search_index, "_QUIET", 3600.0)
    search_index.write([(ROPES, 3)])
    assert refreshes() == before + 1


def test_a_rebuild_that_ends_between_two_requests_of_a_write_has_it(
    forgetful: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_index.write([(ROPES, 1)])
    index = search_rebuild.start(wait=0)
    send = search_bulk.send
    ended: list[str] = []

    def then_it_ends(*args: Any, **named: Any) -> Any:
        answer = send(*args, **named)
        if not ended:
            search_rebuild.finish(index)
            ended.append(index)
        return answer

    monkeypatch.setattr(search_bulk, "send", then_it_ends)
    search_index.write([(NEWER, 2)])
    assert ended
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}


def test_a_finished_rebuild_cannot_be_abandoned() -> None:
    index = search_rebuild.start(wait=0)
    search_rebuild.write(index, [(ROPES, 1)])
    search_rebuild.finish(index)
    search_rebuild.abandon(index)
    assert search_index.fingerprints(["ropes"]) == {"ropes": ROPES.fingerprint}
