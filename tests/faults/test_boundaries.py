"""kill -9 of each function before its first write, and after each of its writes, publishes and answers.

A death before a later write leaves the same behind as a death after the write that precedes it.
test_random.py kills at these boundaries, too.

A first job records which boundaries there are (shared/gcp/failpoints.py). Each of them is armed in a later
job on the same stack. The jobs overlap.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from time import monotonic
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
_TRIES = 6
#: Boundaries of each function that are armed at the same time. Pub/Sub waits twice as long after each failed
#: delivery of a message, so a few more jobs take less time than a few more deaths in each job.
_DEATHS = 3
#: A video may wait for the end of a dead process's claim, 45 seconds. The next job starts earlier.
_QUIET_SECONDS = 8
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

        return self.stack.wait_for(started, 60, "a job is started")

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


class _Deaths:
    """Arms the boundaries of all functions, a few at a time."""

    def __init__(self, failpoints: Failpoints, boundaries: dict[str, list[str]]) -> None:
        self._failpoints = failpoints
        self._waiting = {function: deque(names) for function, names in boundaries.items()}
        self._tries: Counter[tuple[str, str]] = Counter()
        self._armed: set[tuple[str, str]] = set()
        self._quiet_since = 0.0
        self.died: set[tuple[str, str]] = set()

    def left(self) -> set[tuple[str, str]]:
        """The armed boundaries that were not reached yet. Notes those that were."""
        left = {(name, each) for name in self._waiting for each in self._failpoints.armed(name)}
        if self._armed - left:
            self.died |= self._armed - left
            self._quiet_since = monotonic()
        self._armed = left
        return left

    def arm(self) -> bool:
        """Arms boundaries for one more job. Returns whether any is armed."""
        again = sorted(each for each in self.left() if self._tries[each] < _TRIES)
        self._failpoints.disarm()
        self._armed = set()
        for function, waiting in self._waiting.items():
            waiting.extend(name for each, name in again if each == function)
            for name in [waiting.popleft() for _ in range(min(_DEATHS, len(waiting)))]:
                self._failpoints.arm(function, name)
                self._armed.add((function, name))
        self._tries.update(self._armed)
        self._quiet_since = monotonic()
        return bool(self._armed)

    def over(self) -> bool:
        """Whether all functions died, or none has died for a while."""
        return not self.left() or monotonic() - self._quiet_since > _QUIET_SECONDS


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
    expected = {
        (function, f"{side} {name}")
        for function, names in EXPECTED.items()
        for name in names
        for side in ("before", "after")
    }

    def lacking() -> list[tuple[str, str]]:
        found = failpoints.recorded()
        return [each for each in expected if each[1] not in found[each[0]]]

    # A job is over a moment before its last deliveries are acknowledged.
    stack.wait_for(lambda: not lacking(), 60, lambda: f"these boundaries are reached: {lacking()}")
    recorded = failpoints.recorded()
    failpoints.end_recording()

    required = {(each, f"after {name}") for each, names in EXPECTED.items() for name in names}
    required |= {(function, names[0]) for function, names in recorded.items()}
    deaths = _Deaths(
        failpoints,
        {
            function: [first, *(name for name in names if name.startswith("after "))]
            for function, (first, *names) in recorded.items()
        },
    )
    while deaths.arm():
        playlist = _Playlist(stack, len(jobs))
        job_id = playlist.start()
        jobs[job_id] = playlist
        playlist.bury(job_id)
        stack.wait_for(deaths.over, _END_SECONDS, lambda: f"functions die; armed: {deaths.left()}")
    died = deaths.died
    assert required <= died, required - died

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
