"""Handlers about to be called in this process, and servers that are sick meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from shared import auth, clients, documents, store
from shared.captions import Fetched
from shared.errors import Transient
from shared.jobs import Job
from tests.faults.proxies import Fault, GrpcProxy, HttpProxy
from tests.integration.firestore_support import (
    SPOKEN,
    check,
    dead_letter,
    entries_of,
    fetch,
    fresh_ids,
    index,
    job_of,
    new_job,
    plan,
    running,
    sweep_one,
    worn_out,
)
from tests.unit.functions import client

#: Seconds that a sick server is waited for in tests.
SHORT = 0.4


@contextmanager
def sick(proxy: GrpcProxy | HttpProxy, fault: Fault, module: ModuleType | None = None) -> Iterator[Fault]:
    """Inside, the server behind the proxy has this fault, and who asks it (``module``) loses patience soon.

    A well server is given all the time that it has really, on a slow machine too.
    """
    with pytest.MonkeyPatch.context() as patch:
        if module is not None:
            patch.setattr(module, "TIMEOUT", SHORT)
            patch.setattr(module, "_RETRY", module._RETRY.with_timeout(SHORT))
            patch.setattr(module, "QUERY_TIMEOUT", SHORT, raising=False)
        if isinstance(proxy, HttpProxy) and fault.kind == "hung":
            patch.setattr(clients.elasticsearch(), "_request_timeout", SHORT)
        proxy.fault = fault
        try:
            yield fault
        finally:
            proxy.heal()


@dataclass
class Case:
    """A handler about to be called, and what must be true once it has succeeded. ``said``: what a caller
    is told when it does not."""

    act: Callable[[], Any]
    verify: Callable[[], Any]
    said: Callable[[], str] = lambda: ""


def _http(name: str, method: str, path: Callable[[str], str], body: Any, status: int) -> Case:
    token = auth.mint(f"user-{uuid4().hex[:8]}", "a token")["token"]
    web, answers = client(name), list[Any]()

    def act() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        answers.append(web.open(path(token), method=method, headers=headers, json=body))
        if answers[-1].status_code == 503:
            assert answers[-1].mimetype == "application/problem+json"
            raise Transient(answers[-1].json["detail"])

    def verify() -> None:
        assert answers[-1].status_code == status, answers[-1].text

    return Case(act, verify)


def _index() -> Case:
    return _http("index", "POST", lambda _: "/api/index", {"playlist": f"PL{uuid4().hex[:12]}"}, 202)


def _jobs() -> Case:
    return _http("jobs", "GET", lambda _: "/api/jobs", None, 200)


def planner_case() -> Case:
    job = new_job(playlist=f"PLgen-60-{uuid4().hex[:6]}")

    def verify() -> None:
        assert (job_of(job.job_id).state, len(entries_of(job.job_id))) == ("running", 60)
        check(job.job_id)

    return Case(lambda: plan(job), verify)


def one(state: str) -> tuple[Job, str, Callable[[], None]]:
    (video_id,) = fresh_ids(1)
    job = running([video_id])

    def verify() -> None:
        assert entries_of(job.job_id)[video_id].state == state
        check(job.job_id)

    return job, video_id, verify


def _fetcher() -> Case:
    job, video_id, verify = one("pending")
    asked: list[str] = []

    def ask(each: str) -> Fetched:
        asked.append(each)
        return Fetched(SPOKEN, 100)

    def stored() -> None:
        verify()
        outcome = store.read_outcomes([video_id])[video_id].outcome
        assert outcome is not None
        assert outcome.kind == "transcript"
        assert len(asked) <= 2

    return Case(lambda: fetch(job, video_id, ask=ask), stored)


def indexer_case() -> Case:
    job, video_id, verify = one("indexed")
    store.save(video_id, None, job_id=job.job_id, youtube_bytes=9, transcript=SPOKEN)
    return Case(lambda: index(job, video_id), verify)


def _dead_letters() -> Case:
    job, video_id, verify = one("failed")
    worn_out(job, video_id)
    return Case(lambda: dead_letter(job, video_id, worn=False), verify)


def _sweep() -> Case:
    job, _, verify = one("pending")

    def act() -> None:
        swept = sweep_one(job, messages_lost=True)
        if swept.troubles:
            raise Transient("The database did not answer: a job was not swept.")
        assert swept.videos_published == 1

    return Case(act, verify)


CASES: dict[str, Callable[[], Case]] = {
    "index": _index,
    "jobs": _jobs,
    "planner": planner_case,
    "fetcher": _fetcher,
    "indexer": indexer_case,
    "dead_letters": _dead_letters,
    "sweep": _sweep,
}


def fails(case: Case, dependency: str) -> None:
    with pytest.raises(Transient) as raised:
        case.act()
    assert dependency in str(raised.value)


def claims_are_over() -> None:
    """As after the thirty seconds that a worker which got stuck holds a video."""
    for snapshot in documents.query("transcripts", ("claimed_until", "!=", None)):
        documents.Commit().set(snapshot.path, {"claimed_until": None}, merge=True).run()
