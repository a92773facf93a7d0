"""What becomes of YouTube's answers: another attempt, a settled video with a reason, or a failed one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import doomed
from tests.invariants import asked, check, ledger
from tests.stack import Stack


@pytest.fixture(autouse=True)
def _reset(stack: Stack) -> Iterator[None]:
    stack.fake_youtube.reset("stats", "faults", "latency")
    yield
    stack.fake_youtube.reset("faults")


def _define(stack: Stack, playlist: str, videos: dict[str, str]) -> None:
    """A playlist of videos that can be fetched. ``videos``: ids and titles."""
    lines = [[0.0, 4.0, "something worth hearing"]]
    stack.fake_youtube.define(
        videos=[
            {"id": video_id, "title": title, "tracks": [{"language": "en", "kind": "human", "lines": lines}]}
            for video_id, title in videos.items()
        ],
        playlists=[{"id": playlist, "title": playlist, "videos": list(videos)}],
    )


_PASSING: list[dict[str, Any]] = [
    {"kind": "5xx", "endpoints": ["player"]},
    {"kind": "5xx", "endpoints": ["timedtext"]},
    {"kind": "empty", "endpoints": ["timedtext"]},
    {"kind": "empty", "endpoints": ["player"]},
    {"kind": "truncated", "endpoints": ["timedtext"]},
    {"kind": "garbage", "endpoints": ["timedtext"]},
    {"kind": "garbage", "endpoints": ["player"]},
    {"kind": "reset", "endpoints": ["player"]},
    {"kind": "cut", "endpoints": ["timedtext"]},
    {"kind": "hang", "endpoints": ["timedtext"]},
    {"kind": "po_token", "endpoints": ["player"]},
]


def test_after_an_error_that_passes_another_attempt_succeeds(stack: Stack) -> None:
    videos = {f"passing{number:04d}": f"Fault {number}" for number in range(len(_PASSING))}
    _define(stack, "PLpassing", videos)
    for video_id, fault in zip(videos, _PASSING, strict=True):
        stack.fake_youtube.fault(videos=[video_id], times=1, **fault)
    job_id = stack.index("PLpassing")
    stack.finish(job_id)
    job = check(stack, job_id, videos)
    assert job["counts"]["indexed"] == len(videos)
    attempts = {video_id: video["attempts"] for video_id, video in ledger(stack, job_id).items()}
    for video_id, fault in zip(videos, _PASSING, strict=True):
        # After a broken answer the player is asked once more in the same attempt, for a whole answer.
        least = 0 if fault["endpoints"] == ["player"] and fault["kind"] in ("5xx", "empty", "garbage") else 1
        assert least <= attempts[video_id] <= 1, fault


_FINAL: dict[str, tuple[str, str]] = {
    "unavailable": ("unavailable", "no longer on YouTube"),
    "age_restricted": ("unavailable", "adults only"),
    "private": ("unavailable", "Private video"),
    "deleted": ("unavailable", "does not play the video"),
    "members_only": ("unavailable", "member"),
    "region_blocked": ("unavailable", "country"),
    "premiere": ("no_transcript", "remier"),
    "captions_disabled": ("no_transcript", "no captions"),
}


def test_a_final_answer_settles_the_video_at_once_with_a_reason(stack: Stack) -> None:
    # Until a partial answer of the player has had caption tracks, the player is asked twice for other videos.
    _define(stack, "PLheard", {"heard000001": "Heard"})
    stack.finish(stack.index("PLheard"))
    videos = {f"final{number:06d}": kind for number, kind in enumerate(_FINAL)}
    _define(stack, "PLfinal", videos)
    for video_id, kind in videos.items():
        if kind == "unavailable":
            # videos.list has to leave it out, too.
            stack.fake_youtube.define(videos=[{"id": video_id, "status": kind}])
        else:
            stack.fake_youtube.fault(kind, videos=[video_id])
    job_id = stack.index("PLfinal")
    stack.finish(job_id)
    check(stack, job_id, videos)
    found = ledger(stack, job_id)
    for video_id, kind in videos.items():
        state, words = _FINAL[kind]
        assert found[video_id]["state"] == state, found[video_id]
        assert words in found[video_id]["reason"], found[video_id]
        assert found[video_id]["attempts"] == 0
    # "No captions" is always confirmed by a whole answer.
    requests = {kind: asked(stack, videos)[video_id] for video_id, kind in videos.items()}
    assert requests.pop("captions_disabled") <= 2
    assert set(requests.values()) == {1}


def test_a_job_waits_for_the_quota_of_the_data_api_and_says_how_long(stack: Stack) -> None:
    _define(stack, "PLquota", {"quota000001": "Quota"})
    stack.fake_youtube.fault("quota_exceeded", videos=["PLquota"])
    job_id = stack.index("PLquota")
    stack.wait_for(lambda: stack.job(job_id)["blocked_until"], 60, "the job says how long it waits")
    job = stack.job(job_id)
    assert "quota" in job["error"]
    assert job["state"] in ("queued", "planning")
    assert stack.post(f"/api/jobs/{job_id}/cancel").json()["state"] == "cancelled"


def test_planning_is_retried_while_the_data_api_fails(stack: Stack) -> None:
    _define(stack, "PLbackend", {"backend0001": "Backend"})
    stack.fake_youtube.fault("backend_error", videos=["PLbackend"], total=2)
    job_id = stack.index("PLbackend")
    stack.finish(job_id)
    check(stack, job_id, ["backend0001"])
    assert stack.job(job_id)["error"] is None


@pytest.mark.timeout(240)
def test_a_video_that_is_always_refused_fails_and_can_be_retried(stack: Stack, doomed_job: str) -> None:
    job = stack.finish(doomed_job, doomed.USER, timeout=200)
    assert job["counts"] == {"pending": 0, "indexed": 1, "no_transcript": 0, "unavailable": 0, "failed": 1}
    assert job["state"] == "done"
    (video,) = ledger(stack, doomed_job, doomed.USER, state="failed").values()
    assert video["video_id"] == doomed.VIDEO
    assert "try again later" in video["reason"]
    assert "Given up after" in video["reason"]
    doomed.heal(stack)
    assert stack.post(f"/api/jobs/{doomed_job}/retry", doomed.USER).json()["state"] == "running"
    stack.finish(doomed_job, doomed.USER)
    check(stack, doomed_job, [doomed.VIDEO, doomed.COMPANION], doomed.USER)
    assert stack.search("deliverance", doomed.USER)["total"] == 1
