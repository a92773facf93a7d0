"""Notes: properties, chapters, paragraphs of a sensible length, links to the second."""

from __future__ import annotations

import datetime
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import webvtt
import yaml

from shared.exports import files, notes
from shared.search.video import Whole
from shared.transcripts.transcript import Line

ABOUT: dict[str, Any] = {
    **{"video_id": "hNi6jQj9BOA", "title": "Tides: why?", "channel": "Harbour Talks", "language": "en"},
    **{
        "description": "0:00 Begin\n\nMore: https://x.example/a_b",
        "published_at": "2021-03-01T00:00:00.000Z",
    },
    **{"duration_seconds": 4000, "url": "https://www.youtube.com/watch?v=hNi6jQj9BOA", "reason": None},
    "chapters": [{"start": 0, "title": "Begin"}, {"start": 90, "title": "[[End]]"}],
}
PLAYLISTS = {"PLa": "Talks & more", "PLb": ""}


def spoken(number: int, text: str = "words that somebody says") -> list[Line]:
    return [Line(4.0 * each, 4.0, f"{text} {each}") for each in range(number)]


def whole(lines: list[Line], **about: Any) -> Whole:
    return Whole({**ABOUT, **about}, lines, PLAYLISTS)


def properties(note: str) -> dict[str, Any]:
    return dict(yaml.safe_load(note.split("---\n")[1]))


def test_a_note() -> None:
    note = notes.note(whole(spoken(40)))
    assert properties(note) == {
        **{
            "title": "Tides: why?",
            "aliases": ["Tides: why?"],
            "channel": "Harbour Talks",
            "url": ABOUT["url"],
        },
        **{"video_id": "hNi6jQj9BOA", "duration": "1:06:40", "language": "en"},
        "playlists": ["Talks & more", "PLb"],
        "tags": ["youtube", "channel/Harbour-Talks", "playlist/Talks-more", "playlist/PLb"],
        "published": datetime.date(2021, 3, 1),
    }
    assert re.findall(r"^#+ .*", note, re.MULTILINE) == [
        *("# Tides: why?", "## Description", "## Transcript", "### Begin", r"### \[\[End\]\]")
    ]
    assert "More: <https://x.example/a_b>" in note
    found = re.findall(r"^\[([0-9:]+)\]\((\S+)&t=(\d+)s\) (.+)$", note, re.MULTILINE)
    assert [second for _, _, second, _ in found] == ["0", "76", "92"]
    assert " ".join(text for *_, text in found) == " ".join(line.text for line in spoken(40))


@pytest.mark.parametrize(
    ("about", "says"),
    [({}, "This video has no captions."), ({"reason": "Captions <are> off."}, r"Captions \<are> off.")],
)
def test_a_note_without_captions(about: dict[str, Any], says: str) -> None:
    nothing = {"duration_seconds": None, "published_at": None, "language": None, "title": "", "channel": ""}
    note = notes.note(whole([], **nothing, description="", gone=True, **about))
    assert note.endswith(f"## Transcript\n\n{says}\n\n### Begin\n\n### \\[\\[End\\]\\]\n")
    assert properties(note).keys() == {"url", "video_id", "playlists", "tags", "gone"}


def lengths(lines: list[Line]) -> list[int]:
    return [len(part) for part in notes.paragraphs(lines)]


def test_paragraphs() -> None:
    # Without sentences and pauses, as in generated captions.
    assert lengths(spoken(40)) == [19, 19, 2]
    # At the end of a sentence, once there are thirty seconds.
    sentences = [line._replace(text="It ends.") for line in spoken(40)]
    assert lengths(sentences) == [8, 8, 8, 8, 8]
    # Before a pause.
    pause = [
        line if number < 10 else line._replace(start=line.start + 2) for number, line in enumerate(spoken(12))
    ]
    assert lengths(pause) == [10, 2]
    # Many words at once.
    assert lengths([Line(0, 1, "x" * 400)] * 7) == [3, 3, 1]
    assert lengths([]) == []


def test_lines_of_scripts_without_spaces_are_joined_without_spaces() -> None:
    assert "今日は機械学習の話" in notes.note(whole([Line(0, 1, "今日は機械"), Line(1, 1, "学習の話")]))


def test_the_index_links_to_every_note() -> None:
    odd = {**ABOUT, "video_id": "100percent1", "title": "100% (a) <b>", "published_at": None}
    text = "".join(notes.index([ABOUT, {**ABOUT, "video_id": "second00000"}, odd]))
    links = re.findall(r"\]\(<(.+?)>\)", text)
    assert [link.replace("%25", "%") for link in links] == [
        notes.name(each) for each in (ABOUT, {**ABOUT, "video_id": "second00000"}, odd)
    ]
    assert re.findall(r"^## .*", text, re.MULTILINE) == ["## 2021", "## No date"]
    assert "".join(notes.index([])).endswith("\nNo videos.\n")


VIDEOS = [whole(spoken(40)), whole([], video_id="silent00000"), whole(spoken(3), video_id="third000000")]


def rendered(form: str) -> bytes:
    return b"".join(files.render(VIDEOS, [each.about for each in VIDEOS], form))


def test_zips() -> None:
    with zipfile.ZipFile(io.BytesIO(rendered("markdown"))) as archive:
        assert archive.namelist() == [*(notes.name(each.about) for each in VIDEOS), "Index.md"]
        assert archive.read(archive.namelist()[0]).decode() == notes.note(VIDEOS[0])
    for form in ("srt", "vtt"):
        with zipfile.ZipFile(io.BytesIO(rendered(form))) as archive:
            assert archive.namelist() == [
                f"Tides why ({each}).en.{form}" for each in ("hNi6jQj9BOA", "third000000")
            ]
            text = io.StringIO(archive.read(archive.namelist()[0]).decode())
            read = webvtt.from_buffer(text, form)
            assert [cue.text for cue in read.captions] == [line.text for line in spoken(40)]


def test_json_lines() -> None:
    first, *_, end = map(json.loads, rendered("jsonl").splitlines())
    assert first["lines"][1] == {"start": 4.0, "duration": 4.0, "text": "words that somebody says 1"}
    assert first["playlists"][0] == {"playlist_id": "PLa", "title": "Talks & more"}
    assert end == {"done": True, "videos": 3}


@pytest.mark.parametrize("form", files.FORMS)
def test_an_export_that_breaks_off_has_no_end(form: str) -> None:
    def broken() -> Iterator[Whole]:
        yield VIDEOS[0]
        raise ConnectionError

    pieces: list[bytes] = []
    with pytest.raises(ConnectionError):
        pieces += files.render(broken(), [], form)
    for piece in files.render(broken(), [], form):
        pieces.append(piece)
        break
    assert pieces
    assert not zipfile.is_zipfile(io.BytesIO(b"".join(pieces)))
    assert b'"done"' not in b"".join(pieces)
