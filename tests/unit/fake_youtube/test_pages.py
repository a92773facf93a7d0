"""Thumbnails, the embedded player, and unknown pages."""

from __future__ import annotations

import json
import re

import pytest
import requests
from defusedxml import ElementTree

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import TIMEOUT_SECONDS

VIDEO = generate.video_id("pages", 0)
HOSTILE = "</script><script>alert(1)</script>\"'&<b>"


def get(server: LiveServer, path: str) -> requests.Response:
    return requests.get(server.url + path, timeout=TIMEOUT_SECONDS)


@pytest.mark.parametrize("name", ["default", "mqdefault", "hqdefault", "maxresdefault"])
def test_thumbnail_shows_the_title(server: LiveServer, name: str) -> None:
    answer = get(server, f"/vi/{VIDEO}/{name}.jpg")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    drawing = ElementTree.fromstring(answer.text)
    video = generate.video(VIDEO)
    assert video is not None
    text = " ".join(element.text or "" for element in drawing.iter("{http://www.w3.org/2000/svg}text"))
    assert text.startswith(video.title[:20])


def test_thumbnail_of_a_hostile_title_is_plain_text(server: LiveServer) -> None:
    server.control("playlists", {"videos": [{"id": "hostileVid0", "title": HOSTILE + "\x00長い題名" * 9}]})
    drawing = get(server, "/vi/hostileVid0/hqdefault.jpg").text
    ElementTree.fromstring(drawing)
    assert "<script>" not in drawing
    assert drawing != get(server, f"/vi/{VIDEO}/hqdefault.jpg").text


def test_embed_page_contains_the_captions(server: LiveServer) -> None:
    server.control(
        "playlists",
        {"videos": [{"id": "hostileVid0", "title": HOSTILE, "tracks": [{"lines": [[1, 2, HOSTILE]]}]}]},
    )
    page = get(server, "/embed/hostileVid0?start=1&enablejsapi=1").text
    assert "<script>alert" not in page
    (data,) = re.findall(r'<script id="video" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data)["lines"] == [[1, 2, HOSTILE]]
    assert get(server, "/fake_youtube/embed.js").headers["Content-Type"].startswith("text/javascript")
    assert get(server, "/fake_youtube/embed.css").status_code == 200


def test_embed_page_of_an_unknown_video_says_that_it_is_unavailable(server: LiveServer) -> None:
    assert "This video is unavailable" in get(server, "/embed/AAAAAAAAAAA").text


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/embed/", "/vi/x", "/fake_youtube/../server.py", "/_control/x"]
)
def test_unknown_page_is_not_found(server: LiveServer, path: str) -> None:
    assert get(server, path).status_code == 404
