"""Collections: lists of videos that people keep here. A job lists what was added."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.library.collections import SAVED
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.world import SPOKEN, World, answering, fresh_ids


class Person:
    """Somebody with a library of their own."""

    def __init__(self, world: World, functions: HttpFunctions) -> None:
        self.id = f"user-{uuid4().hex[:8]}"
        self.world = world
        self._headers = bearer(world, self.id)
        self._functions = functions

    def ask(self, method: str, path: str, body: object = None) -> Any:
        name = "index" if path.startswith(("/api/sources", "/api/index")) else "library"
        return self._functions.client(name).open(path, method=method, json=body, headers=self._headers)

    def paste(self, text: str) -> dict[str, Any]:
        answer = self.ask("POST", "/api/sources", {"text": text})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def finish(self, job_id: str) -> None:
        """Plans a job, and fetches and indexes its videos."""
        job = self.world.job(job_id)
        self.world.plan(job)
        for entry in self.world.entries(job_id).values():
            if entry.state == "pending":
                self.world.fetch(job, entry.video_id, answering(SPOKEN))
                self.world.index(job, entry.video_id)
        self.world.check(job_id)

    def found(self, playlist_id: str = SAVED) -> tuple[str, ...]:
        """The videos that the person can find through a collection."""
        membership = self.world.memberships.read(self.id, playlist_id)
        assert membership is not None
        assert self.world.search_index.memberships.get((self.id, playlist_id), ()) == membership.video_ids
        return membership.video_ids


@pytest.fixture
def person(world: World, functions: HttpFunctions, youtube: LiveServer) -> Person:
    return Person(world, functions)


def exist(youtube: LiveServer, count: int = 1) -> list[str]:
    """So many videos at YouTube that no other test uses."""
    video_ids = fresh_ids(count)
    youtube.control("playlists", {"videos": [{"id": each} for each in video_ids]})
    return video_ids


def test_a_pasted_video_is_saved_indexed_and_found(person: Person, youtube: LiveServer) -> None:
    [video_id] = exist(youtube)
    answer = person.paste(f"https://youtu.be/{video_id}?t=40")
    [line] = answer["lines"]
    job_id = answer["collection"]["job_id"]
    assert (line["taken_for"], line["video_id"], line["playlist_id"]) == ("video", video_id, SAVED)
    assert answer["collection"] == {
        "playlist_id": SAVED,
        "title": "Saved videos",
        "added": 1,
        "job_id": job_id,
        "status_url": f"/api/jobs/{job_id}",
    }
    person.finish(job_id)
    job = person.world.view(person.world.job(job_id))
    assert (job["state"], job["title"], job["total"]) == ("done", "Saved videos", 1)
    assert job["counts"]["indexed"] == 1
    assert person.found() == (video_id,)
