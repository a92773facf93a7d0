"""The real Firestore emulator alone, and the seams beside it: Pub/Sub and Elasticsearch that remember."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import requests

from infra.local.ports import free_ports
from infra.local.servers.emulators import firestore
from infra.local.standin.inprocess import InProcess
from infra.local.state_dir import StateDir
from shared import (
    clients,
    clock,
    config,
    dead_letters,
    documents,
    fetcher,
    indexer,
    jobs,
    ledger,
    planner,
    search_index,
    store,
    sweep,
    topics,
)
from shared.captions import Fetched, Refused
from shared.documents import Commit, retried
from shared.errors import Transient
from shared.events import Delivery
from shared.jobs import Job
from shared.ledger import Counts, Entry, NewEntry, State
from shared.messages import Message, PlaylistMessage, VideoMessage
from shared.search_documents import VideoDocument
from shared.transcripts import Lines, Transcript
from tests.integration.delivery_support import wait_until

T = TypeVar("T")
PROJECT = "yts-test"
#: A delivery of which nothing matters, and a transcript.
DELIVERY = Delivery("1", b"", {}, None)
SPOKEN = Transcript("en", "English", False, Lines([0], [3500], ["what is said"]))


class FirestoreEmulator:
    """Raises Missing when there is none to start."""

    def __init__(self, directory: Path) -> None:
        port = free_ports(1)[0]
        self.address = f"127.0.0.1:{port}"
        launch = firestore(os.environ, StateDir(directory), port, None, lambda text: None)
        self._log = directory / "firestore.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                launch.argv, env=dict(launch.environment), stdout=log, stderr=subprocess.STDOUT
            )

    def wait(self) -> None:
        wait_until(self._answers, 60)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return requests.get(f"http://{self.address}/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)


@dataclass
class Seams:
    """What would have gone to Pub/Sub and Elasticsearch. ``broken``: names of what does not answer."""

    published: list[tuple[str, Message]] = field(default_factory=list)
    written: dict[str, VideoDocument] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    libraries: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    broken: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(topics, "publish", self._publish)
        patch.setattr(search_index, "write", self._write)
        patch.setattr(search_index, "refresh", lambda: self._called("refresh"))
        patch.setattr(search_index, "fingerprints", self._fingerprints)
        patch.setattr(search_index, "write_library", self._write_library)
        patch.setattr(search_index, "delete_library", self._delete_library)
        patch.setattr(
            search_index,
            "libraries_of",
            lambda user: [each for whose, each in self.libraries if whose == user],
        )

    def _called(self, name: str) -> None:
        with self._lock:
            self.calls[name] += 1
        if name in self.broken:
            raise Transient(f"{name} does not answer.")

    def _publish(self, topic: str, messages: Sequence[Message]) -> None:
        self._called("publish")
        with self._lock:
            self.published += [(topic, message) for message in messages]

    def _write(self, found: Sequence[tuple[VideoDocument, int]]) -> None:
        self._called("write")
        with self._lock:
            self.written |= {document.video_id: document for document, _ in found}

    def _fingerprints(self, video_ids: Sequence[str]) -> dict[str, str]:
        self._called("fingerprints")
        return {each: self.fingerprints[each] for each in video_ids if each in self.fingerprints}

    def _write_library(self, user: str, playlist: str, video_ids: Sequence[str], version: int) -> None:
        self._called("write_library")
        with self._lock:
            self.libraries[user, playlist] = tuple(video_ids)

    def _delete_library(self, user: str, playlist: str, version: int) -> None:
        self._called("delete_library")
        with self._lock:
            self.libraries.pop((user, playlist), None)

    def videos(self, topic: str = "videos") -> list[str]:
        """Video ids published on a topic, in order."""
        return [
            message.video_id
            for each, message in self.published
            if each == topic and isinstance(message, VideoMessage)
        ]

    def playlists(self) -> int:
        return sum(topic == "playlists" for topic, _ in self.published)

    def forget(self) -> None:
        self.published.clear()
        self.calls.clear()


class Clock:
    """The time of shared.clock, moved by hand; it goes on by itself from there."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._now = clock.now

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(clock, "now", self)

    def __call__(self) -> datetime:
        return self._now() + self.ahead

    def forward(self, **amount: float) -> None:
        self.ahead += timedelta(**amount)


def ids(count: int, prefix: str = "video") -> list[str]:
    return [f"{prefix}-{number:05}" for number in range(count)]


def new_job(user: str | None = None, playlist: str | None = None) -> Job:
    """Queued; of a user and a playlist of its own unless told."""
    job, new = jobs.start(user or f"user-{uuid4().hex[:8]}", playlist or f"PL{uuid4().hex[:12]}")
    assert new
    return job


def enter(job: Job, entries: Sequence[NewEntry]) -> None:
    """As the planner does."""

    def attempt() -> None:
        now = jobs.read(job.job_id)
        assert now is not None
        commit = Commit()
        ledger.add(commit, job.job_id, now.shards, entries)
        listed = {"listed": now.listed + len(entries)}
        commit.update(jobs.path(job.job_id), listed, unchanged_since=now.update_time).run()

    retried(attempt)


