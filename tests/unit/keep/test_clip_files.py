"""Exported clips open in other programs: no text becomes markup, a formula or a link."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from shared.keep.clip_files import COLUMNS, render

CLIP: dict[str, Any] = {
    **{"id": "c1", "video_id": "v-1", "title": "Boats [[x]] #1", "channel": "Harbour", "from_line": 3},
    **{"to_line": 4, "start": 61.9, "end": 70.5, "text": "one *two*\n[[three]]", "note": "# not\n=a heading"},
    **{"tags": ["to read", "2024", "a/b-c_d", "!?", "फूल"], "created_at": "2026-01-02T03:04:05.000Z"},
    "url": "https://www.youtube.com/watch?v=v-1&t=61s",
}
ORIGIN = "http://localhost:8080"
PAGE = f"{ORIGIN}/?v=v-1&t=61.9&line=3&until=70.5"


def exported(form: str, *clips: dict[str, Any]) -> str:
    return "".join(render(clips, form, ORIGIN))


def test_markdown() -> None:
    text = exported("md", CLIP, {**CLIP, "note": "", "tags": [], "channel": ""})
    head, properties, body = text.split("---\n", 2)
    assert head == ""
    assert re.fullmatch(r"title: Clips\nexported: [0-9T:.-]+Z\n", properties)
    assert "[[" not in body
    _, title, *first = body.split("\n\n")[:7]
    assert (body[:10], title) == ("\n# Clips\n\n", r"## Boats \[\[x\]\] \#1, 1:01") or title.startswith("##")
    assert r"> one \*two\* \[\[three\]\]" in body
    assert "\\# not  \n\\=a heading" in body
    assert f"Harbour · [1:01 on YouTube]({CLIP['url']}) · [with its transcript]({PAGE})" in body
    assert "#to-read #2024_ #a/b-c_d #फूल" in body
    assert body.count("\n#to-read") == 1
    assert first


def test_a_clip_of_a_video_that_is_gone_is_marked_in_markdown() -> None:
    text = exported("md", {**CLIP, "gone": True})
    assert f"[1:01 on YouTube]({CLIP['url']}) · not in the library any more\n" in text
    assert ORIGIN not in text


def test_csv_can_be_read_and_has_no_formulas() -> None:
    text = exported("csv", {**CLIP, "text": "=1+1\nx", "tags": ["-a", "b"], "gone": True})
    header, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert tuple(header) == COLUMNS
    found = dict(zip(header, row, strict=True))
    assert found["text"] == "'=1+1\nx"
    assert found["tags"] == "'-a, b"
    assert (found["start"], found["page"], found["gone"]) == ("61.9", PAGE, "true")
    for sign in "=+-@\t\r":
        clip = {**CLIP, **dict.fromkeys(("title", "channel", "note", "text"), f"{sign}1")}
        rows = list(csv.DictReader(io.StringIO(exported("csv", clip), newline="")))
        assert [rows[0][name] for name in ("title", "channel", "note", "text")] == [f"'{sign}1"] * 4


@pytest.mark.parametrize("number", [0, 1, 3])
def test_json_can_be_read(number: int) -> None:
    assert json.loads(exported("json", *[CLIP] * number)) == {"clips": [{**CLIP, "page": PAGE}] * number}


def test_no_clips_are_a_file_too() -> None:
    assert exported("md").endswith("# Clips\n")
    assert exported("csv").count("\n") == 1
