"""A small library in many languages, in the real Elasticsearch, for the tests of search."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from shared.config import Config
from shared.search.index.writer import SearchIndex
from shared.search.params import Params
from shared.search.server import SearchServer
from shared.search.service import Search
from tests.stored_videos import StoredVideo, video

USER = "ada"
TITLES = {"PLtalks": "Talks", "PLmore": "More"}

VIDEOS = [
    video(
        "tides",
        "How tides work",
        "en-GB",
        "Welcome. Today we ask why the sea",
        "rises twice a day. The moon pulls",
        "the water, and so does the sun.",
        "They don’t always pull together.",
        "At the end: why the sea rises twice",
        "a day, in one sentence.",
        description="A lecture about the ocean.\n\nWith drawings.",
        published_at=datetime(2021, 3, 1, tzinfo=UTC),
        duration_seconds=1500,
    ),
    video(
        "ropes",
        "Knots and ropes for sailors",
        "en",
        "a bowline is a knot for sailors",
        "it holds while the rope is pulled",
        "sailors tied it in the dark",
        "and the sea was rough that day",
        generated=True,
        duration_seconds=300,
        channel="Café Corderie",
        channel_id="UCcorderie",
    ),
    video(
        "foret",
        "Les études de la forêt",
        "fr",
        "Nous étudions la forêt",
        "à côté de la rivière",
        "où chantent les oiseaux",
        published_at=datetime(2024, 2, 29, 12, tzinfo=UTC),
        duration_seconds=4000,
    ),
    video("kikai", "機械学習の話", "ja", "今日は機械", "学習とコンピューターの", "話をします"),
    video("jiqi", "机器学习", "zh-Hans", "今天我们学习机器", "学习的基本概念", "机器学习很好"),
    video("hakgyo", "학교 이야기", "ko", "아이들은 학교에서", "공부하고 있습니다"),
    video("thai", "ภาษาไทย", "th", "ฉันรักการเรียนรู้", "ของเครื่องทุกวัน"),
    video("les", "Лес", "ru", "в лесу родилась ёлочка", "в лесу она росла"),
    video("haus", "Häuser bauen", "de-AT", "wir bauen die Häuser", "aus Holz und Lehm", "am großen Fluss"),
    video(
        "quiet", "A quiet sea", None, description="No words, only waves and a bowline.", duration_seconds=60
    ),
    video("klingon", "Something else", "tlh", "nuqneH tlhIngan", "maH Qapla'"),
]
#: Indexed, but only in eve's library.
SECRET = video("secret", "Secret bowline sea", "en", "the sea rises twice a day for zanzibarites only")


def config_of(url: str, prefix: str) -> Config:
    return Config(elasticsearch_url=url, elasticsearch_index_prefix=prefix)


class SearchLibrary:
    """Indices of its own on the real server, and the objects that write and search them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.prefix = f"t{uuid.uuid4().hex[:12]}"
        self.server = SearchServer(config_of(url, self.prefix))
        self.index = SearchIndex(self.server, remembered=0)
        self.service = Search(self.server)

    def fill(self) -> None:
        """Indexes all videos, half of them in each of ada's playlists, one in both."""
        self.write(*VIDEOS, SECRET)
        half = len(VIDEOS) // 2
        self.put("PLtalks", VIDEOS[:half])
        self.put("PLmore", VIDEOS[half - 1 :])
        self.put("PLsecret", [SECRET], user_id="eve")

    def write(self, *videos: StoredVideo, version: int = 1) -> None:
        """Indexes videos so that a search finds them."""
        self.index.write([each.write(version) for each in videos])
        self.index.refresh()

    def put(
        self, playlist_id: str, videos: Sequence[StoredVideo], *, version: int = 1, user_id: str = USER
    ) -> None:
        self.index.write_membership(user_id, playlist_id, [each.video_id for each in videos], version)

    def search(self, q: str = "", **params: Any) -> Any:
        """A search of ada's."""
        return self.service.search(USER, TITLES, Params(q=q, **params))

    def ids(self, q: str = "", **params: Any) -> list[str]:
        """The videos that have all words."""
        answer = self.search(q, **{"limit": 50, **params})
        return [hit["video_id"] for hit in answer["hits"]] if answer["match"] == "all_words" else []

    def remove(self) -> None:
        client = self.server.client
        for index in client.indices.get(index=f"{self.prefix}-*"):
            client.indices.delete(index=index)
        client.close()


@contextmanager
def empty_library(url: str) -> Iterator[SearchLibrary]:
    """Nothing is indexed. The indices are removed at the end."""
    library = SearchLibrary(url)
    try:
        yield library
    finally:
        library.remove()


@contextmanager
def filled_library(url: str) -> Iterator[SearchLibrary]:
    with empty_library(url) as library:
        library.fill()
        yield library


def matches(segments: list[dict[str, Any]]) -> list[str]:
    """The texts of the marked segments."""
    return [segment["text"] for segment in segments if segment["match"]]
