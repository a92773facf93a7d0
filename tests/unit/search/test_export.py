"""Exported tables are safe to open in a spreadsheet."""

from __future__ import annotations

import pytest

from shared.search.export import as_csv, as_jsonl


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_title_is_never_a_formula(title: str) -> None:
    segments = [{"text": title, "match": False}]
    hit: dict[str, object] = {
        "video_id": "v",
        "title": segments,
        "description": [],
        "channel": "c",
        "published_at": None,
    }
    hit |= {"duration_seconds": 1, "language": None, "url": "u", "moments": []}
    hit |= {"match": "all_words", "missing": []}
    _, row = as_csv([hit])
    assert row.startswith(f"v,'{title}") or row.startswith(f"v,\"'{title}")
    # Ids are for machines and stay as they are.
    _, row = as_csv([{**hit, "video_id": "-_xz_P1OaAM"}])
    assert row.startswith("-_xz_P1OaAM,")


def test_only_a_csv_begins_with_the_mark_of_utf_8() -> None:
    (header,) = as_csv([])
    assert header.encode().startswith(b"\xef\xbb\xbfvideo_id,")
    (line,) = as_jsonl([{"title": "Café – 機械学習"}])
    assert line.encode().startswith(b'{"title":"Caf\xc3\xa9')


@pytest.mark.parametrize(("start", "cell"), [(61.9, ",61.9,"), (0.0, ",0.0,"), (7261.999, ",7261.999,")])
def test_a_moment_keeps_its_milliseconds(start: float, cell: str) -> None:
    moment = {"start": start, "line": 0, "url": "u", "snippet": [], "chapter": "=1"}
    hit: dict[str, object] = {"video_id": "v", "title": [], "channel": "c", "published_at": None}
    hit |= {"duration_seconds": None, "language": "en", "moments": [moment]}
    hit |= {"match": "some_words", "missing": ["=2", "x"]}
    _, row = as_csv([hit])
    assert cell in row
    assert row.endswith(",'=1,some_words,'=2 x\r\n")
