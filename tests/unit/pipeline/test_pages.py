"""Which videos of a listing are taken for gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from shared import clock
from shared.errors import Transient
from shared.pipeline.jobs import Job
from shared.pipeline.listings import ListedBy, Source
from shared.pipeline.pages import Pages
from shared.search.index.writer import SearchIndex
from shared.transcripts.videos import Metadata, VideoStore
from shared.youtube.data_api import DataApi
from shared.youtube.resources import Item, PlaylistInfo
from tests.unit.in_memory import InMemory

VIDEOS = [f"video{number:06d}" for number in range(6)]
JOB = Job("job1", "ann", "collection-0123456789abcdef", "planning", clock.now())


class YouTube:
    """Describes videos. ``empty``: how often it describes none before."""

    def __init__(self, empty: int) -> None:
        self.asked, self._empty = 0, empty

    def videos(self, video_ids: Sequence[str]) -> list[Metadata]:
        self.asked += 1
        return [metadata(each) for each in video_ids] if self.asked > self._empty else []


class _Index:
    def fingerprints(self, _: object) -> dict[str, str]:
        return {}


def metadata(video_id: str) -> Metadata:
    old = clock.now() - timedelta(days=40)
    return Metadata(
        video_id=video_id,
        title="A talk",
        description="",
        channel="Talks",
        channel_id="UCtalks",
        views=1,
        published_at=old,
        duration_seconds=100,
        thumbnail_url=None,
        fetched_at=old,
        listed=True,
    )


def source(by: ListedBy) -> Source:
    def pages() -> Iterator[Sequence[Item]]:
        yield [Item(each, "", "", "", None, position=at, gone=None) for at, each in enumerate(VIDEOS)]

    return Source(PlaylistInfo("Talks", None, len(VIDEOS), "public"), pages, by=by)


def of_collection(pages: Pages) -> list[Any]:
    return list(pages.of_source(JOB, source("person"), VIDEOS))


def of_videos(pages: Pages) -> list[Any]:
    return list(pages.of_videos(JOB, VIDEOS))


def listing(youtube: YouTube) -> tuple[Pages, VideoStore]:
    db = InMemory()
    store = VideoStore(db)
    store.save([metadata(each) for each in VIDEOS])
    return Pages(db, cast(SearchIndex, _Index()), cast(DataApi, youtube)), store


@pytest.mark.parametrize("listed", [of_collection, of_videos])
def test_all_videos_of_a_page_are_gone_if_youtube_says_so_twice(
    listed: Callable[[Pages], list[Any]],
) -> None:
    """A channel was closed, and nothing but videos.list tells what became of its videos."""
    pages, store = listing(YouTube(empty=2))
    (page,) = listed(pages)
    assert all(entry.state == "unavailable" for entry in page.entries)
    assert all(each.gone_at for each in store.read(VIDEOS).values())


@pytest.mark.parametrize("listed", [of_collection, of_videos])
def test_one_empty_answer_is_not_believed(listed: Callable[[Pages], list[Any]]) -> None:
    youtube = YouTube(empty=1)
    pages, store = listing(youtube)
    (page,) = listed(pages)
    assert all(entry.state == "pending" for entry in page.entries)
    assert not any(each.gone_at for each in store.read(VIDEOS).values())
    assert youtube.asked == 2


def test_a_playlist_that_shows_videos_is_believed_more() -> None:
    pages, store = listing(YouTube(empty=9))
    with pytest.raises(Transient, match="described none"):
        list(pages.of_source(JOB, source("everybody"), VIDEOS))
    assert not any(each.gone_at for each in store.read(VIDEOS).values())
