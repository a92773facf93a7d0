"""Libraries that keep themselves: playlists that change at the fake YouTube, users who hold them, and time.

``Town.pass_time`` calls the schedule and runs every job to its end, in this process. All of it has a
database of its own, because a refresh looks at the sources of all users.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import sleep
from typing import Any
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.accounts.auth import Auth
from shared.config import Config
from shared.errors import Transient
from shared.gcp.firestore import Firestore
from shared.library.refreshes import Refresh, Refreshes
from shared.messages import Message, PlaylistMessage, VideoMessage
from shared.pipeline.jobs import Job
from shared.pipeline.refresh import Refreshed, Refreshing
from shared.pipeline.start import Start
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.transcripts.transcript import Answer, Lines, Transcript
from tests.integration.world import Clock, World, fresh_ids

NO_CAPTIONS = Answer("no_transcript", reason="The video has no captions.")


@dataclass
class Truth:
    """A playlist as it is at YouTube: ids in order, and when each was added."""

    playlist_id: str
    added: dict[str, datetime] = field(default_factory=dict)
    owner: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.added)


class Town:
    """``titles`` and ``spoken``: what YouTube knows of the videos. ``begins``: premieres, and when."""

    def __init__(self, world: World, youtube: LiveServer, clock: Clock, server: SearchServer) -> None:
        self.world, self.youtube, self.clock, self.server = world, youtube, clock, server
        self.titles: dict[str, str] = {}
        self.silent: set[str] = set()
        self.begins: dict[str, datetime] = {}
        self.playlists: dict[str, Truth] = {}
        #: Of each user, the playlists.
        self.libraries: dict[str, list[str]] = {}
        self.asked: list[str] = []

    # -- YouTube --------------------------------------------------------------------------------------

    def make(self, videos: int, *, owner: str | None = None) -> Truth:
        """A playlist of so many new videos."""
        truth = Truth(f"PLof-the-town-{len(self.playlists)}", owner=owner)
        self.playlists[truth.playlist_id] = truth
        self.add(truth, videos)
        return truth

    def add(self, truth: Truth, videos: int = 1, *, at_end: bool = False) -> list[str]:
        """Adds new videos, as the first ones or as the last ones."""
        made = fresh_ids(videos)
        now = self.clock().replace(microsecond=0)
        for each in made:
            self.titles[each] = f"Title of {each}"
        new = dict.fromkeys(made, now)
        truth.added = {**truth.added, **new} if at_end else {**new, **truth.added}
        self.tell(truth)
        return made

    def remove(self, truth: Truth, video_id: str) -> None:
        del truth.added[video_id]
        self.tell(truth)

    def rename(self, truth: Truth, video_id: str, title: str) -> None:
        self.titles[video_id] = title
        self.tell(truth)

    def tell(self, truth: Truth) -> None:
        """Tells the fake YouTube."""
        about = {"owner": truth.owner, "privacy": "private"} if truth.owner else {}
        videos = [{"id": each, "title": self.titles[each]} for each in truth.ids]
        items = [{"id": each, "added_at": at.isoformat()} for each, at in truth.added.items()]
        playlist = {"id": truth.playlist_id, "videos": items, **about}
        self.youtube.control("playlists", {"videos": videos, "playlists": [playlist]})

    def answer(self, video_id: str) -> Answer:
        """The captions of a video, as YouTube gives them now."""
        self.asked.append(video_id)
        begins = self.begins.get(video_id)
        if begins is not None and self.clock() < begins:
            return Answer("no_transcript", reason="A premiere.", not_yet=True, expected_at=begins)
        if video_id in self.silent:
            return NO_CAPTIONS
        lines = Lines([0], [900], [f"words of {video_id.replace('-', 'x').replace('_', 'x')}"])
        return Answer("transcript", Transcript("en", "English", False, lines))

    def units(self) -> int:
        """Units of the quota that were spent since the start."""
        return int(self.youtube.stats()["quota"]["used"])

    def use_up_quota(self) -> None:
        self.youtube.control("settings", {"quota_limit": self.units()})

    def renew_quota(self) -> None:
        self.youtube.control("settings", {"quota_limit": None})

    # -- the site -------------------------------------------------------------------------------------

    @property
    def refreshes(self) -> Refreshes:
        return Refreshes(self.world.db)

    @property
    def refreshing(self) -> Refreshing:
        world = self.world
        admits = Auth(world.config, world.db).admits
        return Refreshing(world.config, world.db, world.topics, world.youtube, world.grants, admits)

    def plan_of(self, user: str, truth: Truth) -> Refresh:
        return self.refreshes.of_user(user)[truth.playlist_id]

    def hold(self, user: str, truth: Truth, chosen: Any = None) -> Job:
        """The user indexes a playlist, and chooses how often it is refreshed."""
        self.libraries.setdefault(user, []).append(truth.playlist_id)
        start = Start(self.world.config, self.world.db, self.world.topics)
        job = start.start(user, truth.playlist_id)[0]
        self.run_jobs()
        if chosen:
            self.world.memberships.choose(user, truth.playlist_id, chosen)
        return self.world.job(job.job_id)

    def run_jobs(self) -> None:
        """Runs everything that was published, each message once, and what the sweep adds to it."""
        topics = self.world.topics
        while messages := list(topics.published):
            topics.forget()
            for _, message in messages:
                # One after another: what one job has found out, the next one need not ask.
                if isinstance(message, PlaylistMessage):
                    self.world.plan_message(message)
            # Together, as the functions do it: what is written at the same time shares a request.
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(self._deliver, messages))

    def _deliver(self, published: tuple[str, Message]) -> None:
        topic, message = published
        if not isinstance(message, VideoMessage):
            return
        job = self.world.job(message.job_id)
        if topic == "transcripts":
            self.world.index(job, message.video_id)
            return
        for again in range(100):
            try:
                self.world.fetch(job, message.video_id, self.answer)
            except Transient:
                # Another job has claimed the video. The message is delivered again.
                assert again < 99
                sleep(0.1)
            else:
                return

    def refresh(self) -> Refreshed:
        """One call of the scheduler, and the jobs that it starts. Jobs that waited for the quota continue."""
        for job in self.world.jobs.active():
            if job.blocked_until is not None and job.blocked_until <= self.clock():
                self.world.plan(job)
        done = self.refreshing.run()
        self.run_jobs()
        return done

    def pass_time(self, amount: timedelta, *, step: timedelta = timedelta(hours=1)) -> Iterator[datetime]:
        """Lets time pass. After each step the scheduler calls; then the time is given."""
        end = self.clock() + amount
        while self.clock() < end:
            self.clock.forward(seconds=step.total_seconds())
            self.refresh()
            yield self.clock()


@contextmanager
def town(
    config: Config, youtube: LiveServer, clock: Clock, elasticsearch_url: str | None = None
) -> Iterator[Town]:
    """A database, and, with ``elasticsearch_url``, indices of its own."""
    config = replace(
        config,
        google_cloud_project=f"yts-town-{uuid4().hex[:8]}",
        elasticsearch_url=elasticsearch_url,
        elasticsearch_index_prefix=f"town-{uuid4().hex[:8]}",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", str(config.firestore_emulator_host))
        world = World(config, Firestore(config))
        server = SearchServer(config)
        try:
            if elasticsearch_url:
                world.search_index.real = SearchIndex(server)
            yield Town(world, youtube, clock, server)
        finally:
            if elasticsearch_url:
                for index in server.client.indices.get(index=f"{config.elasticsearch_index_prefix}-*"):
                    server.client.indices.delete(index=index)
                server.client.close()
            world.close()
            world.db.close()
