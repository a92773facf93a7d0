"""The pipeline against the real Firestore emulator, with recorders in place of Pub/Sub and the search index.

def test_something(world: World) -> None:
    job = world.running(["video-1", "video-2"])
    world.fetch(job, "video-1", ask=answering(SPOKEN))
    world.index(job, "video-1")
    assert world.check(job.job_id).states["indexed"] == 1
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from shared import clock
from shared.accounts.dashboard import Dashboard
from shared.config import Config
from shared.gcp.deliveries import Delivery
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.library.memberships import Memberships
from shared.messages import PlaylistMessage, VideoMessage
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.pipeline import job_views, ledger
from shared.pipeline.completion import Completion
from shared.pipeline.dead_letters import DeadLetters
from shared.pipeline.fetcher import PATIENCE, Fetcher
from shared.pipeline.indexer import Indexer
from shared.pipeline.jobs import Job, Jobs, job_path
from shared.pipeline.ledger import STATES, Counts, Entry, Ledger, NewEntry, VideoState, entry_path
from shared.pipeline.planner import MEMBERSHIP_EVERY, Planner
from shared.pipeline.quotas import Quota
from shared.pipeline.removal import Removal
from shared.pipeline.retry import Retry
from shared.pipeline.settlement import Settlement
from shared.pipeline.sweep import Sweep, Swept
from shared.search.index.passage_counts import PassageCounts
from shared.search.index.passages import PassageIndex
from shared.search.server import SearchServer
from shared.transcripts.store import Outcome, Stored, TranscriptStore
from shared.transcripts.transcript import Answer, Lines, Transcript
from shared.transcripts.videos import Metadata, VideoStore
from shared.youtube.captions import Captions
from shared.youtube.data_api import DataApi
from shared.youtube.egress.routing import Routing
from shared.youtube.session import Session
from tests.integration.recorders import RecordingIndex, RecordingTopics

T = TypeVar("T")
#: A delivery of which nothing matters but the message.
DELIVERY = Delivery("1", b"", {}, None)
SPOKEN = Answer("transcript", Transcript("en", "English", False, Lines([0], [3500], ["what is said"])))
#: What a fetcher asks in the place of YouTube: a final answer, or an exception.
Ask = Callable[[str], Answer]


def answering(answer: Answer) -> Ask:
    return lambda video_id: answer


def refusing(error: Exception) -> Ask:
    def ask(video_id: str) -> Answer:
        raise error

    return ask


class _FakeCaptions(Captions):
    """Captions that come from a test. Each attempt counts as one request that received ``spent`` bytes."""

    def __init__(self, ask: Ask, spent: int) -> None:
        super().__init__(Config())
        self._ask = ask
        self._spent = spent

    def fetch(
        self, video_id: str, session: Session, about: Metadata | None = None, *, last: bool = False
    ) -> Answer:
        session.received = self._spent
        return self._ask(video_id)


class World:
    """One process of everything. All state that tests share lies in the emulator."""

    def __init__(self, config: Config, db: Firestore) -> None:
        self.config = config
        self.db = db
        self.topics = RecordingTopics()
        self.search_index = RecordingIndex()
        self.passages = PassageIndex(SearchServer(config))
        self.jobs = Jobs(db)
        self.ledger = Ledger(db)
        self.videos = VideoStore(db)
        self.transcripts = TranscriptStore(db)
        self.memberships = Memberships(db, self.search_index)
        self.retry = Retry(db, self.topics, self.search_index)
        self.completion = Completion(db, self.search_index)
        self.settlement = Settlement(db, self.search_index)
        self.youtube = DataApi(config)
        self.google = Google(config)
        self.grants = Grants(db, self.google, config)
        self.routing = Routing(config, db)

    def close(self) -> None:
        self.youtube.close()
        self.routing.close()

    # -- the steps of a video's way ---------------------------------------------------------------

    def plan(self, job: Job) -> None:
        self.plan_message(PlaylistMessage(job.playlist_id, job.job_id, job.user_id))

    def plan_message(self, message: PlaylistMessage, delivery: Delivery = DELIVERY) -> None:
        self.planner().plan(message, delivery)

    def planner(self, *, membership_every: float = MEMBERSHIP_EVERY) -> Planner:
        return Planner(
            self.config,
            self.db,
            self.topics,
            self.search_index,
            self.youtube,
            self.grants,
            membership_every=membership_every,
        )

    def fetcher(self, ask: Ask | None = None, *, spent: int = 100, patience: float = PATIENCE) -> Fetcher:
        """A fetcher that asks the test, or, without ``ask``, the fake YouTube."""
        captions = _FakeCaptions(ask, spent) if ask else Captions(self.config)
        return Fetcher(self.db, self.topics, self.search_index, captions, self.routing, patience=patience)

    def fetch(
        self,
        job: Job,
        video_id: str,
        ask: Ask | None = None,
        *,
        delivery: Delivery = DELIVERY,
        spent: int = 100,
        patience: float = PATIENCE,
    ) -> None:
        fetcher = self.fetcher(ask, spent=spent, patience=patience)
        fetcher.fetch(VideoMessage(job.job_id, video_id), delivery)

    def index(self, job: Job, video_id: str) -> None:
        Indexer(self.db, self.search_index).index(VideoMessage(job.job_id, video_id), DELIVERY)

    def sweep(self, job: Job, *, messages_lost: bool = False) -> Swept:
        """A sweep that sees no other test's jobs."""
        swept = Swept()
        now = self.job(job.job_id)
        if now.active:
            sweep = Sweep(self.config, self.db, self.topics, self.search_index, self.passages)
            sweep.sweep(now, swept, messages_lost=messages_lost)
        return swept

    def dead_letter(self, job: Job, video_id: str, number: int = 0, *, worn: bool = True) -> None:
        """A dead letter of a video. ``worn``: all of its attempts have failed and were noted."""
        if worn:
            self.wear_out(job, video_id)
        attributes = {"CloudPubSubDeadLetterSourceDeliveryCount": "8"}
        message = VideoMessage(job.job_id, video_id, number)
        self.dead_letters().settle(Delivery(uuid4().hex, message.encode(), attributes, None))

    def dead_letter_of_planning(self, job: Job) -> None:
        """A dead letter of the message with which a job is planned."""
        attributes = {"CloudPubSubDeadLetterSourceDeliveryCount": "8"}
        self.dead_letters().settle(Delivery(uuid4().hex, job.message.encode(), attributes, None))

    def dashboard(self) -> Dashboard:
        counts = PassageCounts(SearchServer(self.config))
        return Dashboard(self.config, self.db, self.search_index, self.grants, self.youtube, counts)

    def dead_letters(self) -> DeadLetters:
        return DeadLetters(self.db, self.topics, self.search_index)

    def remove(self, job: Job) -> None:
        """The user of a job takes its playlist out of the library."""
        Removal(self.db, self.search_index).remove(job.user_id, job.playlist_id)

    # -- what is there ----------------------------------------------------------------------------

    def job(self, job_id: str) -> Job:
        job = self.jobs.read(job_id)
        assert job is not None
        return job

    def view(self, job: Job) -> job_views.JobView:
        """The job as the API shows it."""
        return job_views.view(now := self.job(job.job_id), job_views.counts(now, self.ledger))

    def entries(self, job_id: str) -> dict[str, Entry]:
        return {entry.video_id: entry for entry in self.ledger.entries(job_id, None)}

    def entry(self, job: Job, video_id: str) -> Entry:
        entry = self.ledger.read(job.job_id, video_id)
        assert entry is not None
        return entry

    def stored(self, video_id: str) -> Stored:
        return self.transcripts.read([video_id])[video_id]

    def outcome(self, video_id: str) -> Outcome:
        outcome = self.stored(video_id).outcome
        assert outcome is not None
        return outcome

    def check(self, job_id: str) -> Counts:
        """The invariant: the counters say what the ledger says, and add up to what was listed."""
        job = self.job(job_id)
        counts, entries = self.ledger.counts(job_id, job.shards), self.entries(job_id)
        states = Counter(entry.state for entry in entries.values())
        assert dict(counts.states) == {state: states[state] for state in STATES}
        assert job.state != "done" or job.final == counts.as_json()
        assert sum(counts.states.values()) == len(entries) == job.listed
        assert job.total in (None, job.listed)
        if job.state == "done":
            assert counts.states["pending"] == 0
        return counts

    # -- making things ----------------------------------------------------------------------------

    def new_job(self, user: str | None = None, playlist: str | None = None) -> Job:
        """A queued job, of a user and a playlist of its own unless they are given."""
        job, new = self.jobs.start(user or f"user-{uuid4().hex[:8]}", playlist or f"PL{uuid4().hex[:12]}")
        assert new
        return job

    def running(self, video_ids: Sequence[str], *, expected: int | None = None) -> Job:
        """A running job with these videos, listed and pending."""
        number = len(video_ids) if expected is None else expected
        job = self.jobs.begin_planning(self.new_job(), "A playlist", number)
        for start in range(0, len(video_ids), 50):
            page = video_ids[start : start + 50]
            self.videos.save([described(each) for each in page])
            self.enter(job, [NewEntry(each, f"Title of {each}", start + n) for n, each in enumerate(page)])
        self.jobs.seal(job.job_id)
        return self.job(job.job_id)

    def enter(self, job: Job, entries: Sequence[NewEntry]) -> None:
        """Enters videos into the ledger, as the planner does."""

        def attempt() -> None:
            snapshot = self.db.read(job_path(job.job_id))[0]
            now = self.job(job.job_id)
            commit = self.db.commit()
            ledger.enter(commit, job.job_id, now.shards, entries)
            commit.put(snapshot, {"listed": now.listed + len(entries)}).run()

        retry_on_conflict(attempt)

    def store(self, video_id: str, answer: Answer = SPOKEN, *, job_id: str = "", spent: int = 0) -> Outcome:
        """Stores YouTube's answer about a video, as a fetcher does."""
        with self.transcripts.claim(video_id, self.stored(video_id)) as claim:
            return claim.save(answer, job_id=job_id, youtube_bytes=spent)

    def settle(
        self,
        job: Job,
        video_id: str,
        state: VideoState,
        *,
        spent: int = 0,
        reused: bool = False,
        of_round: int | None = None,
    ) -> None:
        """Settles a video. ``spent``: bytes that this job has paid for; with ``reused`` another job has."""
        outcome = None
        if spent or reused:
            payer = "another job" if reused else job.job_id
            outcome = replace(NOTHING_SAID, job_id=payer, youtube_bytes=spent)
        entry = self.entry(job, video_id)
        self.settlement.settle(job, entry, state, f"was {state}", outcome=outcome, of_round=of_round)

    def wear_out(self, job: Job, video_id: str) -> None:
        """Makes an entry look as after eight attempts that failed and were noted."""
        if self.ledger.read(job.job_id, video_id) is not None:
            self.db.commit().update(entry_path(job.job_id, video_id), {"attempts": 8}).run()

    def quota(self, user_id: str) -> Quota:
        return Quota.for_user(user_id, self.config)

    @property
    def stalled_after(self) -> timedelta:
        return timedelta(seconds=self.config.stalled_after_seconds)


