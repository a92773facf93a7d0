"""`export`: answers that break off are kept, and joined to what one whole answer would have been."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from infra.local.cli.__main__ import parser, separate
from infra.local.cli.api import Api, ApiError
from infra.local.cli.export import Parts, export
from infra.local.state_dir import StateDir
from shared.exports import files
from shared.search.video import Whole
from shared.transcripts.transcript import Line

_REST = {"description": "", "channel": "x", "published_at": None, "duration_seconds": 9, "language": "en"}
VIDEOS = [
    Whole(
        {
            **_REST,
            "video_id": f"video{number:06}",
            "title": f"(a).en {number}",
            "url": "u",
            "chapters": [],
            "reason": "",
        },
        [Line(0, 1, "word " * number)],
        {},
    )
    for number in range(20)
]


def answer(form: str, cursor: str | None) -> bytes:
    rest = [each for each in VIDEOS if each.video_id > (cursor or "")]
    return b"".join(files.render(rest, [each.about for each in VIDEOS], form))


def content(form: str, made: bytes) -> object:
    if form == "jsonl":
        return made
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return {name: archive.read(name) for name in archive.namelist()} | {"number": len(archive.namelist())}


def breaking(pieces: bytes, at: int) -> Iterator[bytes]:
    yield pieces[:at]
    raise ConnectionError


@pytest.mark.parametrize("form", files.FORMS)
def test_an_export_that_breaks_off_anywhere_becomes_whole(form: str, tmp_path: Path) -> None:
    target, whole = tmp_path / "file", answer(form, None)
    for at in range(0, len(whole), 211):
        with pytest.raises(ConnectionError):
            Parts(target, form, []).add(breaking(whole, at))
        # As another process finds it.
        parts = Parts(target, form, [])
        assert not parts.complete
        rest = answer(form, parts.cursor)
        with pytest.raises(ConnectionError):
            parts.add(breaking(rest, len(rest) // 2))
        parts = Parts(target, form, [])
        parts.add(iter([answer(form, parts.cursor)]))
        assert parts.complete
        assert parts.join() == len(VIDEOS)
        assert content(form, target.read_bytes()) == content(form, whole), at
        assert list(tmp_path.iterdir()) == [target]


def test_another_search_does_not_go_on_with_it(tmp_path: Path) -> None:
    target = tmp_path / "file"
    Parts(target, "jsonl", [("q", "a")]).add(iter([answer("jsonl", None)[:5000]]))
    assert Parts(target, "jsonl", [("q", "a")]).cursor
    assert Parts(target, "jsonl", [("q", "b")]).cursor is None
    Parts(target, "jsonl", [("q", "a")]).remove()
    assert list(tmp_path.iterdir()) == []
    assert json.loads(answer("jsonl", None).splitlines()[-1])["done"]


def test_what_nobody_goes_on_with_for_a_week_is_removed(tmp_path: Path) -> None:
    target = tmp_path / "file.zip"
    own, old, new = (Parts(target, "srt", [("q", word)]) for word in ("own", "old", "new"))
    for parts in (own, old, new):
        parts.add(iter([answer("srt", None)[:5000]]))
    joined = tmp_path / ".file.zip.joined-x1_y"
    of_people = {tmp_path / name for name in ("file.zip", ".file.zip.notes", ".file.zip2.0123abcd.0", "tmpa")}
    for each in (joined, *of_people):
        each.write_text("x")
    kept = {*own._parts(), *new._parts(), *of_people}
    week_ago = time.time() - 7 * 86_400 - 60
    for each in set(tmp_path.iterdir()) - set(new._parts()):
        os.utime(each, (week_ago, week_ago))
    own.remove_old()
    assert set(tmp_path.iterdir()) == kept


def test_a_file_that_cannot_be_written_leaves_nothing_else(tmp_path: Path) -> None:
    api = Api("http://127.0.0.1:1", StateDir.at(tmp_path / "state"), "ada")
    with pytest.raises(ApiError, match="this is a directory"):
        export(api, "jsonl", [], tmp_path)
    parts = Parts(tmp_path / "file", "jsonl", [])
    parts.add(iter([answer("jsonl", None)]))
    full = patch("infra.local.cli.export._join_lines", side_effect=OSError(28, "No space left on device"))
    with full, pytest.raises(OSError, match="space"):
        parts.join()
    # Only what has come, so that --resume goes on with it.
    (kept,) = (each.name for each in tmp_path.iterdir() if each.is_file())
    assert kept.startswith(".file.")
    assert parts.join() == len(VIDEOS)


@pytest.mark.parametrize(
    ("argv", "words", "playlists"),
    [
        (["export"], [], []),
        (
            ["export", "bread", "-rye", "--playlist", "PLa", "--playlist=PLb"],
            ["bread", "-rye"],
            ["PLa", "PLb"],
        ),
        (["export", "--format", "jsonl", "-o", "x", "--resume", "-rye"], ["-rye"], []),
    ],
)
def test_arguments(argv: list[str], words: list[str], playlists: list[str]) -> None:
    arguments = parser().parse_args(separate(argv))
    assert (arguments.words, arguments.playlist) == (words, playlists)
