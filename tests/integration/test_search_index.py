"""Writing into the real Elasticsearch: versions, repetitions, rebuilds, errors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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


def test_a_rebuild_swaps_at_once_and_keeps_what_was_written_meanwhile() -> None:
    search_index.write([(ROPES, 1), (video("old", "Old bowline", None), 1)])
    search_index.write_library(USER, LIBRARY[0], ["ropes", "old", "new"], 1)
    index = search_rebuild.start()
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
    dead = search_rebuild.start()
    index = search_rebuild.start()
    with pytest.raises(Permanent):
        search_rebuild.finish(dead)
    assert search_index.fingerprints(["ropes"]) == {"ropes": ROPES.fingerprint}
    search_rebuild.abandon(index)
    search_rebuild.abandon(index)
    assert len(clients.elasticsearch().indices.get(index=f"{search_index.videos_alias()}-*")) == 1
    assert search_index.fingerprints(["ropes"]) == {"ropes": ROPES.fingerprint}


def test_who_is_not_told_of_a_rebuild_writes_as_if_there_were_one(elasticsearch_url: str) -> None:
    """Elasticsearch is too busy to say whether there is one."""
    search_index.write([(ROPES, 1)])
    index = search_rebuild.start()
    proxy = HttpProxy(elasticsearch_url)
    try:
        busy = {"status": 429, "type": "es_rejected_execution_exception", "reason": "busy"}
        proxy.fault, proxy.items = Fault("items"), {"asking": busy}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clients, "elasticsearch", lambda: Elasticsearch(proxy.url, max_retries=0))
            search_index.write([(NEWER, 2)])
            search_rebuild.finish(index)
            search_index.write([(video("later", "Later", None), 1)])
    finally:
        proxy.close()
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}
    assert search_index.fingerprints(["later"])


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


def test_a_rebuild_that_ends_between_two_writes_has_both(monkeypatch: pytest.MonkeyPatch) -> None:
    search_index.write([(ROPES, 1)])
    index = search_rebuild.start()
    send = search_bulk.send

    def then_it_ends(*args: Any, **named: Any) -> Any:
        answer = send(*args, **named)
        if named.get("asking"):
            search_rebuild.finish(index)
        return answer

    monkeypatch.setattr(search_bulk, "send", then_it_ends)
    search_index.write([(NEWER, 2)])
    assert search_index.fingerprints(["ropes"]) == {"ropes": NEWER.fingerprint}


def test_a_finished_rebuild_cannot_be_abandoned() -> None:
    index = search_rebuild.start()
    search_rebuild.write(index, [(ROPES, 1)])
    search_rebuild.finish(index)
    search_rebuild.abandon(index)
    assert search_index.fingerprints(["ropes"]) == {"ropes": ROPES.fingerprint}
