"""kill -9 of each function before and after each of its writes, publishes and answers.

A first job records which boundaries there are (shared/gcp/failpoints.py). Each of them is armed in a later
job on the same stack.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.faults.arming import Failpoints
from tests.invariants import check, ledger
from tests.stack import Stack, StackError

FUNCTIONS = ("index", "planner", "fetcher", "indexer", "dead_letters")
#: Boundaries that the first job must find, by function.
EXPECTED = {
    "index": [
        "create jobs queued + create active_jobs + update starts + set usage",
        "publish playlists",
        "answer",
    ],
    "planner": [
        "update jobs planning",
        "create jobs.ledger pending + set jobs.counters + update jobs",
        "publish videos",
        "update jobs + create users.memberships",
        "update jobs + update users.memberships",
        "index library",
        "update jobs running",
        "ack",
    ],
    "fetcher": [
        "create transcripts",
        "update jobs.ledger",
        "update transcripts",
        "update transcripts + set passages_due",
        "update jobs.ledger unavailable + set jobs.counters",
        "publish transcripts",
        "publish dead-letters",
        "ack",
    ],
    "indexer": [
        "index videos",
        "update jobs.ledger indexed + set jobs.counters",
        "update jobs.ledger no_transcript + set jobs.counters",
        "ack",
    ],
    "dead_letters": [
        "set rejections",
        "update jobs.ledger",
        "publish videos",
        "update jobs.ledger failed + set jobs.counters",
        "ack",
    ],
}
#: Boundaries of the embedder. It waits for the jobs, so it may reach them until the end of the test.
EMBEDDER = ["create models.passages", "index videos", "delete passages_due", "ack"]
#: Jobs in which a boundary may be armed. In a job it may not be reached, because another process was first.
_TRIES = 4
#: Boundaries of each function that are armed in one job.
_DEATHS = 6
#: The claim of a dead process ends after 45 seconds, and Pub/Sub waits up to a minute between deliveries.
_END_SECONDS = 180


@pytest.fixture
def failpoints(stack: Stack) -> Iterator[Failpoints]:
    stack.fake_youtube.reset("stats", "faults", "latency")
    made = Failpoints(stack, *FUNCTIONS)
    yield made
    made.disarm()
    stack.fake_youtube.reset("faults", "latency")


class _Playlist:
    """Five videos, with every outcome.

    ``well`` has captions. ``late`` has captions, after one failed attempt. ``mute`` has none. ``gone`` is
    unavailable. ``dead`` is settled by dead letters only, because YouTube's answers cannot be read.
    """

    def __init__(self, stack: Stack, number: int) -> None:
        self.stack = stack
        self.id = f"PLboundary{number:03d}"
        spoken = [{"language": "en", "kind": "human", "lines": [[0.0, 3.0, "a boundary was passed"]]}]
        kinds: dict[str, dict[str, Any]] = {
            "well": {"tracks": spoken},
            "late": {"tracks": spoken},
            "mute": {"status": "nocaptions"},
            "gone": {"status": "unavailable"},
            "dead": {"tracks": spoken},
        }
        self.videos = {kind: f"{kind}bnd{number:04d}" for kind in kinds}
        stack.fake_youtube.define(
            videos=[{"id": self.videos[kind], "title": kind, **fields} for kind, fields in kinds.items()],
            playlists=[{"id": self.id, "title": self.id, "videos": list(self.videos.values())}],
        )
        stack.fake_youtube.fault("5xx", videos=[self.videos["late"]], endpoints=["player"], times=1)
        stack.fake_youtube.fault("garbage", videos=[self.videos["dead"]], endpoints=["player"])

    def start(self) -> str:
        """Starts a job, and tries again while there is no answer, as a person does. Returns its id."""

        def started() -> str:
            try:
                return self.stack.index(self.id)
            except StackError:
                # The function has died, and the gateway answers 502.
                return ""

        return self.stack.wait_for(started, 30, "a job is started")

    def bury(self, job_id: str) -> None:
        """Publishes a message that cannot be read, and dead letters of the video ``dead``."""
        self.stack.publish("videos", b"this cannot be read")
        self.stack.wait_for(
            lambda: self.videos["dead"] in ledger(self.stack, job_id), 60, "the video is listed"
        )
        # The first ones send the video again, until enough attempts have failed. These are more than enough,
        # because after a few more attempts the fetcher settles the video itself.
        for _ in range(12):
            self.stack.publish("dead-letters", {"job_id": job_id, "video_id": self.videos["dead"]})


@pytest.mark.timeout(600)
def test_a_job_ends_the_same_wherever_functions_die(stack: Stack, failpoints: Failpoints) -> None:
    # The first start of a user makes a document that later starts change.
    stack.finish(stack.index("PLgen-1-boundaries-short"))
    embedder = Failpoints(stack, "embedder")
    for name in EMBEDDER:
        embedder.arm("embedder", f"before {name}")
        embedder.arm("embedder", f"after {name}")
    failpoints.record()
    rehearsal = _Playlist(stack, 0)
    jobs = {rehearsal.start(): rehearsal}
    rehearsal.bury(next(iter(jobs)))
    stack.finish(next(iter(jobs)))
    recorded = failpoints.recorded()
    for function, names in EXPECTED.items():
        for name in names:
            assert {f"before {name}", f"after {name}"} <= set(recorded[function]), (function, name)

    required = {
        (each, f"{when} {name}")
        for each, names in EXPECTED.items()
        for name in names
        for when in ("before", "after")
    }
    waiting = {function: deque(names) for function, names in recorded.items()}
    died: set[tuple[str, str]] = set()
    tries: dict[tuple[str, str], int] = {}
    while any(waiting.values()):
        playlist = _Playlist(stack, len(jobs))
        armed = [
            (name, left.popleft()) for name, left in waiting.items() for _ in range(min(_DEATHS, len(left)))
        ]
        for function, boundary in armed:
            failpoints.arm(function, boundary)
        job_id = playlist.start()
        jobs[job_id] = playlist
        playlist.bury(job_id)

        def over(job_id: str = job_id) -> bool:
            return not any(map(failpoints.armed, FUNCTIONS)) or stack.job(job_id)["state"] == "done"

        stack.wait_for(over, _END_SECONDS, f"all functions died or the job is over; armed: {armed}")
        for function, boundary in armed:
            if boundary not in failpoints.armed(function):
                died.add((function, boundary))
            elif (count := tries.get((function, boundary), 0) + 1) < _TRIES:
                tries[function, boundary] = count
                waiting[function].append(boundary)
        failpoints.disarm()
    assert required <= died

    for job_id, playlist in jobs.items():
        stack.finish(job_id, timeout=120)
        check(stack, job_id, playlist.videos.values())
        failed = ledger(stack, job_id, state="failed")
        assert failed.keys() <= {playlist.videos["dead"]}, failed

    def embedded() -> bool:
        listed = stack.get("/api/playlists").json()["playlists"]
        ours = [each["indexed"]["by_meaning"] for each in listed if each["title"].startswith("PLboundary")]
        return not embedder.armed("embedder") and all(each and each["videos"] == each["of"] for each in ours)

    stack.wait_for(
        embedded, _END_SECONDS, "the embedder died everywhere, and all videos are found by meaning"
    )
    times = stack.fake_youtube.stats()["videos"]
    asked = [
        times.get(video_id, {}).get("player", 0)
        for playlist in jobs.values()
        for kind, video_id in playlist.videos.items()
        if kind != "dead"
    ]
    # One of the four videos is asked for twice. A fetcher that dies has asked for at most these four in vain.
    assert sum(asked) <= len(jobs) * (4 + 1) + 4 * sum(function == "fetcher" for function, _ in died)
    assert requests.get(f"{stack.url}/api/health", timeout=30).status_code == 200