def described(video_id: str) -> store.Metadata:
    return store.Metadata(
        video_id, f"Title of {video_id}", "", "A channel", "UCx", None, 60, 1, None, clock.now()
    )


def running(video_ids: Sequence[str], *, expected: int | None = None) -> Job:
    """A job that runs, with these videos listed and pending."""
    job = jobs.begin_planning(new_job(), "A playlist", len(video_ids) if expected is None else expected)
    for start in range(0, len(video_ids), 50):
        page = video_ids[start : start + 50]
        commit = Commit()
        for each in page:
            store.put_metadata(commit, described(each))
        commit.run()
        enter(job, [NewEntry(each, f"Title of {each}", start + n) for n, each in enumerate(page)])
    jobs.seal(job.job_id)
    return job_of(job.job_id)


def job_of(job_id: str) -> Job:
    job = jobs.read(job_id)
    assert job is not None
    return job


def entries_of(job_id: str) -> dict[str, Entry]:
    return {entry.video_id: entry for entry in ledger.entries(job_id, None)}


def check(job_id: str) -> Counts:
    """The invariant: counters say what the ledger says, and sum to what was listed."""
    job = job_of(job_id)
    counts, entries = ledger.counts(job_id, job.shards), entries_of(job_id)
    states = Counter(entry.state for entry in entries.values())
    assert dict(counts.states) == {state: states[state] for state in ledger.STATES}
    assert sum(counts.states.values()) == len(entries) == job.listed
    assert job.total in (None, job.listed)
    if job.state == "done":
        assert counts.states["pending"] == 0
    return counts


def at_once(calls: Sequence[Callable[[], T]], threads: int = 16) -> list[T]:
    """Runs all, begun together; their answers, or the first error."""
    begin = threading.Barrier(min(threads, len(calls)))

    def run(number: int, call: Callable[[], T]) -> T:
        if number < begin.parties:
            begin.wait(30)
        try:
            return call()
        finally:
            clients.close_of_thread()

    with ThreadPoolExecutor(begin.parties) as pool:
        futures = [pool.submit(run, number, call) for number, call in enumerate(calls)]
        return [future.result() for future in futures]


def plan(job: Job) -> None:
    planner.plan(PlaylistMessage(job.playlist_id, job.job_id, job.user_id), DELIVERY)


def fetch(job: Job, video_id: str, **seam: Any) -> None:
    fetcher.fetch(VideoMessage(job.job_id, video_id), DELIVERY, **seam)


def index(job: Job, video_id: str) -> None:
    indexer.index(VideoMessage(job.job_id, video_id), DELIVERY)


def define(youtube: InProcess, playlist_id: str, videos: list[Any], **fields: Any) -> None:
    """The playlist, and the videos of it that are given by id alone."""
    known = [{"id": each} for each in videos if isinstance(each, str)]
    unique = list({each["id"]: each for each in known}.values())
    wanted = {"id": playlist_id, "videos": videos, **fields}
    youtube.control("playlists", {"videos": unique, "playlists": [wanted]})


def fresh_ids(count: int) -> list[str]:
    """Of videos that no other test has met: the store is shared by all."""
    return [uuid4().hex[:11] for _ in range(count)]


def refusing(error: Any, spent: int = 100) -> Any:
    def ask(video_id: str) -> Fetched:
        raise Refused(error, spent)

    return ask


def sweep_one(job: Job, **how: bool) -> sweep.Swept:
    """A sweep that sees no other test's jobs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "active", lambda *_: [each for each in [job_of(job.job_id)] if each.active])
        return sweep.run(**how)


def stalled() -> timedelta:
    return timedelta(seconds=config.load().stalled_after_seconds)


def settle(job: Job, video_id: str, state: State, *, spent: int = 0, of_round: int | None = None) -> None:
    """As a function does: reads the entry, decides, settles; "is it pending?" is asked again below."""
    entry = ledger.entry_of(documents.read(ledger.entry_path(job.job_id, video_id))[0])
    assert entry is not None
    jobs.settle(
        job,
        entry,
        state,
        reason=f"was {state}",
        reused=state == "no_transcript",
        youtube_bytes=spent,
        of_round=of_round,
    )


def worn_out(job: Job, video_id: str) -> None:
    """As after eight attempts that failed and were noted."""
    path = ledger.entry_path(job.job_id, video_id)
    if documents.read(path)[0].data is not None:
        Commit().update(path, {"attempts": 8}).run()


def dead_letter(job: Job, video_id: str, number: int = 0, *, worn: bool = True) -> None:
    """Of a video whose attempts have all failed, unless told."""
    if worn:
        worn_out(job, video_id)
    attributes = {"CloudPubSubDeadLetterSourceDeliveryCount": "8"}
    dead_letters.settle(
        Delivery(uuid4().hex, VideoMessage(job.job_id, video_id, number).encode(), attributes, None)
    )
