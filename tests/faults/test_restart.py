"""The whole run ends, orderly or not, and comes back: the library is kept, interrupted jobs go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.local.standin import generate
from tests.invariants import asked, check, ids_of, in_elasticsearch
from tests.stack import Stack

KEPT, INTERRUPTED = "PLgen-60-kept-short", "PLgen-200-cut-short"


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    stack = Stack(FETCH_CONCURRENCY="10")
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def _phrase_is_found(stack: Stack, video_id: str) -> bool:
    return bool(stack.search(f'"{generate.phrase_of(video_id).text}"')["total"] == 1)


@pytest.mark.timeout(300)
def test_down_and_up_keep_the_library(own_stack: Stack) -> None:
    expected = ids_of(KEPT)
    job_id = own_stack.index(KEPT)
    own_stack.finish(job_id)
    own_stack.down()
    own_stack.start()
    check(own_stack, job_id, expected)
    assert all(_phrase_is_found(own_stack, video_id) for video_id in expected[::10])
    again = own_stack.index(KEPT)
    own_stack.finish(again)
    assert check(own_stack, again, expected)["reused"] == 60
    assert set(asked(own_stack, expected).values()) == {0}


@pytest.mark.timeout(300)
def test_after_a_kill_of_everything_the_interrupted_job_goes_on(own_stack: Stack) -> None:
    expected = ids_of(INTERRUPTED)
    own_stack.standin.latency(player=0.3, timedtext=0.3)
    job_id = own_stack.index(INTERRUPTED)

    def in_the_middle() -> bool:
        counts = own_stack.job(job_id)["counts"]
        return bool(counts["indexed"] > 60 and counts["pending"] > 60)

    own_stack.wait_for(in_the_middle, 120, "half of the videos are settled")
    own_stack.crash()
    own_stack.start()
    own_stack.finish(job_id, timeout=150)
    check(own_stack, job_id, expected)
    # What was saved before the crash is not fetched again.
    assert sum(asked(own_stack, expected).values()) < len(expected)
    assert all(_phrase_is_found(own_stack, video_id) for video_id in ids_of(KEPT)[::10])


@pytest.mark.timeout(300)
def test_reindexing_while_searches_go_on(own_stack: Stack) -> None:
    kept, cut = ids_of(KEPT), ids_of(INTERRUPTED)
    over = threading.Event()
    troubles: list[Any] = []

    def search_all_the_time() -> None:
        number = 0
        while not over.is_set():
            video_id = (kept + cut)[number % 260]
            answer = own_stack.get("/api/search", params={"q": f'"{generate.phrase_of(video_id).text}"'})
            if answer.status_code != 200 or answer.json()["total"] != 1:
                troubles.append((video_id, answer.status_code, answer.text[:300]))
            number += 1
        troubles.extend([] if number else ["no search was made"])

    searcher = threading.Thread(target=search_all_the_time)
    searcher.start()
    try:
        for _ in range(3):
            said = own_stack.command("reindex").stdout
            assert "260" in said
    finally:
        over.set()
        searcher.join()
    assert troubles == []
    assert in_elasticsearch(own_stack, kept + cut) == set(kept + cut)


@pytest.mark.timeout(300)
def test_an_index_lost_whole_is_rebuilt_from_the_store(own_stack: Stack) -> None:
    expected = ids_of(KEPT)
    indices = requests.get(f"{own_stack.elasticsearch}/yts-*", timeout=30).json()
    assert any(name.startswith("yts-videos-") for name in indices)
    for index in indices:
        requests.delete(f"{own_stack.elasticsearch}/{index}", timeout=30).raise_for_status()
    assert not _phrase_is_found(own_stack, expected[0])
    own_stack.standin.reset("stats")
    own_stack.command("reindex")
    assert all(_phrase_is_found(own_stack, video_id) for video_id in expected)
    assert set(asked(own_stack, expected).values()) == {0}


def test_two_runs_side_by_side_do_not_meet(own_stack: Stack, stack: Stack) -> None:
    assert own_stack.port != stack.port
    job_id = stack.index("PLgen-2-apart-short", "neighbour")
    stack.finish(job_id, "neighbour")
    assert own_stack.get(f"/api/jobs/{job_id}", "neighbour").status_code == 404
