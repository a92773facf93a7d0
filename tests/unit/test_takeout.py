"""The page's reader of Google Takeout, run by the Node.js that comes with Playwright."""

from __future__ import annotations

import json
import struct
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from tests import takeout
from tests.takeout import ENGLISH, GERMAN, Words
from tests.unit.test_frontend import FRONTEND

_VIDEOS = [(f"video{number:06}", f"2024-03-{number + 1:02}T10:20:30") for number in range(5)]
_SCRIPT = """
import { openAsBlob } from "node:fs";
import { basename } from "node:path";
const { readTakeout, chooseWatched } = await import(process.argv[1]);
const [paths, choice] = JSON.parse(process.argv[2]);
const open = async (path) => new File([await openAsBlob(path)], basename(path));
const files = await Promise.all(paths.map(open));
const found = await readTakeout(files);
if (choice) found.chosen = chooseWatched(found.watched.rows, ...choice);
process.stdout.write(JSON.stringify(found));
"""
_END64 = (16, b"\xff" * 4)
#: Reads files, `{name: content}`; `choice` as in chooseWatched.
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    node, _ = compute_driver_executable()
    module = (FRONTEND / "takeout-read.js").as_uri()

    def read(files: Mapping[str, str | bytes], choice: Sequence[object] | None = None) -> dict[str, Any]:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        arguments = json.dumps([[str(tmp_path / name) for name in files], choice])
        command = [str(node), "--input-type=module", "--eval", _SCRIPT, module, arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stderr
        return dict(json.loads(result.stdout))

    return read


def _titles(found: Mapping[str, Any]) -> dict[str, int]:
    return {each["title"]: len(each["videos"]) for each in found["collections"]}


def _ids(videos: list[dict[str, Any]]) -> list[str]:
    return [video["video"] for video in videos]


@pytest.mark.parametrize("words", [ENGLISH, GERMAN], ids=["english", "german"])
@pytest.mark.parametrize("kind", ["json", "html"])
def test_a_whole_takeout_is_read(read: Read, words: Words, kind: str) -> None:
    newest_first = _VIDEOS[::-1]
    if kind == "json":
        history = takeout.history_json(newest_first, removed=3, ads=2)
    else:
        times = [
            (video, f"{5 - number}.03.2024, 10:20:30 UTC") for number, (video, _) in enumerate(newest_first)
        ]
        history = takeout.history_html(times, removed=3, ads=2)
    long = "Everything about bread, and what the neighbours say about it"
    found = read(
        {
            "takeout-20240401-001.zip": takeout.zipped(
                takeout.files(
                    {"Bread / Cake": _VIDEOS[:2], long: _VIDEOS[:3], "Empty": [], "<b>'Music'</b>": _VIDEOS},
                    _VIDEOS[2:],
                    history,
                    {f"UC{number:022}": f'Channel "{number}", again' for number in range(3)},
                    words,
                )
            )
        }
    )
    assert found["problems"] == []
    assert _titles(found) == {words.watch_later: 3, "Bread / Cake": 2, long: 3, "<b>'Music'</b>": 5}
    first = found["collections"][0]["videos"][0]
    assert first == {"video": "video000002", "added_at": "2024-03-03T10:20:30.000Z"}
    assert found["channels"][0] == {"channel_id": f"UC{0:022}", "title": 'Channel "0", again'}
    assert len(found["channels"]) == 3
    watched = found["watched"]
    assert (watched["removed"], watched["ads"]) == (3, 2)
    assert [row[0] for row in watched["rows"]] == [video for video, _ in newest_first]
    assert watched["rows"][-1][1] // 1000 == 1709288430  # 2024-03-01T10:20:30Z


def test_single_files_of_any_age_are_read(read: Read) -> None:
    found = read(
        {
            "Watch later-videos.csv": takeout.playlist(_VIDEOS),
            "swing.csv": takeout.old_playlist("swing, prova", _VIDEOS[:2]),
            "Excel-videos.csv": takeout.playlist(_VIDEOS[:3]).replace(",", ";").replace("\n", "\r\n"),
            "Unicode-videos(1).csv": takeout.playlist(_VIDEOS[:1]).encode("utf-16"),
            "abonnements.csv": "\ufeff" + takeout.subscriptions({f"UC{1:022}": "One"}),
        }
    )
    assert found["problems"] == []
    assert _titles(found) == {"Watch later": 5, "swing, prova": 2, "Excel": 3, "Unicode": 1}
    assert found["channels"] == [{"channel_id": f"UC{1:022}", "title": "One"}]


def test_lines_that_are_no_videos_are_counted_and_doubles_are_one(read: Read) -> None:
    rows = (
        takeout.playlist([*_VIDEOS, *_VIDEOS[:2]]).rstrip() + "\nnot an id,2024-01-01T00:00:00Z\ntooshort,\n"
    )
    (collection,) = read({"x-videos.csv": rows})["collections"]
    assert _ids(collection["videos"]) == [video for video, _ in _VIDEOS]
    assert collection["unreadable"] == 2


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ((None, 1, True), ["video000003", "video000002", "video000001"]),
        ((None, 1, False), ["video000003", "video000001"]),
        ((None, 2, True), ["video000003", "video000001"]),
        ((1709510400000, 1, True), ["video000003"]),  # 2024-03-04
        ((1709510400000, 2, True), []),
    ],
)
def test_the_history_is_chosen_by_date_and_by_number(
    read: Read, choice: tuple[object, ...], expected: list[str]
) -> None:
    watched = [
        ("video000003", "2024-03-04T10:00:00"),
        ("video000001", "2024-03-03T10:00:00"),
        ("video000003", "2024-03-02T10:00:00"),
        ("video000001", "2024-03-01T10:00:00"),
    ]
    music = [("video000002", "2024-03-03T12:00:00")]
    found = read({"watch-history.json": takeout.history_json(watched, music=music)}, choice)
    assert _ids(found["chosen"]) == expected
    if expected:
        assert found["chosen"][0]["added_at"] == "2024-03-04T10:00:00.123Z"


