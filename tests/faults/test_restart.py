"""Components and whole runs are stopped or killed, and start again: the library is kept, and jobs go on.

The tests share one run of their own, and start it again when a test has ended it.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import requests

from infra.local import persistence
from infra.local.fake_youtube.library import generate
from infra.local.supervisor import processes
from infra.pipeline import load_pipeline
from shared.config import Config
from tests.foreground import in_the_foreground, is_gone
from tests.invariants import asked, check, ids_of, in_elasticsearch
from tests.stack import Stack

_KEPT, _INTERRUPTED = "PLgen-60-kept-short", "PLgen-200-cut-short"
_AT_ONCE = 10
#: Components that are killed together: servers, and everything of ours. test_crashes.py kills Elasticsearch.
_SERVERS = ("pubsub", "youtube")
_OURS = (
    *(
        "planner",
        "index",
        "jobs",
        "indexer",
        "embedder",
        "fetcher",
        "dead_letters",
        "sweep",
        "search",
        "account",
    ),
    *("delivery", "gateway"),
)


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    stack = Stack(FETCH_CONCURRENCY=str(_AT_ONCE), EMBEDDER="off")
    try:
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def running(own_stack: Stack) -> Stack:
    """The run, which is up and has indexed a playlist."""
    if own_stack.supervisor() is None:
        own_stack.start()
        own_stack.finish(own_stack.index(_KEPT))
    own_stack.fake_youtube.reset("stats", "latency", "faults")
    return own_stack


def _last_export(stack: Stack) -> int:
    """When the latest export began, in nanoseconds since 1970; 0 if there is none."""
    try:
        latest = (stack.state.data / "firestore" / "latest").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0
    return int(latest.removeprefix("export-"))


def _phrase_is_found(stack: Stack, video_id: str) -> bool:
    return bool(stack.search(f'"{generate.phrase_of(video_id).text}"')["total"] == 1)


# -- whole runs --------------------------------------------------------------------------------------


@pytest.mark.timeout(400)
def test_ctrl_c_leaves_no_process_behind_and_keeps_the_library(own_stack: Stack) -> None:
    with in_the_foreground(own_stack) as (process, output):
        assert re.search(rf"http://localhost:{own_stack.port}/#token=yts_", output)
        job_id = own_stack.index(_KEPT)
        own_stack.finish(job_id)
        supervisor = own_stack.supervisor()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 0
    assert is_gone(own_stack)
    assert supervisor is not None
    assert not psutil.pid_exists(supervisor)
    assert list((own_stack.state.data / "firestore").glob("export-*/*.overall_export_metadata"))
    assert own_stack.command("status", check=False).returncode == 3

    own_stack.start()
    expected = ids_of(_KEPT)
    check(own_stack, job_id, expected)
    assert all(_phrase_is_found(own_stack, video_id) for video_id in expected[::10])
    picture = own_stack.search("")["hits"][0]["thumbnail_url"]
    assert requests.get(picture, timeout=30).status_code == 200, "its address is still valid"
    again = own_stack.index(_KEPT)
    own_stack.finish(again)
    assert check(own_stack, again, expected)["reused"] == 60
    assert set(asked(own_stack, expected).values()) == {0}


@pytest.mark.timeout(300)
def test_an_interrupted_job_goes_on_after_all_processes_were_killed(running: Stack) -> None:
    expected = ids_of(_INTERRUPTED)
    running.fake_youtube.latency(player=0.4, timedtext=0.4)
    job_id = running.index(_INTERRUPTED)
    running.wait_for(lambda: running.job(job_id)["counts"]["indexed"] > 20, 120, "the job is under way")
    # So slow that most videos are left when the library is saved. The crash ends this, too.
    running.fake_youtube.latency(player=3, timedtext=3)
    now = time.time_ns()
    running.wait_for(lambda: _last_export(running) > now, 60, "the library is saved")
    assert running.job(job_id)["counts"]["pending"] > 20
    running.crash()
    running.start()
    running.finish(job_id, timeout=150)
    check(running, job_id, expected)
    # Transcripts that were saved before the crash are not fetched again.
    assert sum(asked(running, expected).values()) < len(expected)
    assert all(_phrase_is_found(running, video_id) for video_id in ids_of(_KEPT)[::10])


def _messages_of_a_fetcher(stack: Stack) -> int:
    """The number of messages that the fetcher has at the same time."""
    pipeline = load_pipeline(Config.from_env(stack.environment))
    (fetcher,) = (each for each in pipeline.subscriptions if each.name == "fetcher")
    return fetcher.local_concurrency


# -- components --------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_a_job_goes_on_after_all_functions_were_killed_and_then_the_servers(running: Stack) -> None:
    running.fake_youtube.latency(player=0.2, timedtext=0.2)
    expected = ids_of("PLgen-150-kills-short")
    before = running.components()
    job_id = running.index("PLgen-150-kills-short")
    running.wait_for(lambda: running.job(job_id)["counts"]["indexed"] >= 15, 120, "15 videos are indexed")
    now = running.wait_until_back({name: running.kill(name) for name in _OURS})
    running.finish(job_id, timeout=200)
    check(running, job_id, expected)
    times = asked(running, expected)
    assert min(times.values()) == 1
    # YouTube is asked again about the videos that the dead fetcher was handling.
    assert sum(times.values()) <= len(expected) + _messages_of_a_fetcher(running)
    now |= running.wait_until_back({name: running.kill(name) for name in _SERVERS})
    assert {name: now[name]["port"] for name in now} == {name: before[name]["port"] for name in now}
    job = running.finish(running.index("PLgen-1-servers-short"))
    assert job["counts"]["indexed"] == 1


@pytest.mark.timeout(300)
def test_a_crash_of_firestore_loses_less_than_a_minute(running: Stack) -> None:
    kept = running.index("PLgen-3-saved-short", "keeper")
    running.finish(kept, "keeper")
    finished = time.time_ns()
    running.wait_for(lambda: _last_export(running) > finished, 60, "the library is saved")
    running.wait_until_back({"firestore": running.kill("firestore")})
    assert running.job(kept, "keeper")["state"] == "done"
    again = running.finish(running.index("PLgen-3-saved-short", "keeper"), "keeper")
    assert again["reused"] == 3


@pytest.mark.timeout(300)
def test_the_library_is_saved_only_after_a_change(running: Stack) -> None:
    soon = 4 * persistence.EVERY_SECONDS
    idle_ns = int(2 * persistence.EVERY_SECONDS * 1e9)
    running.wait_for(
        lambda: time.time_ns() - _last_export(running) > idle_ns, 120, "an idle run saves nothing"
    )
    now = time.time_ns()
    running.token("somebody-new")
    running.wait_for(lambda: _last_export(running) > now, soon, "the change of a person is saved")


@pytest.mark.timeout(300)
def test_searches_find_everything_while_the_index_is_rebuilt(running: Stack) -> None:
    kept = ids_of(_KEPT)
    over = threading.Event()
    troubles: list[Any] = []

    def search_all_the_time() -> None:
        number = 0
        while not over.is_set():
            video_id = kept[number % len(kept)]
            answer = running.get("/api/search", params={"q": f'"{generate.phrase_of(video_id).text}"'})
            if answer.status_code != 200 or answer.json()["total"] != 1:
                troubles.append((video_id, answer.status_code, answer.text[:300]))
            number += 1
        troubles.extend([] if number else ["no search was made"])

    searcher = threading.Thread(target=search_all_the_time)
    searcher.start()
    try:
        for _ in range(2):
            assert re.search(r"\d{2,} videos", running.command("reindex").stdout)
    finally:
        over.set()
        searcher.join()
    assert troubles == []
    assert in_elasticsearch(running, kept) == set(kept)


@pytest.mark.timeout(300)
def test_a_lost_index_is_rebuilt_from_the_store(running: Stack) -> None:
    expected = ids_of(_KEPT)
    indices = requests.get(f"{running.elasticsearch}/yts-*", timeout=30).json()
    assert any(name.startswith("yts-videos-") for name in indices)
    for index in indices:
        requests.delete(f"{running.elasticsearch}/{index}", timeout=30).raise_for_status()
    assert not _phrase_is_found(running, expected[0])
    running.command("reindex")
    assert all(_phrase_is_found(running, video_id) for video_id in expected[::3])
    assert in_elasticsearch(running, expected) == set(expected)
    assert set(asked(running, expected).values()) == {0}


def test_two_runs_do_not_share_users_or_jobs(running: Stack, stack: Stack) -> None:
    assert running.port != stack.port
    job_id = stack.index("PLgen-2-apart-short", "neighbour")
    stack.finish(job_id, "neighbour")
    assert running.get(f"/api/jobs/{job_id}", "neighbour").status_code == 404


# -- processes that are left behind ------------------------------------------------------------------


@pytest.mark.timeout(400)
def test_down_stops_the_processes_of_a_killed_supervisor_and_no_others(running: Stack) -> None:
    supervisor = running.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    running.wait_for(lambda: not psutil.pid_exists(supervisor), 30, "the supervisor is gone")
    # The system may have given the dead supervisor's process id to another process.
    running.state.pid_file.write_text(f"{os.getpid()}\n")
    assert len(processes.marked(running.state)) > 12
    assert "Stopped" in running.command("down").stdout
    assert is_gone(running)
