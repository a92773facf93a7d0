"""What a request may say of the videos that it adds."""

from __future__ import annotations

from typing import Any, cast

import pytest

from shared.config import Config
from shared.errors import NotFound
from shared.library import memberships
from shared.library.packing import pack_times, unpack_times
from shared.pipeline.collecting import Collecting, NewVideos, _videos_from
from shared.pipeline.start import Start
from tests.unit.in_memory import InMemory

VIDEO = "dQw4w9WgXcQ"


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1999-12-31"]
)
def test_a_time_before_youtube_or_outside_of_all_years_is_refused(at: str) -> None:
    videos, (refused,) = _videos_from([{"video": VIDEO, "added_at": at}])
    assert videos == {}
    assert refused["detail"].startswith("added_at: ")


@pytest.mark.parametrize("at", ["2005-01-01T00:00:00Z", "2024-01-31T12:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_what_is_accepted_can_be_read_again(at: str) -> None:
    videos, refused = _videos_from([{"video": VIDEO, "added_at": at}])
    assert refused == []
    (time,) = unpack_times(pack_times(videos.values()))
    assert time is not None
    assert time.year >= 2005


def test_a_request_without_any_video_makes_nothing() -> None:
    db = InMemory()
    none = cast(Any, None)
    collecting = Collecting(db, none, Start(Config(), db, none))
    answer, status = collecting.add("ann", "saved", NewVideos(["no video"]))
    assert (status, answer["added"], answer["job_id"], len(answer["refused"])) == (200, 0, None, 1)
    assert memberships.titles(db, "ann") == {}
    with pytest.raises(NotFound):
        collecting.add("ann", "collection-0123456789abcdef", NewVideos(["no video"]))