@pytest.mark.parametrize(
    "texts",
    [
        ["Feb 13, 2025, 12:17:00\u202fPM PST", "Feb 12, 2025, 12:17:00\u202fAM PST"],
        ["13 Feb 2025, 20:17:00 GMT", "12 Feb 2025, 08:17:00 GMT"],
        ["13.02.2025, 21:17:00 MEZ", "12.02.2025, 09:17:00 MEZ"],
        ["13 févr. 2025, 21:17:00 CET", "12 févr. 2025, 09:17:00 CET"],
        ["13 feb 2025, 21:17:00 CET", "12 feb 2025, 09:17:00 CET"],
        ["13 de fev. de 2025, 17:17:00 BRT", "12 de fev. de 2025, 05:17:00 BRT"],
        ["13 февр. 2025 г., 23:17:00 MSK", "12 февр. 2025 г., 11:17:00 MSK"],
        ["13 lut 2025, 21:17:00 CET", "12 lut 2025, 09:17:00 CET"],
        ["2025. 2. 14. 오전 5:17:00 KST", "2025. 2. 12. 오후 5:17:00 KST"],
        ["2025/02/14 5:17:00 JST", "2025/02/12 17:17:00 JST"],
        ["2025年2月13日 20:17:00 UTC", "2025年2月12日 08:17:00 UTC"],
        ["02/13/2025, 12:17:00 PM GMT-08:00", "02/12/2025, 12:17:00 AM GMT-08:00"],
    ],
    ids=["en", "en-GB", "de", "fr", "es", "pt", "ru", "pl", "ko", "ja", "zh", "numbers"],
)
def test_times_in_html_are_read_in_many_languages(read: Read, texts: list[str]) -> None:
    rows = [(video, text) for (video, _), text in zip(_VIDEOS, texts, strict=False)]
    found = read({"history.html": takeout.history_html(rows)})
    assert [row[1] for row in found["watched"]["rows"]] == [1739477820000, 1739348220000]


def test_days_and_months_in_numbers_are_told_apart_by_the_order(read: Read) -> None:
    """03/04 could be either. Only as the third of April do the times run backwards."""
    days = ["05/04/2024", "03/04/2024", "28/03/2024", "01/03/2024"]
    rows = [(video, f"{day}, 10:00:00 UTC") for (video, _), day in zip(_VIDEOS, days, strict=False)]
    times = [row[1] for row in read({"history.html": takeout.history_html(rows)})["watched"]["rows"]]
    assert times == [1712311200000, 1712138400000, 1711620000000, 1709287200000]


def test_videos_without_a_readable_time_are_kept(read: Read) -> None:
    rows = [(video, "the day before yesterday") for video, _ in _VIDEOS]
    found = read({"history.html": takeout.history_html(rows)}, (None, 1, True))
    assert found["chosen"] == [{"video": video} for video, _ in _VIDEOS]


def _with_flag(archive: bytes) -> bytes:
    """The zip with its first entry marked as encrypted."""
    at = archive.index(b"PK\x01\x02") + 8
    return archive[:at] + b"\x01\x00" + archive[at + 2 :]


def _with_method(archive: bytes, method: int) -> bytes:
    at = archive.index(b"PK\x01\x02") + 10
    return archive[:at] + struct.pack("<H", method) + archive[at + 2 :]


def _with_size(archive: bytes, size: int) -> bytes:
    """The zip whose first entry says that it has another size."""
    at = archive.index(b"PK\x01\x02") + 24
    return archive[:at] + struct.pack("<I", size) + archive[at + 4 :]


def _with_end(archive: bytes, offset: int, value: bytes) -> bytes:
    at = archive.rindex(b"PK\x05\x06") + offset
    return archive[:at] + value + archive[at + len(value) :]


def _damaged(archive: bytes) -> bytes:
    """The zip with one byte of its first entry changed."""
    at = archive.index(b"video000001")
    return archive[:at] + b"V" + archive[at + 1 :]


