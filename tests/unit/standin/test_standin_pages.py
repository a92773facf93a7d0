"""Thumbnails, the embed page and the answers that a browser sees."""

from __future__ import annotations

import json
import re

import pytest
import requests
from defusedxml import ElementTree

from infra.local.standin import generate
from infra.local.standin.inprocess import InProcess
from tests.unit.standin.support import TIMEOUT_SECONDS

VIDEO = generate.video_id("pages", 0)
HOSTILE = "</script><script>alert(1)</script>\"'&<b>"


def get(standin: InProcess, path: str) -> requests.Response:
    return requests.get(standin.url + path, timeout=TIMEOUT_SECONDS)


@pytest.mark.parametrize("name", ["default", "mqdefault", "hqdefault", "maxresdefault"])
def test_thumbnails_are_drawn(standin: InProcess, name: str) -> None:
    answer = get(standin, f"/vi/{VIDEO}/{name}.jpg")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    drawing = ElementTree.fromstring(answer.text)
    video = generate.video(VIDEO)
    assert video is not None
    text = " ".join(element.text or "" for element in drawing.iter("{http://www.w3.org/2000/svg}text"))
    assert text.startswith(video.title[:20])


def test_thumbnails_differ_and_hostile_titles_stay_text(standin: InProcess) -> None:
    standin.control("playlists", {"videos": [{"id": "hostileVid0", "title": HOSTILE + "\x00長い題名" * 9}]})
    drawing = get(standin, "/vi/hostileVid0/hqdefault.jpg").text
    ElementTree.fromstring(drawing)
    assert "<script>" not in drawing
    assert drawing != get(standin, f"/vi/{VIDEO}/hqdefault.jpg").text


def test_the_embed_page_holds_the_captions(standin: InProcess) -> None:
    standin.control(
        "playlists",
        {"videos": [{"id": "hostileVid0", "title": HOSTILE, "tracks": [{"lines": [[1, 2, HOSTILE]]}]}]},
    )
    page = get(standin, "/embed/hostileVid0?start=1&enablejsapi=1").text
    assert "<script>alert" not in page
    (data,) = re.findall(r'<script id="video" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data)["lines"] == [[1, 2, HOSTILE]]
    assert get(standin, "/standin/embed.js").headers["Content-Type"].startswith("text/javascript")
    assert get(standin, "/standin/embed.css").status_code == 200


def test_an_embed_page_of_nothing_says_so(standin: InProcess) -> None:
    assert "This video is unavailable" in get(standin, "/embed/AAAAAAAAAAA").text


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/embed/", "/vi/x", "/standin/../server.py", "/_control/x"]
)
def test_pages_there_are_not(standin: InProcess, path: str) -> None:
    assert get(standin, path).status_code == 404
