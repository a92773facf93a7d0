"""Pages in the order of the library, of an index that is not there."""

from __future__ import annotations

from typing import Any, cast

import pytest

from shared.search import facets
from shared.search import pages as module
from shared.search.compiler import WEIGHTS
from shared.search.language import parse
from shared.search.pages import Pages
from shared.search.params import Params
from shared.search.placing import Placing
from shared.search.ranked import Page
from shared.search.scope import LibraryAnalyzers, Scope

VIDEOS = [f"video{number:06d}" for number in range(100)]
NEWEST_FIRST = Placing(VIDEOS[::-1], {})


class _Index:
    """A library. ``slow``: numbers of the requests that run out of time."""

    playlists = ("PLx",)

    def __init__(self, *slow: int) -> None:
        self.listed, self.read, self._slow = 0, 0, slow

    def search(self, clause: Any, **body: Any) -> dict[str, Any]:
        if body["source"] is False:
            self.listed += 1
            after = body.get("search_after", [""])[0]
            ids = [each for each in VIDEOS if each > after][: body["size"]]
        else:
            self.read += 1
            ids = sorted(clause["bool"]["filter"][0]["ids"]["values"])
        hits = [{"_id": each, "sort": [each]} for each in ids]
        slow = body["source"] is False and self.listed in self._slow
        return {"hits": {"hits": hits, "total": {"value": len(VIDEOS)}}, "timed_out": slow}


class _Analyzers:
    def of(self, *_: object) -> tuple[()]:
        return ()


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    monkeypatch.setattr(module, "WINDOW", 40)
    monkeypatch.setattr(facets, "filters", lambda *_: {})
    return Pages(cast(LibraryAnalyzers, _Analyzers()), WEIGHTS)


def test_an_export_finds_the_ids_of_all_hits_once(pages: Pages) -> None:
    index, params = _Index(), Params(sort="added", limit=25)
    found = list(pages.every(cast(Scope, index), parse(""), params, NEWEST_FIRST))
    assert [each["_id"] for each in found] == VIDEOS[::-1]
    assert (index.listed, index.read) == (3, 4)


@pytest.mark.parametrize("slow", [1, 2, 3])
def test_hits_may_be_missing_if_any_request_runs_out_of_time(pages: Pages, slow: int) -> None:
    params = Params(sort="added", limit=25)

    def read(index: _Index) -> Page:
        scope = cast(Scope, index)
        return pages.read(scope, parse(""), params, count_facets=False, placing=NEWEST_FIRST)

    assert read(_Index(slow)).partial
    assert not read(_Index()).partial
