"""Handlers that are about to be called, and what must be true once a call has succeeded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from shared.errors import Transient
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.pipeline.jobs import Job
from shared.pipeline.ledger import VideoState
from shared.transcripts.transcript import Answer
from tests.faults.proxies import Fault, GrpcProxy, HttpProxy
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.world import SPOKEN, World, fresh_ids

#: Seconds that a failing server is waited for in tests.
SHORT = 0.4


@contextmanager
def failing(proxy: GrpcProxy | HttpProxy, fault: Fault, *clients: Firestore | Topics) -> Iterator[Fault]:
    """Gives the server behind the proxy a fault, for the block. Meanwhile its clients have a short timeout.

    A server without a fault has as much time as in production, because this machine may be slow.
    """
    timeouts = [(client, client.timeout) for client in clients]
    query_timeouts = [(client, client.query_timeout) for client in clients if isinstance(client, Firestore)]
    for client in clients:
        client.timeout = SHORT
    for client, _ in query_timeouts:
        client.query_timeout = SHORT
    proxy.fault = fault
    try:
        yield fault
    finally:
        proxy.heal()
        for client, timeout in timeouts:
            client.timeout = timeout
        for client, timeout in query_timeouts:
            client.query_timeout = timeout


@dataclass
class Case:
    """``act`` calls a handler, and raises Transient if it fails. ``verify``: it has succeeded."""

    act: Callable[[], object]
    verify: Callable[[], object]


class Handlers:
    """Makes cases. Each has a job of its own."""

    def __init__(self, world: World, functions: HttpFunctions) -> None:
        self._world = world
        self._functions = functions

    def case(self, name: str) -> Case:
        """``name``: one of :data:`NAMES`."""
        made: Case = getattr(self, f"_{name}")()
        return made

    def pending(self, state: VideoState) -> tuple[Job, str, Callable[[], None]]:
        """A job, its one pending video, and a check that the video is in this state then."""
        (video_id,) = fresh_ids(1)
        job = self._world.running([video_id])

        def verify() -> None:
            assert self._world.entry(job, video_id).state == state
            self._world.check(job.job_id)

        return job, video_id, verify

    def _index(self) -> Case:
        return self._http("index", "POST", "/api/index", {"playlist": f"PL{uuid4().hex[:12]}"}, 202)

    def _jobs(self) -> Case:
        return self._http("jobs", "GET", "/api/jobs", None, 200)

    def _http(self, name: str, method: str, path: str, body: Any, status: int) -> Case:
        web, headers = self._functions.client(name), bearer(self._world, f"user-{uuid4().hex[:8]}")
        answers: list[Any] = []

        def act() -> None:
            answers.append(web.open(path, method=method, headers=headers, json=body))
            if answers[-1].status_code == 503:
                assert answers[-1].mimetype == "application/problem+json"
                raise Transient(answers[-1].json["detail"])

        def verify() -> None:
            assert answers[-1].status_code == status, answers[-1].text

        return Case(act, verify)

    def _planner(self) -> Case:
        world = self._world
        job = world.new_job(playlist=f"PLgen-60-{uuid4().hex[:6]}")

        def verify() -> None:
            assert (world.job(job.job_id).state, len(world.entries(job.job_id))) == ("running", 60)
            world.check(job.job_id)

        return Case(lambda: world.plan(job), verify)

    def _fetcher(self) -> Case:
        job, video_id, verify_pending = self.pending("pending")
        asked: list[str] = []

        def ask(asked_for: str) -> Answer:
            asked.append(asked_for)
            return SPOKEN

        def verify() -> None:
            verify_pending()
            assert self._world.outcome(video_id).kind == "transcript"
            assert len(asked) <= 2

        return Case(lambda: self._world.fetch(job, video_id, ask), verify)

    def _indexer(self) -> Case:
        job, video_id, verify = self.pending("indexed")
        self._world.store(video_id, job_id=job.job_id, spent=9)
        return Case(lambda: self._world.index(job, video_id), verify)

    def _dead_letters(self) -> Case:
        job, video_id, verify = self.pending("failed")
        self._world.wear_out(job, video_id)
        return Case(lambda: self._world.dead_letter(job, video_id, worn=False), verify)

    def _sweep(self) -> Case:
        job, _, verify = self.pending("pending")

        def act() -> None:
            swept = self._world.sweep(job, messages_lost=True)
            if swept.troubles:
                raise Transient("The job could not be swept.")
            assert swept.videos_published == 1

        return Case(act, verify)


NAMES = ("index", "jobs", "planner", "fetcher", "indexer", "dead_letters", "sweep")
