"""Pages of a search show each hit once, whatever is indexed meanwhile and whatever is sent as a cursor."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from shared.errors import BadRequest
from shared.search import pages, ranked
from shared.search.params import Params
from shared.search.placing import Placing
from tests.integration.search_library import TITLES, USER, VIDEOS, SearchLibrary, filled_library
from tests.stored_videos import video


@pytest.fixture(scope="module")
def library(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    with filled_library(elasticsearch_url) as library:
        yield library


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest", "longest", "shortest"])
def test_all_pages_together_have_all_hits(library: SearchLibrary, sort: str) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(len(VIDEOS)):
        answer = library.search("", sort=sort, limit=3, cursor=cursor)
        assert answer["total"] == len(VIDEOS)
        seen += [hit["video_id"] for hit in answer["hits"]]
        cursor = answer["cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(each.video_id for each in VIDEOS)
    assert seen == library.ids("", sort=sort)


def test_all_pages_have_all_hits_when_nearness_orders_only_some_of_the_first(
    library: SearchLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranked, "_RESCORED", 1)
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        answer = library.search("a sea", limit=1, cursor=cursor)
        assert answer["total"] == 3
        seen += [hit["video_id"] for hit in answer["hits"]]
        cursor = answer["cursor"]
    assert sorted(seen) == ["quiet", "ropes", "tides"]


def test_facets_are_the_same_from_the_hits_and_from_counting(library: SearchLibrary) -> None:
    """The hits of a phrase of three words are counted where they are if they fill no page."""
    other = {"channel": "Le Phare", "channel_id": "UCphare", "published_at": datetime(2020, 1, 1, tzinfo=UTC)}
    more = [
        video("slow0", "Fog", "en", "the fog goes very slowly"),
        video("slow1", "Fog", "en-GB", "it goes very slowly"),
        video("slow2", "Fog", "fr", "elle goes very slowly", **other),
        video("slow3", "Fog", None, "it goes", description="goes very slowly", channel_id=None),
        video("slow4", "Fog", "en", "another's goes very slowly"),
    ]
    library.write(*more)
    half = len(VIDEOS) // 2
    library.put("PLtalks", [*VIDEOS[:half], more[0]], version=10)
    library.put("PLmore", [*VIDEOS[half - 1 :], *more[:4]], version=10)
    try:
        of_hits = library.search('"goes very slowly"')
        counted = library.search('"goes very slowly"', limit=1)
        assert of_hits["total"] == counted["total"] == len(of_hits["hits"]) == 4
        assert of_hits["facets"] == counted["facets"]
        assert [each["count"] for each in of_hits["facets"]["playlists"]] == [4, 1]
    finally:
        library.put("PLtalks", VIDEOS[:half], version=11)
        library.put("PLmore", VIDEOS[half - 1 :], version=11)


def test_the_order_of_a_library_is_kept_however_many_hits_there_are(
    library: SearchLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one request can find, and some that the library does not know yet."""
    monkeypatch.setattr(pages, "WINDOW", 3)
    order = [each.video_id for each in reversed(VIDEOS)][2:]
    rest = sorted({each.video_id for each in VIDEOS} - set(order))
    params = Params(sort="added", limit=4)
    seen: list[str] = []
    for _ in range(3):
        answer = library.service.search(USER, TITLES, params, Placing(["of another", *order]))
        assert (answer["total"], len(answer["facets"]["playlists"])) == (len(VIDEOS), 2)
        seen += [hit["video_id"] for hit in answer["hits"]]
        params = replace(params, cursor=answer["cursor"])
    assert (seen, params.cursor) == ([*order, *rest], None)


@pytest.mark.parametrize("q", ["", "sea", '"the sea rises"', "playlist of nothing", "sea bowline"])
def test_facets_are_the_same_wherever_they_are_counted(
    library: SearchLibrary, monkeypatch: pytest.MonkeyPatch, q: str
) -> None:
    monkeypatch.setattr(ranked, "_is_rare", lambda query: False)
    by_elasticsearch = library.search(q, limit=50)
    monkeypatch.setattr(ranked, "_is_rare", lambda query: True)
    assert library.search(q, limit=50)["facets"] == by_elasticsearch["facets"]
    short = library.search(q, limit=1)
    assert (short["total"], short["facets"]) == (by_elasticsearch["total"], by_elasticsearch["facets"])


def test_a_cursor_belongs_to_one_search(library: SearchLibrary) -> None:
    cursor = library.search("sea", limit=1)["cursor"]
    with pytest.raises(BadRequest, match="another search"):
        library.search("moon", limit=1, cursor=cursor)
    with pytest.raises(BadRequest, match="cursor: expected"):
        library.search("sea", cursor="nonsense")


def unpacked(cursor: str) -> list[Any]:
    """Signature, point in time, total, ids of the first page, sort values."""
    found: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    return found


def packed(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_pages_do_not_repeat_or_lose_a_hit_while_indexing_goes_on(library: SearchLibrary) -> None:
    whole = library.ids("sea")
    first = library.search("sea", limit=2)
    before = [hit["video_id"] for hit in first["hits"]]
    more = [video(f"new{number}", "Sea sea sea", "en", "the sea", "the sea") for number in range(20)]
    library.write(*more)
    library.put("PLmore", [*VIDEOS, *more], version=2)
    try:
        second = library.search("sea", limit=2, cursor=first["cursor"])
        assert [*before, *(hit["video_id"] for hit in second["hits"])] == whole
        assert second["total"] == 3
    finally:
        library.put("PLmore", VIDEOS[len(VIDEOS) // 2 - 1 :], version=3)


def test_a_page_that_is_asked_for_too_late_comes_from_the_present_index(library: SearchLibrary) -> None:
    first = library.search("sea", limit=2)
    library.server.client.close_point_in_time(id=unpacked(first["cursor"])[1])
    second = library.search("sea", limit=2, cursor=first["cursor"])
    found = [hit["video_id"] for answer in (first, second) for hit in answer["hits"]]
    assert sorted(found) == ["quiet", "ropes", "tides"]


def test_a_forged_cursor_is_refused(library: SearchLibrary) -> None:
    signature, pit, total, first, after = unpacked(library.search("", limit=2)["cursor"])
    assert (total, len(first), after) == (len(VIDEOS), 2, [])
    forged = [
        packed(signature, "bm9uc2Vuc2U=", total, first, after),
        packed(signature, "", total, first, after),
        packed(signature, pit, "many", first, after),
        packed(signature, pit, 1e999, first, after),
        packed(signature, pit, total, 5, after),
        packed(signature, pit, total, first, ["x", {"y": 1}, None]),
        packed(signature, pit, total, first, [1] * 1000),
        packed(signature, pit, total, first, 5),
        packed(signature, pit, total, first),
        packed(signature),
        "%%%",
        "é",
    ]
    for cursor in forged:
        with pytest.raises(BadRequest):
            library.search("", limit=2, cursor=cursor)
