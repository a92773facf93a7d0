"""A playlist in the library of a user, which tests refresh and fetch again."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from infra.local.fake_youtube.live_server import LiveServer
from shared.pipeline.jobs import Job
from shared.pipeline.start import Start
from shared.transcripts.transcript import Answer, Lines, Transcript
from tests.integration.world import SPOKEN, World, answering, define, refusing

NOT_ASKED = refusing(AssertionError("YouTube was asked"))
CORRECTED = Answer("transcript", Transcript("en", "English", False, Lines([0], [900], ["what was meant"])))
NO_CAPTIONS = Answer("no_transcript", reason="The video has no captions.")
PRIVATE = Answer("unavailable", reason="The video is private.")
RESTRICTED = Answer("unavailable", reason="Members only.", restricted=True)
PREMIERE = Answer("no_transcript", reason="Premieres in 2 hours.", not_yet=True)


class Library:
    """A playlist in the library of a user, whose videos are fetched and indexed."""

    def __init__(self, world: World, youtube: LiveServer, videos: list[str]) -> None:
        self.world, self.youtube, self.videos = world, youtube, videos
        self.user, self.playlist = f"user-{uuid4().hex[:8]}", f"PL{uuid4().hex[:12]}"
        define(youtube, self.playlist, list(videos))
        self.job = self.run(world.new_job(self.user, self.playlist), answering(SPOKEN))

    @property
    def start(self) -> Start:
        return Start(self.world.config, self.world.db, self.world.topics)

    def run(self, job: Job, ask: Callable[[str], Answer]) -> Job:
        """Runs a job to its end, each message once."""
        self.world.topics.forget()
        self.world.plan(job)
        for video_id in self.world.topics.videos():
            self.world.fetch(job, video_id, ask)
        for video_id in self.world.topics.videos("transcripts"):
            self.world.index(job, video_id)
        index = self.world.search_index
        index.known = {video_id: document["fingerprint"] for video_id, document in index.written.items()}
        return self.world.job(job.job_id)

    def refresh(self, ask: Callable[[str], Answer]) -> Job:
        return self.run(self.start.start(self.user, self.playlist)[0], ask)

    def again(self, ask: Callable[[str], Answer]) -> Job:
        return self.run(self.start.start(self.user, self.playlist, again=True)[0], ask)

    def text(self, video_id: str) -> list[str]:
        outcome = self.world.transcripts.read([video_id], lines=True)[video_id].outcome
        return [line.text for line in outcome.lines] if outcome else []
