"""The sample library: from text files to videos with caption lines."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from infra.local.fake_youtube.library.catalog import SAMPLE_PLAYLIST
from infra.local.fake_youtube.library.samples import SampleError, caption_lines, read_file, read_library
from infra.local.fake_youtube.live_server import live_server
from tests.unit.fake_youtube.clients import Clients

TALK = """title: Sharpening without tears
channel: A workshop
published: 2021-03-14
language: en
kind: generated
words_per_minute: 150
description: First line.\\nSecond line.

Good evening everybody. Tonight we sharpen one chisel, and only one, because one is enough to learn from.

Take the stone, wet it, and lay the bevel flat on it. Do you feel how it wants to stick? That is the sign.

--- track: language=de kind=human

Guten Abend zusammen. Heute schärfen wir ein einziges Stemmeisen, denn an einem lernt man genug.
"""
PRIVATE = "title: Not for you\nchannel: A workshop\npublished: 2020-01-01\nstatus: private\n\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "a-talk.txt").write_text(TALK, encoding="utf-8")
    (tmp_path / "b-private.txt").write_text(PRIVATE, encoding="utf-8")
    return tmp_path


def test_file_is_read_as_a_video(library: Path) -> None:
    video = read_file(library / "a-talk.txt")
    assert len(video.id) == 11
    assert video.published_at.startswith("2021-03-14T")
    assert video.description == "First line.\nSecond line."
    assert [(track.language, track.generated) for track in video.tracks] == [("en", True), ("de", False)]
    text = " ".join(line.text for line in video.tracks[0].lines())
    assert text.startswith("Good evening everybody. Tonight we sharpen")
    assert text.endswith("That is the sign.")
    assert "Guten" not in text
    assert read_file(library / "a-talk.txt").id == video.id


def test_library_is_served_as_a_playlist_with_captions(library: Path) -> None:
    with live_server(library) as server:
        clients = Clients(server)
        items = (
            clients.data_api()
            .playlistItems()
            .list(part="snippet,contentDetails", playlistId=SAMPLE_PLAYLIST, maxResults=50)
            .execute()["items"]
        )
        assert [item["snippet"]["title"] for item in items] == ["Sharpening without tears", "Private video"]
        found = clients.transcripts().list(items[0]["contentDetails"]["videoId"])
        assert found.find_transcript(["de"]).fetch()[0].text.startswith("Guten Abend")
        clients.close()


def test_real_library_has_well_formed_captions() -> None:
    videos = read_library()
    assert len(videos) >= 24
    assert len({video.id for video in videos}) == len(videos)
    assert len({video.language for video in videos}) >= 6
    for video in videos:
        for track in video.tracks:
            lines = track.lines()
            assert all(line.text for line in lines)
            assert all(one.start + one.duration <= two.start + 0.02 for one, two in pairwise(lines))
    durations = [line.duration for video in videos for track in video.tracks for line in track.lines()]
    assert sum(3 <= duration <= 6 for duration in durations) > 0.97 * len(durations)
    assert min(durations) > 2
    assert max(durations) < 8


def test_lines_have_all_words_at_the_given_pace() -> None:
    words = [f"word{k}" for k in range(300)]
    lines = caption_lines([" ".join(words)], "en", 150)
    assert " ".join(line.text for line in lines).split() == words
    spoken = lines[-1].start + lines[-1].duration - lines[0].start
    assert spoken == pytest.approx(120, abs=1)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "今日は台所にある普通の包丁を、砥石一本で研いでみます。「むずかしい」道具はいりません。" * 4),
        ("zh-Hans", "大家好，请坐。水刚刚放上炉子，所以我们有一点时间。很多人觉得等水是浪费时间。" * 4),
        ("th", "สวัสดีค่ะ วันนี้เราจะตำพริกแกงด้วยกัน ครูขอให้ทุกคนปิดเครื่องปั่นก่อนนะคะ " * 4),
    ],
)
def test_language_without_spaces_is_cut_between_characters(language: str, text: str) -> None:
    lines = caption_lines([text.strip()], language, 300)
    assert len(lines) > 3
    assert "".join(line.text.replace(" ", "") for line in lines) == text.replace(" ", "")
    assert all(line.text[0] not in "、。，」" for line in lines)
    assert all(2.5 <= line.duration <= 7 for line in lines)


def test_empty_text_has_no_lines() -> None:
    assert caption_lines([], "en", 150) == ()
    assert caption_lines(["  "], "en", 150) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("published: 2021-03-14", "published: March"), "expected `published` to be YYYY-MM-DD"),
        (("title: Sharpening without tears\n", ""), "expected a header `title:`"),
        (("language: en", "lang: en"), "expected one of the headers"),
        (("words_per_minute: 150", "words_per_minute: fast"), "expected `words_per_minute` to be a number"),
        (("kind: generated", "status: gone"), "expected `status` to be one of"),
        (("kind: generated", "id: short"), "expected `id` to have 11 characters"),
    ],
)
def test_error_names_the_file_and_the_header(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "wrong.txt"
    path.write_text(TALK.replace(*change), encoding="utf-8")
    with pytest.raises(SampleError, match=message) as error:
        read_file(path)
    assert "wrong.txt" in str(error.value)