#: An outcome without a transcript, of nobody.
NOTHING_SAID = Outcome("no_transcript", clock.now())


def described(video_id: str) -> Metadata:
    return Metadata(video_id, f"Title of {video_id}", "", "A channel", "UCx", None, 60, 1, None, clock.now())


def fresh_ids(count: int) -> list[str]:
    """Ids of videos that no other test uses. All tests share one store."""
    return [uuid4().hex[:11] for _ in range(count)]


def ids(count: int, prefix: str = "video") -> list[str]:
    return [f"{prefix}-{number:05}" for number in range(count)]


def define(youtube: Any, playlist_id: str, videos: list[Any], **fields: Any) -> None:
    """Defines a playlist of the fake YouTube, and those of its videos that are given by id alone."""
    known = [{"id": each} for each in videos if isinstance(each, str)]
    unique = list({each["id"]: each for each in known}.values())
    wanted = {"id": playlist_id, "videos": videos, **fields}
    youtube.control("playlists", {"videos": unique, "playlists": [wanted]})


class Clock:
    """The time of shared.clock, which a test moves forward. It runs on by itself from there."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._now = clock.now

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(clock, "now", self)

    def __call__(self) -> datetime:
        return self._now() + self.ahead

    def forward(self, **amount: float) -> None:
        self.ahead += timedelta(**amount)


def at_once(calls: Sequence[Callable[[], T]], threads: int = 16) -> list[T]:
    """Runs all calls, which begin together. Their results, or the first error."""
    begin = threading.Barrier(min(threads, len(calls)))

    def run(number: int, call: Callable[[], T]) -> T:
        if number < begin.parties:
            begin.wait(30)
        return call()

    with ThreadPoolExecutor(begin.parties) as pool:
        futures = [pool.submit(run, number, call) for number, call in enumerate(calls)]
        return [future.result() for future in futures]
