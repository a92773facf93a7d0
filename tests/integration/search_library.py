"""A small library in many languages, in the real Elasticsearch, for the tests of search."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import clients, config, search, search_index, search_scope
from shared.search_documents import VideoDocument
from shared.search_params import Params
from shared.transcripts import Line, Lines

USER = "ada"
LIBRARY = ("PLtalks", "PLmore")


def video(video_id: str, title: str, language: str | None, *texts: str, **more: Any) -> VideoDocument:
    """A video with a caption line each four seconds, the first one after half a second."""
    lines = Lines.of_rows(Line(0.5 + 4 * number, 3.9, text) for number, text in enumerate(texts))
    fields: dict[str, Any] = {
        "description": "",
        "channel": "Harbour Talks",
        "channel_id": "UCharbour",
        "published_at": datetime(2023, 5, 17, tzinfo=UTC),
        "duration_seconds": 600,
        "views": 1000,
        "thumbnail_url": None,
        "generated": False,
    }
    return VideoDocument(video_id=video_id, title=title, language=language, lines=lines, **{**fields, **more})


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
#: Indexed, but in nobody's library but eve's.
SECRET = video("secret", "Secret bowline sea", "en", "the sea rises twice a day for zanzibarites only")


@contextmanager
def environment(**variables: str) -> Iterator[str]:
    """An index prefix of its own on the real server; its indices are removed at the end."""
    url = os.environ["ELASTICSEARCH_URL"]  # set by the fixture elasticsearch_url
    prefix = f"t{uuid.uuid4().hex[:12]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELASTICSEARCH_INDEX_PREFIX", prefix)
        for name, value in variables.items():
            patch.setenv(name, value)
        _forget()
        try:
            yield prefix
        finally:
            patch.setenv("ELASTICSEARCH_URL", url)
            _forget()
            es = clients.elasticsearch()
            for index in es.indices.get(index=f"{prefix}-*"):
                es.indices.delete(index=index)
            es.close()
    _forget()


def _forget() -> None:
    config.load.cache_clear()
    clients.elasticsearch.cache_clear()
    search_scope._remembered.clear()
    search_index._rebuild.forget()


def fill() -> None:
    search_index.write([(each, 1) for each in [*VIDEOS, SECRET]])
    half = len(VIDEOS) // 2
    search_index.write_library(USER, "PLtalks", [each.video_id for each in VIDEOS[:half]], 1)
    search_index.write_library(USER, "PLmore", [each.video_id for each in VIDEOS[half - 1 :]], 1)
    search_index.write_library("eve", "PLsecret", ["secret"], 1)
    search_index.refresh()


def ask(q: str = "", **more: Any) -> dict[str, Any]:
    return search.search(LIBRARY, USER, Params(q=q, **more), {"PLtalks": "Talks", "PLmore": "More"})


def ids(q: str = "", **more: Any) -> list[str]:
    return [hit["video_id"] for hit in ask(q, **{"limit": 50, **more})["hits"]]


def plain(segments: list[dict[str, Any]]) -> str:
    return "".join(segment["text"] for segment in segments)


def matches(segments: list[dict[str, Any]]) -> list[str]:
    return [segment["text"] for segment in segments if segment["match"]]