_PATH = "Takeout/YouTube and YouTube Music/playlists/Bread-videos.csv"
_ZIP = takeout.zipped({_PATH: takeout.playlist(_VIDEOS)})
_STORED = takeout.zipped({_PATH: takeout.playlist(_VIDEOS)}, zipfile.ZIP_STORED)
_PHOTOS = takeout.zipped({"Takeout/Google Photos/a.json": "{}", "Takeout/Google Photos/a.jpg": "x"})
_BAD: dict[str, tuple[str, str | bytes, str]] = {
    "not a zip": ("takeout.zip", b"hello", "takeout.zip is damaged or not complete. Download it again."),
    "empty": ("takeout.zip", b"", "is damaged or not complete"),
    "cut off": ("takeout.zip", _ZIP[:-30], "takeout.zip is damaged or not complete. Download it again."),
    "without its beginning": ("takeout.zip", b"PK\x03\x04" + _ZIP[80:], "damaged or not complete"),
    "a changed byte": ("takeout.zip", _damaged(_STORED), f"{_PATH} in takeout.zip is damaged"),
    "encrypted": ("takeout.zip", _with_flag(_ZIP), "protected by a password. Unpack it"),
    "another method": ("takeout.zip", _with_method(_ZIP, 12), "packed in a way that this page cannot read"),
    "a lie about its size": ("takeout.zip", _with_size(_ZIP, 20), "is damaged or not complete"),
    "more than it has": ("takeout.zip", _with_size(_ZIP, 9_000_000), "is damaged or not complete"),
    "zip64 end": ("takeout.zip", _with_end(_ZIP, *_END64), "too large a zip for this page. Unpack it"),
    "zip64 entry": ("takeout.zip", _with_size(_ZIP, 0xFFFFFFFF), "is larger than 20 MB"),
    "one piece of many": ("takeout.z02.zip", _with_end(_ZIP, 4, b"\x01\x00"), "one piece of a zip"),
    "another product": ("takeout-002.zip", _PHOTOS, "takeout-002.zip has no playlists, history or "
                        "subscriptions. If your Takeout came in several zips, choose all of them."),
    "an empty zip": ("takeout.zip", takeout.zipped({}), "has no playlists, history or subscriptions"),
    "a tgz": ("takeout.tgz", b"\x1f\x8b\x08\x00", "is a .tgz file. Choose “.zip” at Google Takeout"),
    "a picture": ("cat.jpg", b"\xff\xd8\xff", "cat.jpg has no playlists, history or subscriptions"),
    "another table": ("bank.csv", "date,amount\n2024-01-01,5\n", "bank.csv has no playlists"),
    "an open quote": ("x-videos.csv", 'Video ID,"Time\nvideo000001,2024-01-01T00:00Z\n', "has no playlists"),
    "html that is no history": ("page.html", "<div>outer-cell</div>" * 50, "page.html has no playlists"),
    "json that is none": ("watch-history.json", '[{"header": "YouTube"', "is damaged or not complete"),
    "json of another kind": ("watch-history.json", '{"a": [null, 5]}', "has no playlists"),
    "json with odd entries": ("watch-history.json", '[null, 5, "x", {"header": 3}, []]', "has no playlists"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "sentence"), _BAD.values(), ids=_BAD)
def test_a_bad_file_says_what_is_wrong_and_adds_nothing(
    read: Read, name: str, content: bytes, sentence: str
) -> None:
    found = read({name: content, "Good-videos.csv": takeout.playlist(_VIDEOS)})
    (problem,) = found["problems"]
    assert sentence in problem
    assert _titles(found) == {"Good": 5}
    assert (found["channels"], found["watched"]) == ([], None)


def test_what_unpacks_to_too_much_is_not_unpacked(read: Read) -> None:
    bomb = takeout.zipped(
        {_PATH: b"0" * 30_000_000, "Takeout/YouTube/playlists/x-videos.csv": takeout.playlist(_VIDEOS)}
    )
    assert len(bomb) < 100_000
    found = read({"takeout.zip": bomb, "large-videos.csv": b"0" * 21_000_000})
    assert [problem.partition(" is larger than 20 MB")[1] != "" for problem in found["problems"]] == [
        True,
        True,
    ]
    assert _titles(found) == {"x": 5}


def test_a_history_of_fifty_thousand_is_read_in_bounded_time(read: Read) -> None:
    """Some 40 MB of HTML. The limit is far above the second that an idle machine needs."""
    rows = [(f"v{number:010}", f"{1 + number % 28:02}.03.2024, 10:00:00 MEZ") for number in range(50_000)]
    found = read(
        {"takeout.zip": takeout.zipped({"Takeout/YouTube/history/x.html": takeout.history_html(rows)})}
    )
    assert len(found["watched"]["rows"]) == 50_000
    assert found["problems"] == []


def test_a_cell_without_an_end_costs_no_more_than_its_length(read: Read) -> None:
    """The scanner would need minutes if it looked for each end through the whole file."""
    cell = '<div class="outer-cell"><p class="mdl-typography--title">YouTube<div class="body-1"><a href="'
    found = read(
        {"history.html": takeout.history_html([("video000001", "1 Mar 2024, 10:00:00")]) + cell * 100_000}
    )
    assert len(found["watched"]["rows"]) == 1
    assert found["watched"]["removed"] == 100_000
