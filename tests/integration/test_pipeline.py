"""One video's way, from POST /api/index to a hit with the second: on real servers, through HTTP."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.fake_youtube.library import generate
from tests.invariants import asked, check, ids_of, ledger, of_one_asking
from tests.stack import Stack

SAMPLE = "PLyts-sample-talks"


@pytest.fixture(autouse=True)
def _quiet_youtube(stack: Stack) -> Iterator[None]:
    """Counts from here on; no fault and no latency outlives its test."""
    stack.fake_youtube.reset("stats", "latency", "faults")
    yield
    stack.fake_youtube.reset("latency", "faults")


def moments_of(hits: list[dict[str, Any]], video_id: str) -> list[dict[str, Any]]:
    return [moment for hit in hits if hit["video_id"] == video_id for moment in hit["moments"]]


def test_a_playlist_becomes_searchable_to_the_second(stack: Stack) -> None:
    expected = ids_of("PLgen-40-way")
    answer = stack.post("/api/index", json={"playlist": "https://www.youtube.com/playlist?list=PLgen-40-way"})
    assert answer.status_code == 202
    started = answer.json()
    assert started["playlist_id"] == "PLgen-40-way"
    assert started["status_url"] == f"/api/jobs/{started['job_id']}"
    stack.finish(started["job_id"])
    job = check(stack, started["job_id"], expected)
    assert job["counts"]["indexed"] == 40
    assert job["title"] == "Generated playlist way of 40 videos"
    assert job["youtube_bytes"] > 40 * 5_000

    phrases = {video_id: generate.phrase_of(video_id) for video_id in expected}
    assert {phrase.crosses_line for phrase in phrases.values()} == {True, False}
    for video_id, phrase in phrases.items():
        hits = stack.search(f'"{phrase.text}"')["hits"]
        assert [hit["video_id"] for hit in hits] == [video_id], phrase
        (moment,) = moments_of(hits, video_id)
        assert moment["start"] == phrase.start, phrase
        assert moment["url"] == f"https://www.youtube.com/watch?v={video_id}&t={int(phrase.start)}s"


def test_the_sample_library_is_worth_searching(stack: Stack) -> None:
    job = stack.finish(stack.index(SAMPLE))
    assert job["counts"] == {"pending": 0, "indexed": 49, "no_transcript": 3, "unavailable": 3, "failed": 0}
    (hit,) = stack.search('"patience is the cheapest telescope ever built"')["hits"]
    assert "".join(part["text"] for part in hit["title"])
    marked = [part["text"] for part in hit["moments"][0]["snippet"] if part["match"]]
    assert "patience" in " ".join(marked).casefold()
    assert hit["language"] == "en"
    assert hit["generated"] is False
    reasons = sorted(video["reason"] for video in ledger(stack, job["job_id"], state="unavailable").values())
    assert reasons == [
        "The video is no longer on YouTube.",
        "The video is private.",
        "The video was deleted from YouTube.",
    ]


def test_a_video_without_captions_is_found_by_its_title(stack: Stack) -> None:
    stack.fake_youtube.define(
        videos=[
            {
                "id": "mute0000001",
                "title": "Zymurgy without a word",
                "status": "nocaptions",
                "description": "Quokkas",
            }
        ],
        playlists=[{"id": "PLmute", "title": "Mute", "videos": ["mute0000001"]}],
    )
    job_id = stack.index("PLmute")
    stack.finish(job_id)
    job = check(stack, job_id, ["mute0000001"])
    assert job["counts"]["no_transcript"] == 1
    for words in ("zymurgy", "quokkas"):
        (hit,) = stack.search(words)["hits"]
        assert hit["video_id"] == "mute0000001"
        assert hit["moments"] == []


def test_searchable_while_indexing_still_runs(stack: Stack) -> None:
    expected = ids_of("PLgen-30-while-short")
    # The job cannot end before these are answered.
    stack.fake_youtube.fault("5xx", videos=expected[-2:], endpoints=["player"])
    job_id = stack.index("PLgen-30-while-short", "eager")
    stack.wait_for(lambda: stack.job(job_id, "eager")["counts"]["indexed"], 60, "a first video")
    first = generate.phrase_of(next(iter(ledger(stack, job_id, "eager", state="indexed"))))
    # The index is refreshed each second.
    stack.wait_for(lambda: stack.search(f'"{first.text}"', "eager")["total"] == 1, 15, "it is found")
    assert stack.job(job_id, "eager")["state"] in ("planning", "running")
    stack.fake_youtube.clear_faults()
    stack.finish(job_id, "eager")
    check(stack, job_id, expected, "eager")


def test_somebody_elses_index_costs_nothing(stack: Stack) -> None:
    expected = ids_of("PLgen-60-shared-short")
    stack.finish(stack.index("PLgen-60-shared-short"))
    stack.fake_youtube.reset("stats")
    job_id = stack.index("PLgen-60-shared-short", "second")
    stack.finish(job_id, "second")
    job = check(stack, job_id, expected, "second")
    assert job["reused"] == 60
    assert job["youtube_bytes"] == 0
    assert set(asked(stack, expected).values()) == {0}
    phrase = generate.phrase_of(expected[0])
    assert stack.search(f'"{phrase.text}"', "second")["total"] == 1


def test_a_fifth_part_known_already_is_reused(stack: Stack) -> None:
    stack.finish(stack.index("PLgen-10-grow-short"))
    stack.fake_youtube.reset("stats")
    job_id = stack.index("PLgen-50-grow-short")
    stack.finish(job_id)
    job = check(stack, job_id, ids_of("PLgen-50-grow-short"))
    assert job["reused"] == 10
    assert sorted(asked(stack, ids_of("PLgen-50-grow-short")).values()) == [0] * 10 + [1] * 40


def test_the_same_playlist_while_it_is_indexed_is_the_same_job(stack: Stack) -> None:
    stack.fake_youtube.latency(player=1.0)
    first = stack.index("PLgen-20-same-short")
    again = stack.post("/api/index", json={"playlist": "PLgen-20-same-short"})
    assert (again.status_code, again.json()["job_id"]) == (200, first)
    other = stack.post("/api/index", "second", json={"playlist": "PLgen-20-same-short"})
    assert other.status_code == 202
    assert other.json()["job_id"] != first
    stack.finish(first)
    later = stack.post("/api/index", json={"playlist": "PLgen-20-same-short"})
    assert later.status_code == 202
    assert later.json()["job_id"] != first
    stack.finish(later.json()["job_id"])
    stack.finish(other.json()["job_id"], "second")


def test_a_video_twice_in_a_playlist_counts_once(stack: Stack) -> None:
    ids = ids_of("PLgen-5-twice-short")
    stack.fake_youtube.define(
        playlists=[{"id": "PLtwice", "title": "Twice", "extra": 7, "videos": [*ids, ids[0], ids[3], ids[0]]}]
    )
    job_id = stack.index("PLtwice")
    stack.finish(job_id)
    check(stack, job_id, ids)


def test_two_jobs_that_share_videos_fetch_each_once(stack: Stack) -> None:
    stack.fake_youtube.latency(player=0.3, timedtext=0.3)
    ids = ids_of("PLgen-90-two-short")
    jobs = {user: stack.index("PLgen-90-two-short", user) for user in ("left", "right")}
    for user, job_id in jobs.items():
        stack.finish(job_id, user)
        check(stack, job_id, ids, user)
    assert set(asked(stack, ids).values()) == {1}
    assert sum(stack.job(job_id, user)["reused"] for user, job_id in jobs.items()) == 90


def test_private_and_deleted_items_are_settled_without_asking(stack: Stack) -> None:
    ids = ids_of("PLgen-200-mix-short-mixed")
    job_id = stack.index("PLgen-200-mix-short-mixed")
    stack.finish(job_id)
    job = check(stack, job_id, ids)
    assert all(job["counts"][state] for state in ("indexed", "no_transcript", "unavailable"))
    most = of_one_asking(ids)
    assert all(times <= most[video_id] for video_id, times in asked(stack, ids).items())


def test_remembered_answers_are_not_asked_for_again(stack: Stack) -> None:
    ids = ids_of("PLgen-80-again-short-mixed")
    first = stack.finish(stack.index("PLgen-80-again-short-mixed"))
    stack.fake_youtube.reset("stats")
    second = stack.finish(stack.index("PLgen-80-again-short-mixed"))
    assert second["counts"] == first["counts"]
    assert set(asked(stack, ids).values()) == {0}
    check(stack, second["job_id"], ids)


def test_any_language_human_before_generated(stack: Stack) -> None:
    def track(language: str, kind: str, word: str) -> dict[str, Any]:
        return {
            "language": language,
            "kind": kind,
            "name": "",
            "lines": [[0.0, 4.0, f"this is {word} speaking"]],
        }

    stack.fake_youtube.define(
        videos=[
            {
                "id": "lang0000001",
                "title": "Both",
                "tracks": [track("en", "generated", "robotina"), track("en", "human", "humanna")],
            },
            {"id": "lang0000002", "title": "Only Greek", "tracks": [track("el", "generated", "grekkona")]},
        ],
        playlists=[{"id": "PLlang", "title": "Languages", "videos": ["lang0000001", "lang0000002"]}],
    )
    job_id = stack.index("PLlang")
    stack.finish(job_id)
    check(stack, job_id, ["lang0000001", "lang0000002"])
    (human,) = stack.search("humanna")["hits"]
    assert (human["language"], human["generated"]) == ("en", False)
    assert stack.search("robotina")["total"] == 0
    (greek,) = stack.search("grekkona")["hits"]
    assert (greek["language"], greek["generated"]) == ("el", True)


def test_a_message_from_outside_starts_the_same_pipeline(stack: Stack) -> None:
    stack.publish("playlists", {"playlist_id": "PLgen-7-curl-short", "somebody": "added this field"})
    job = stack.wait_for(lambda: _job_of(stack, "PLgen-7-curl-short"), 30, "the planner makes a job")
    stack.finish(job["job_id"])
    check(stack, job["job_id"], ids_of("PLgen-7-curl-short"))


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_starts_the_same_pipeline(stack: Stack) -> None:
    command = [
        "gcloud", "pubsub", "topics", "publish", "playlists", "--project=yts-local",
        '--message={"playlist_id":"PLgen-8-gcloud-short"}',
    ]  # fmt: skip
    environment = stack.environment | {
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{stack.pubsub}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
    }
    subprocess.run(command, env=environment, check=True, timeout=120, capture_output=True)
    job = stack.wait_for(lambda: _job_of(stack, "PLgen-8-gcloud-short"), 30, "the planner makes a job")
    stack.finish(job["job_id"])
    check(stack, job["job_id"], ids_of("PLgen-8-gcloud-short"))


def _job_of(stack: Stack, playlist_id: str) -> dict[str, Any]:
    jobs = stack.get("/api/jobs").json()["jobs"]
    return next((job for job in jobs if job["playlist_id"] == playlist_id), {})


def test_removing_a_playlist_takes_its_videos_out_at_once(stack: Stack) -> None:
    ids = ids_of("PLgen-6-leave-short")
    stack.fake_youtube.define(playlists=[{"id": "PLkeeps", "title": "Keeps one", "videos": [ids[0]]}])
    for playlist in ("PLgen-6-leave-short", "PLkeeps"):
        stack.finish(stack.index(playlist, "leaver"), "leaver")
    stack.finish(stack.index("PLgen-6-leave-short", "stayer"), "stayer")
    listed = stack.get("/api/playlists", "leaver").json()["playlists"]
    assert {each["playlist_id"]: each["indexed"]["videos"] for each in listed} == {
        "PLgen-6-leave-short": 6,
        "PLkeeps": 1,
    }
    assert stack.request("DELETE", "/api/playlists/PLgen-6-leave-short", "leaver").status_code == 204
    found = {
        user: [stack.search(f'"{generate.phrase_of(i).text}"', user)["total"] for i in ids]
        for user in ("leaver", "stayer")
    }
    assert found == {"leaver": [1, 0, 0, 0, 0, 0], "stayer": [1] * 6}
    assert stack.request("DELETE", "/api/playlists/PLgen-6-leave-short", "leaver").status_code == 404


def test_what_is_somebody_elses_does_not_exist(stack: Stack) -> None:
    job_id = stack.index("PLgen-5-mine-short")
    stack.finish(job_id)
    for method, path in (
        ("GET", f"/api/jobs/{job_id}"),
        ("GET", f"/api/jobs/{job_id}/videos"),
        ("POST", f"/api/jobs/{job_id}/retry"),
        ("POST", f"/api/jobs/{job_id}/cancel"),
        ("DELETE", "/api/playlists/PLgen-5-mine-short"),
    ):
        assert stack.request(method, path, "stranger").status_code == 404, (method, path)
        assert stack.request(method, path, None).status_code == 401, (method, path)
    phrase = generate.phrase_of(ids_of("PLgen-5-mine-short")[0]).text
    assert stack.search(f'"{phrase}"', "stranger")["total"] == 0
