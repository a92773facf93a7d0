"""Components and whole runs end, orderly or not, and come back: the library is kept, jobs go on.

One run of its own, killed and started again from test to test.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from infra.local import processes
from infra.local.ports import port_is_free
from infra.local.standin import generate
from infra.local.state_dir import ROOT
from infra.pipeline import load_pipeline
from shared.config import Config
from tests.invariants import asked, check, ids_of, in_elasticsearch
from tests.stack import Stack

KEPT, INTERRUPTED = "PLgen-60-kept-short", "PLgen-200-cut-short"
_AT_ONCE = 10
_SERVERS = ("pubsub", "elasticsearch", "youtube")
_FIRST = (
    *("planner", "index", "jobs", "indexer", "fetcher", "dead_letters", "sweep", "search", "account"),
    *("delivery", "gateway"),
)


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    stack = Stack(FETCH_CONCURRENCY=str(_AT_ONCE))
    try:
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def running(own_stack: Stack) -> Stack:
    """Up, with the library in it."""
    if own_stack.supervisor() is None:
        own_stack.start()
        own_stack.finish(own_stack.index(KEPT))
    own_stack.standin.reset("stats", "latency", "faults")
    return own_stack


@contextmanager
def _in_the_foreground(stack: Stack) -> Iterator[subprocess.Popen[str]]:
    """`up` without --detach."""
    command = [str(ROOT / "emulators.sh"), "up", "--no-sample"]
    with subprocess.Popen(
        command, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"expected {text!r}, found {said}")


def _gone(stack: Stack) -> bool:
    return not processes.marked(stack.state) and port_is_free(stack.port)


def _phrase_is_found(stack: Stack, video_id: str) -> bool:
    return bool(stack.search(f'"{generate.phrase_of(video_id).text}"')["total"] == 1)


# -- whole runs ------------------------------------------------------------------------------------


@pytest.mark.timeout(400)
def test_ctrl_c_leaves_nothing_behind_and_the_library_is_kept(own_stack: Stack) -> None:
    with _in_the_foreground(own_stack) as process:
        said = _read_until(process, "Ctrl-C stops it")
        assert re.search(rf"http://localhost:{own_stack.port}/#token=yts_", said)
        job_id = own_stack.index(KEPT)
        own_stack.finish(job_id)
        supervisor = own_stack.supervisor()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 0
    assert _gone(own_stack)
    assert supervisor is not None
    assert not psutil.pid_exists(supervisor)
    assert list((own_stack.state.data / "firestore").glob("export-*/*.overall_export_metadata"))
    assert own_stack.command("status", check=False).returncode == 3

    own_stack.start()
    expected = ids_of(KEPT)
    check(own_stack, job_id, expected)
    assert all(_phrase_is_found(own_stack, video_id) for video_id in expected[::10])
    picture = own_stack.search("")["hits"][0]["thumbnail_url"]
    assert requests.get(picture, timeout=30).status_code == 200, "its address is that of before"
    again = own_stack.index(KEPT)
    own_stack.finish(again)
    assert check(own_stack, again, expected)["reused"] == 60
    assert set(asked(own_stack, expected).values()) == {0}


@pytest.mark.timeout(300)
def test_after_a_kill_of_everything_the_interrupted_job_goes_on(running: Stack) -> None:
    expected = ids_of(INTERRUPTED)
    running.standin.latency(player=0.3, timedtext=0.3)
    job_id = running.index(INTERRUPTED)

    def in_the_middle() -> bool:
        counts = running.job(job_id)["counts"]
        return bool(counts["indexed"] > 60 and counts["pending"] > 60)

    running.wait_for(in_the_middle, 120, "half of the videos are settled")
    running.crash()
    running.start()
    running.finish(job_id, timeout=150)
    check(running, job_id, expected)
    # What was saved before the crash is not fetched again.
    assert sum(asked(running, expected).values()) < len(expected)
    assert all(_phrase_is_found(running, video_id) for video_id in ids_of(KEPT)[::10])


def _given_to_a_fetcher(stack: Stack) -> int:
    pipeline = load_pipeline(Config.from_env(stack.environment))
    (fetcher,) = (each for each in pipeline.subscriptions if each.name == "fetcher")
    return fetcher.local_concurrency


# -- components ------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_everything_but_the_servers_killed_in_the_middle_of_a_job(running: Stack) -> None:
    running.standin.latency(player=0.2, timedtext=0.2)
    expected = ids_of("PLgen-150-kills-short")
    before = running.components()
    job_id = running.index("PLgen-150-kills-short")
    running.wait_for(lambda: running.job(job_id)["counts"]["indexed"] >= 15, 120, "it is under way")
    now = running.wait_until_back({name: running.kill(name) for name in _FIRST})
    running.finish(job_id, timeout=200)
    check(running, job_id, expected)
    times = asked(running, expected)
    assert min(times.values()) == 1
    # Asked for again: what the dead fetcher had been given, at YouTube or just being stored.
    assert sum(times.values()) <= len(expected) + _given_to_a_fetcher(running)
    now |= running.wait_until_back({name: running.kill(name) for name in _SERVERS})
    assert {name: now[name]["port"] for name in now} == {name: before[name]["port"] for name in now}
    job = running.finish(running.index("PLgen-1-servers-short"))
    assert job["counts"]["indexed"] == 1


def _exports(stack: Stack) -> tuple[str, int]:
    """Which export is the latest; and a number that every export changes, also one that is thrown away."""
    directory: Path = stack.state.data / "firestore"
    latest = directory / "latest"
    return latest.read_text() if latest.exists() else "", directory.stat().st_mtime_ns


@pytest.mark.timeout(400)
def test_a_crash_of_firestore_loses_less_than_a_minute(running: Stack) -> None:
    kept = running.index("PLgen-3-saved-short", "keeper")
    running.finish(kept, "keeper")
    # An export is named after the moment in which it began; it is kept because this changes something.
    finished = time.time_ns()
    running.state.changes.unlink()
    running.token("keeper-too")
    # The gateway tells that somebody did something; what follows is in tests/unit/test_local_autosave.py.
    running.wait_for(running.state.changes.exists, 20, "the gateway leaves a trace")
    running.wait_for(
        lambda: int(_exports(running)[0].rpartition("-")[2] or 0) > finished, 60, "the library is saved"
    )
    saved, _ = _exports(running)
    running.wait_until_back({"firestore": running.kill("firestore")})
    assert running.job(kept, "keeper")["state"] == "done"
    again = running.finish(running.index("PLgen-3-saved-short", "keeper"), "keeper")
    assert again["reused"] == 3
    # It goes on being saved, from what it was.
    running.wait_for(lambda: _exports(running)[0] != saved, 60, "the library is saved again")


@pytest.mark.timeout(300)
def test_what_nobody_changes_is_not_written_again(running: Stack) -> None:
    seen: list[tuple[str, int]] = [_exports(running)]

    def exported_in_vain() -> bool:
        if (now := _exports(running)) != seen[-1]:
            seen.append(now)
        # An export is begun and thrown away: two changes of the directory, none of the latest.
        latest = [each for each, _ in seen[-4:]]
        return len(latest) == 4 and len(set(latest)) == 1

    running.wait_for(exported_in_vain, 200, "an idle run saves nothing", 0.02)


@pytest.mark.timeout(300)
def test_reindexing_while_searches_go_on(running: Stack) -> None:
    kept = ids_of(KEPT)
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
def test_an_index_lost_whole_is_rebuilt_from_the_store(running: Stack) -> None:
    expected = ids_of(KEPT)
    indices = requests.get(f"{running.elasticsearch}/yts-*", timeout=30).json()
    assert any(name.startswith("yts-videos-") for name in indices)
    for index in indices:
        requests.delete(f"{running.elasticsearch}/{index}", timeout=30).raise_for_status()
    assert not _phrase_is_found(running, expected[0])
    running.command("reindex")
    assert all(_phrase_is_found(running, video_id) for video_id in expected[::3])
    assert in_elasticsearch(running, expected) == set(expected)
    assert set(asked(running, expected).values()) == {0}


def test_two_runs_side_by_side_do_not_meet(running: Stack, stack: Stack) -> None:
    assert running.port != stack.port
    job_id = stack.index("PLgen-2-apart-short", "neighbour")
    stack.finish(job_id, "neighbour")
    assert running.get(f"/api/jobs/{job_id}", "neighbour").status_code == 404


# -- what is left behind ---------------------------------------------------------------------------


@pytest.mark.timeout(400)
def test_what_a_killed_supervisor_left_is_stopped_by_down_and_nothing_else(running: Stack) -> None:
    supervisor = running.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    running.wait_for(lambda: not psutil.pid_exists(supervisor), 10, "it is gone")
    # A pid that the dead supervisor's file names now, and that is somebody else's.
    running.state.pid_file.write_text(f"{os.getpid()}\n")
    assert len(processes.marked(running.state)) > 12
    assert "Stopped" in running.command("down").stdout
    assert _gone(running)


@pytest.mark.timeout(400)
def test_a_foreground_run_goes_with_its_terminal(own_stack: Stack) -> None:
    with _in_the_foreground(own_stack) as process:
        _read_until(process, "up port")
        process.kill()
        own_stack.wait_for(lambda: _gone(own_stack), 60, "nothing of the run is left")
