"""Collections: lists of videos that people keep here. A job lists what was added."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared import clock
from shared.library.collections import SAVED, read
from shared.library.links import Links
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.world import SPOKEN, World, answering, at_once, fresh_ids


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


def test_a_collection_from_its_making_to_its_end(person: Person, youtube: LiveServer) -> None:
    first, second, third = exist(youtube, 3)
    made = person.ask("POST", "/api/collections", {"title": " Talks  to   keep "})
    assert made.status_code == 201
    talks = made.get_json()["playlist_id"]
    assert made.get_json() == {"playlist_id": talks, "title": "Talks to keep"}
    listed = {
        each["playlist_id"]: each for each in person.ask("GET", "/api/playlists").get_json()["playlists"]
    }
    assert (listed[talks]["title"], listed[talks]["video_count"]) == ("Talks to keep", 0)
    assert (listed[talks]["kind"], listed[talks]["source"], listed[talks]["privacy"]) == (
        "collection",
        "own",
        None,
    )

    body = {
        "videos": [first, {"video": f"youtu.be/{second}", "added_at": "2020-05-01T10:00:00Z"}, "no video"]
    }
    added = person.ask("POST", f"/api/collections/{talks}/videos", body)
    assert added.status_code == 202
    answer = added.get_json()
    assert (answer["added"], answer["already"], answer["playlist_id"]) == (2, 0, talks)
    assert [each["text"] for each in answer["refused"]] == ["no video"]
    person.finish(answer["job_id"])
    assert person.found(talks) == (first, second)
    Links(person.world.db).make(person.id, talks)
    again = person.ask("POST", f"/api/collections/{talks}/videos", {"videos": [first]})
    assert (again.status_code, again.get_json()["already"], again.get_json()["job_id"]) == (200, 1, None)

    # Newest first, with what is known of each.
    page = person.ask("GET", f"/api/collections/{talks}/videos").get_json()
    assert [each["video_id"] for each in page["videos"]] == [second, first]
    assert page["videos"][0]["title"] == f"Video {second}"
    assert page["videos"][0]["added_at"] == "2020-05-01T10:00:00.000Z"

    # What could be found there is found in the other one at once, without a job.
    moved = person.ask("POST", "/api/collections/saved/videos", {"videos": [first], "from": talks})
    assert (moved.status_code, moved.get_json()["job_id"]) == (200, None)
    assert (person.found(), person.found(talks)) == ((first,), (second,))

    renamed = person.ask("PATCH", f"/api/collections/{talks}", {"title": "Lectures"})
    assert renamed.get_json() == {"playlist_id": talks, "title": "Lectures"}
    job_id = person.ask("POST", f"/api/collections/{talks}/videos", {"videos": [third]}).get_json()["job_id"]
    person.finish(job_id)
    assert person.world.job(job_id).title == "Lectures"
    assert person.found(talks) == (second, third)
    assert person.ask("DELETE", f"/api/collections/{talks}/videos/{second}").status_code == 204
    assert person.found(talks) == (third,)
    assert person.ask("DELETE", f"/api/collections/{talks}/videos/{second}").status_code == 404

    assert person.ask("DELETE", f"/api/playlists/{talks}").status_code == 204
    assert person.ask("GET", f"/api/collections/{talks}/videos").status_code == 404
    assert read(person.world.db, person.id, talks) is None
    assert person.world.memberships.read(person.id, talks) is None


def test_what_is_added_while_a_job_lists_or_runs_is_not_lost(person: Person, youtube: LiveServer) -> None:
    """A planner that has listed the old contents must not end the job."""
    first, second, third = exist(youtube, 3)
    world = person.world
    job_id = person.paste(first)["collection"]["job_id"]
    planning = world.jobs.begin_planning(world.job(job_id), "Saved videos", 1)
    assert person.paste(second)["collection"]["job_id"] == job_id
    world.jobs.seal(job_id, planning.extended)
    assert world.job(job_id).state == "queued"
    world.plan(world.job(job_id))
    assert world.job(job_id).state == "running"
    assert person.found() == (first, second)
    # All is listed, and the videos are being fetched.
    assert person.paste(third)["collection"]["job_id"] == job_id
    assert world.job(job_id).total is None
    person.finish(job_id)
    assert (world.job(job_id).state, world.job(job_id).total) == ("done", 3)
    assert person.found() == (first, second, third)


def test_a_late_planner_does_not_put_back_what_was_removed(person: Person, youtube: LiveServer) -> None:
    first, second = exist(youtube, 2)
    job_id = person.paste(f"{first}\n{second}")["collection"]["job_id"]
    write, world = person.world.search_index.write_membership, person.world

    def remove_first(*arguments: Any) -> None:
        """The person is quicker: the membership was written, and is about to be shown."""
        world.search_index.write_membership = write  # type: ignore[method-assign]
        assert person.ask("DELETE", f"/api/collections/{SAVED}/videos/{first}").status_code == 204
        write(*arguments)

    world.search_index.write_membership = remove_first  # type: ignore[assignment]
    person.finish(job_id)
    assert person.found() == (second,)
    assert world.memberships.read(person.id, SAVED).video_ids == (second,)  # type: ignore[union-attr]


def test_additions_at_once_are_all_kept(person: Person, youtube: LiveServer) -> None:
    video_ids = exist(youtube, 6)
    # Starts the function.
    assert person.ask("GET", "/api/playlists").status_code == 200
    calls = [
        partial(person.ask, "POST", "/api/collections/saved/videos", {"videos": [each]}) for each in video_ids
    ]
    answers = at_once(calls)
    assert {each.status_code for each in answers} == {202}
    [job_id] = {each.get_json()["job_id"] for each in answers}
    person.finish(job_id)
    assert set(person.found()) == set(video_ids)


def test_a_video_that_youtube_does_not_know_is_unavailable_and_told(
    person: Person, youtube: LiveServer
) -> None:
    """Also one that others have indexed while it was public: the store tells nothing about it."""
    [known] = exist(youtube)
    person.finish(person.paste(known)["collection"]["job_id"])
    youtube.control("playlists", {"videos": [{"id": known, "status": "private"}]})
    stranger = Person(person.world, person._functions)
    unknown = fresh_ids(1)[0]
    person.world.db.commit().update(f"videos/{known}", {"fetched_at": clock.now() - timedelta(days=90)}).run()
    job_id = stranger.paste(f"{known}\n{unknown}")["collection"]["job_id"]
    stranger.finish(job_id)
    entries = stranger.world.entries(job_id)
    assert {each.state for each in entries.values()} == {"unavailable"}
    assert "YouTube knows no such video" in entries[unknown].reason
    assert stranger.found() == ()
    page = stranger.ask("GET", f"/api/collections/{SAVED}/videos").get_json()
    assert [(each["title"], each["gone"]) for each in page["videos"]] == [(None, True)] * 2


BAD: list[tuple[str, str, object, int]] = [
    ("POST", "/api/collections", {"title": ""}, 400),
    ("POST", "/api/collections", {"title": "x" * 151}, 400),
    ("POST", "/api/collections", {"title": "a\x00b"}, 400),
    ("POST", "/api/collections", {"title": "\ud800"}, 400),
    ("POST", "/api/collections", {"title": ["x"]}, 400),
    ("POST", "/api/collections", {"title": 10**400}, 400),
    ("POST", "/api/collections", {}, 400),
    ("POST", "/api/collections", {"title": "saved VIDEOS"}, 409),
    ("PATCH", "/api/collections/saved", {"title": "x"}, 404),
    ("PATCH", "/api/collections/collection-0123456789abcdef", {"title": "x"}, 404),
    ("GET", "/api/collections/__x__/videos", None, 404),
    ("GET", "/api/collections/PLx/videos", None, 404),
    ("POST", "/api/collections/PLx/videos", {"videos": ["dQw4w9WgXcQ"]}, 404),
    ("POST", "/api/collections/saved/videos", {}, 400),
    ("POST", "/api/collections/saved/videos", {"videos": []}, 400),
    ("POST", "/api/collections/saved/videos", {"videos": "dQw4w9WgXcQ"}, 400),
    ("POST", "/api/collections/saved/videos", {"videos": {"a": 1}}, 400),
    ("POST", "/api/collections/saved/videos", {"videos": ["dQw4w9WgXcQ"] * 5001}, 400),
    ("POST", "/api/collections/saved/videos", {"videos": ["dQw4w9WgXcQ"], "from": 1}, 400),
    ("POST", "/api/collections/saved/videos", {"videos": ["dQw4w9WgXcQ"], "from": "saved"}, 404),
    ("POST", "/api/collections/saved/videos", {"videos": ["dQw4w9WgXcQ"], "from": "\ud800"}, 404),
    ("DELETE", "/api/collections/saved/videos/dQw4w9WgXcQ", None, 404),
    ("DELETE", "/api/playlists/collection-0123456789abcdef", None, 404),
    ("POST", "/api/index", {"playlist": "collection-0123456789abcdef"}, 404),
    ("POST", "/api/sources", {}, 400),
    ("POST", "/api/sources", {"text": " \n "}, 400),
    ("POST", "/api/sources", {"text": ["x"]}, 400),
    ("POST", "/api/sources", {"text": "x\n" * 1001}, 400),
]


def test_bad_requests_are_refused_and_nothing_is_made(person: Person) -> None:
    for method, path, body, status in BAD:
        answer = person.ask(method, path, body)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.get_json()["detail"]
    assert [*person.world.db.query(f"users/{person.id}/collections")] == []
    assert [*person.world.db.query(f"users/{person.id}/memberships")] == []
    assert person.world.jobs.recent(person.id) == []


NO_VIDEOS: list[Any] = [
    *(
        None,
        1,
        1e999,
        True,
        [],
        {},
        {"video": None},
        {"id": "dQw4w9WgXcQ"},
        "",
        "<b>x</b>",
        "\ud800",
        "a\x00",
    ),
    *({"video": "dQw4w9WgXcQ", "added_at": each} for each in ("yesterday", "2024-99-99", 17, ["x"], "\x00")),
]


@pytest.mark.parametrize("video", NO_VIDEOS, ids=ascii)
def test_what_is_no_video_is_refused_alone(person: Person, youtube: LiveServer, video: object) -> None:
    [good] = exist(youtube)
    answer = person.ask("POST", "/api/collections/saved/videos", {"videos": [video, good]})
    assert answer.status_code == 202, answer.text
    found = answer.get_json()
    assert (found["added"], len(found["refused"])) == (1, 1)
    assert found["refused"][0]["detail"]


def test_two_collections_have_different_names_also_when_made_at_once(person: Person) -> None:
    # Starts the function.
    assert person.ask("GET", "/api/playlists").status_code == 200
    make = partial(person.ask, "POST", "/api/collections", {"title": "Talks"})
    assert sorted(each.status_code for each in at_once([make] * 4)) == [201, 409, 409, 409]
    other = person.ask("POST", "/api/collections", {"title": "Films"}).get_json()["playlist_id"]
    assert person.ask("PATCH", f"/api/collections/{other}", {"title": "TALKS"}).status_code == 409
    assert person.ask("PATCH", f"/api/collections/{other}", {"title": "films"}).status_code == 200


def test_a_full_collection_takes_no_more(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.library.collections.MAXIMUM_VIDEOS", 2)
    answer = person.ask("POST", "/api/collections/saved/videos", {"videos": fresh_ids(3)})
    assert answer.status_code == 409
    assert "at most 2 videos" in answer.get_json()["detail"]
    assert person.ask("GET", "/api/collections/saved/videos").get_json()["videos"] == []


def test_a_user_without_quota_adds_nothing(person: Person, world: World) -> None:
    world.db.commit().set(f"starts/{person.id}", {"at": [clock.now()] * world.config.jobs_per_hour}).run()
    assert person.ask("POST", "/api/collections/saved/videos", {"videos": fresh_ids(1)}).status_code == 429
    [line] = person.paste(fresh_ids(1)[0])["lines"]
    assert (line["taken_for"], line["playlist_id"]) == ("nothing", None)
    assert "jobs within an hour" in line["detail"]
    assert [*world.db.query(f"users/{person.id}/collections")] == []
