"""Processes are killed in the middle of a job: it ends as if nothing had happened.

test_boundaries.py kills each function at each of its writes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from infra.local.fake_youtube.library import generate
from tests.faults.arming import Failpoints
from tests.invariants import asked, check, ids_of
from tests.stack import Stack

#: The videos of a playlist of 5,000 that can be fetched. The others are unavailable.
_AVAILABLE = 500


@pytest.fixture(autouse=True)
def _reset(stack: Stack) -> Iterator[None]:
    stack.fake_youtube.reset("stats", "faults", "latency")
    yield
    stack.fake_youtube.reset("latency", "faults")


def test_a_job_survives_a_crash_of_elasticsearch_and_pubsub(stack: Stack) -> None:
    """Pub/Sub forgets its messages. A job started meanwhile is not lost, and no video is fetched twice."""
    stack.fake_youtube.latency(player=0.4, timedtext=0.4)
    expected, later = ids_of("PLgen-150-outage-short"), ids_of("PLgen-5-down-short")
    job_id = stack.index("PLgen-150-outage-short")

    def in_the_middle() -> bool:
        counts = stack.job(job_id)["counts"]
        return bool(sum(counts.values()) - counts["pending"] >= 20)

    stack.wait_for(in_the_middle, 120, "20 videos are settled")
    before = stack.components()
    killed = {name: stack.kill(name) for name in ("elasticsearch", "pubsub")}
    answer = stack.post("/api/index", json={"playlist": "PLgen-5-down-short"})
    assert answer.status_code == 202, answer.text
    now = stack.wait_until_back(killed)
    assert {name: now[name]["port"] for name in now} == {name: before[name]["port"] for name in now}
    for each, videos in ((job_id, expected), (str(answer.json()["job_id"]), later)):
        stack.finish(each, timeout=150)
        check(stack, each, videos)
    assert set(asked(stack, expected + later).values()) == {1}


@pytest.mark.timeout(600)
def test_five_thousand_videos_are_indexed_although_the_planner_dies_half_way(stack: Stack) -> None:
    available = ids_of(f"PLgen-{_AVAILABLE}-many-short")
    gone = [f"gone{number:07d}" for number in range(5000 - _AVAILABLE)]
    expected = [*available, *gone]
    random.Random(5000).shuffle(expected)
    stack.fake_youtube.define(playlists=[{"id": "PLmany", "title": "Many", "videos": expected}])
    failpoints = Failpoints(stack, "planner")
    job_id = stack.index("PLmany")
    stack.wait_for(lambda: sum(stack.job(job_id)["counts"].values()) > 2000, 120, "2,000 videos are listed")
    failpoints.arm("planner", "after publish videos")
    stack.wait_for(lambda: not failpoints.armed("planner"), 60, "the planner dies")
    assert stack.job(job_id)["total"] is None
    stack.finish(job_id, timeout=500)
    job = check(stack, job_id, expected)
    assert (job["counts"]["indexed"], job["counts"]["unavailable"]) == (_AVAILABLE, len(gone))
    assert set(asked(stack, available).values()) == {1}
    for video_id in available[::100]:
        (hit,) = stack.search(f'"{generate.phrase_of(video_id).text}"')["hits"]
        assert hit["video_id"] == video_id
