"""What a job is taken to cost."""

from __future__ import annotations

import pytest

from shared import clock
from shared.pipeline.jobs import Job
from shared.pipeline.usage import _quota_units


@pytest.mark.parametrize(
    ("only", "listed", "units"),
    [(0, 0, 1), (0, 50, 3), (0, 51, 5), (1, 0, 1), (1, 1, 1), (50, 50, 1), (500, 500, 10)],
)
def test_a_job_of_some_videos_costs_their_pages_of_metadata(only: int, listed: int, units: int) -> None:
    videos = tuple(f"video{number:06d}" for number in range(only))
    job = Job("job1", "ann", "PLx", "done", clock.now(), listed=listed, video_ids=videos)
    assert _quota_units(job) == units
