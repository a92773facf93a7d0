"""Exported tables are safe to open in a spreadsheet."""

from __future__ import annotations

import pytest

from shared.search.export import as_csv


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
    _, row = as_csv([hit])
    assert row.startswith(f"v,'{title}") or row.startswith(f"v,\"'{title}")
    # Ids are for machines and stay as they are.
    _, row = as_csv([{**hit, "video_id": "-_xz_P1OaAM"}])
    assert row.startswith("-_xz_P1OaAM,")
