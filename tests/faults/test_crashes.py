"""Processes killed in the middle of a job: the end is the same as if nothing had happened.

Each function at each of its writes: test_boundaries.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from infra.local.standin import generate
from tests.faults.arming import Failpoints
from tests.invariants import asked, check, ids_of
from tests.stack import Stack

#: Videos of a playlist of 5,000 that can be fetched; nobody knows the others (any more).
_THERE = 1500


@pytest.fixture(autouse=True)
def _count_from_here(stack: Stack) -> Iterator[None]:
    stack.standin.reset("stats", "faults", "latency")
    yield
    stack.standin.reset("latency", "faults")


def test_elasticsearch_and_pubsub_end_in_the_middle_of_a_job(stack: Stack) -> None:
    """Pub/Sub forgets all it had; what is started meanwhile is not lost; nobody fetches again."""
    stack.standin.latency(player=0.4, timedtext=0.4)
    expected, later = ids_of("PLgen-150-outage-short"), ids_of("PLgen-5-down-short")
    job_id = stack.index("PLgen-150-outage-short")

    def in_the_middle() -> bool:
        counts = stack.job(job_id)["counts"]
        return bool(sum(counts.values()) - counts["pending"] >= 20)

    stack.wait_for(in_the_middle, 120, "20 videos are settled")
    killed = {name: stack.kill(name) for name in ("elasticsearch", "pubsub")}
    answer = stack.post("/api/index", json={"playlist": "PLgen-5-down-short"})
    assert answer.status_code == 202, answer.text
    stack.wait_until_back(killed)
    for each, videos in ((job_id, expected), (str(answer.json()["job_id"]), later)):
        stack.finish(each, timeout=150)
        check(stack, each, videos)
    assert set(asked(stack, expected + later).values()) == {1}


@pytest.mark.timeout(600)
def test_five_thousand_videos_whose_planner_dies_half_way(stack: Stack) -> None:
    there = ids_of(f"PLgen-{_THERE}-many-short")
    gone = [f"gone{number:07d}" for number in range(5000 - _THERE)]
    expected = [*there, *gone]
    random.Random(5000).shuffle(expected)
    stack.standin.define(playlists=[{"id": "PLmany", "title": "Many", "videos": expected}])
    failpoints = Failpoints(stack, "planner")
    job_id = stack.index("PLmany")
    stack.wait_for(lambda: sum(stack.job(job_id)["counts"].values()) > 2000, 120, "2,000 are listed")
    failpoints.arm("planner", "after publish videos")
    stack.wait_for(lambda: not failpoints.armed("planner"), 60, "the planner dies")
    assert stack.job(job_id)["total"] is None
    stack.finish(job_id, timeout=500)
    job = check(stack, job_id, expected)
    assert (job["counts"]["indexed"], job["counts"]["unavailable"]) == (_THERE, len(gone))
    assert set(asked(stack, there).values()) == {1}
    for video_id in there[::250]:
        (hit,) = stack.search(f'"{generate.phrase_of(video_id).text}"')["hits"]
        assert hit["video_id"] == video_id
