"""The data of one user is invisible to every other user, and text from outside stays text."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.security.visitors import ALONE, HOSTILE_LINE, PLAYLIST, SAID, SHARED, Visitor, World

#: Characters that change the direction of text (https://trojansource.codes).
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _finished(visitor: Visitor, world: World, playlist: str) -> dict[str, Any]:
    answer = visitor.ask("POST", "/api/index", json={"playlist": playlist})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = {}

    def over() -> bool:
        job.update(visitor.get(answer.json()["status_url"]))
        return job["state"] in ("done", "failed", "cancelled")

    world.stack.wait_for(over, 60, lambda: f"the job ends: {job}")
    return job


def test_a_private_playlist_of_another_user_looks_like_a_missing_one(world: World) -> None:
    theirs = _finished(world.stranger, world, PLAYLIST)
    nowhere = _finished(world.stranger, world, "PLno-such-playlist-anywhere")
    differing = ("job_id", "playlist_id", "created_at", "finished_at")
    assert {**theirs, **dict.fromkeys(differing)} == {**nowhere, **dict.fromkeys(differing)}
    assert theirs["state"] == "failed"
    listed = world.stranger.get(f"/api/jobs/{theirs['job_id']}/videos")
    assert listed["videos"] == []
    assert not world.reveals(str(listed))


SEARCHES = [
    f"/api/search?q={SAID}",
    f"/api/search?q={SAID[:5]}*",
    f"/api/search?q={SAID}~",
    f"/api/search?q=zimtquartz&playlist={PLAYLIST}",
    f"/api/search?q=&playlist={PLAYLIST}",
    f"/api/search?q=cellar&playlist={PLAYLIST}&playlist=other:{PLAYLIST}",
    f"/api/search?q=lies&playlist=../{PLAYLIST}",
    "/api/search?q=",
    "/api/search?q=cellar",
    f"/api/search?q={SAID}+lies+cellar+zanzibar",
    f"/api/search?q=zimtquartz+cellar&require={SAID}",
    f"/api/search?q={SAID}+lies+in+the+cellar&by=meaning&limit=50",
    f"/api/search?q=what+is+below+the+house&by=meaning&playlist={PLAYLIST}",
    f"/api/search/export?q={SAID}",
    f"/api/search/export?q={SAID}&format=jsonl",
    f"/api/suggest?q={SAID[:4]}",
    "/api/suggest?q=zimtquartz",
    "/api/suggest?q=quiet",
    "/api/clips",
    f"/api/clips?q={SAID}",
    f"/api/clips?video={ALONE}",
    "/api/clips/export?format=csv",
]


@pytest.mark.parametrize("path", SEARCHES)
def test_no_search_of_another_user_finds_the_private_playlist(path: str, world: World) -> None:
    answer = world.stranger.ask("GET", path)
    assert answer.status_code == 200, answer.text
    assert not world.reveals(answer.text), answer.text
    assert "lies in the" not in answer.text
    assert SAID not in answer.text.replace(f'"{SAID}"', "") or path.endswith(SAID)


def test_the_owner_finds_the_private_playlist_in_every_way(world: World) -> None:
    assert world.owner.get(f"/api/search?q={SAID}")["total"] == 2
    assert world.owner.get(f"/api/search?q=&playlist={PLAYLIST}")["facets"]["playlists"]
    assert world.owner.get(f"/api/suggest?q={SAID[:4]}")["suggestions"]
    assert SAID in world.owner.ask("GET", f"/api/search/export?q={SAID}").text
    by_meaning = world.owner.get(f"/api/search?q={SAID}+lies+in+the+cellar&by=meaning")
    assert {hit["video_id"] for hit in by_meaning["hits"]} >= {ALONE, SHARED}
    assert world.owner.get(f"/api/videos/{ALONE}/related?start=0")["places"][0]["video_id"] == SHARED


def test_a_user_finds_a_shared_video_only_through_a_playlist_of_their_own(world: World) -> None:
    """The video is public. That it is in a private playlist of another user stays unknown."""
    stack, reader = world.stack, "reader-by-name"
    stack.fake_youtube.define(
        playlists=[
            {"id": "PLnames-it-too", "videos": [SHARED]},
            {"id": "PLnames-it-again", "videos": [SHARED]},
        ]
    )
    jobs = [stack.index(each, reader) for each in ("PLnames-it-too", "PLnames-it-again")]
    assert {stack.finish(job, reader)["state"] for job in jobs} == {"done"}
    found = stack.search(SAID, reader)
    assert [hit["video_id"] for hit in found["hits"]] == [SHARED]
    assert not world.reveals(str(found["facets"]))
    assert stack.get(f"/api/videos/{ALONE}", reader).status_code == 404
    # A video that leaves one playlist is still in the other. When it leaves both, it is gone at once.
    for left in (1, 0):
        assert stack.request("DELETE", f"/api/playlists/PLnames-it-{'too' if left else 'again'}", reader).ok
        assert stack.search(SAID, reader)["total"] == left
    assert stack.get(f"/api/videos/{SHARED}", reader).status_code == 404
    assert world.owner.get(f"/api/search?q={SAID}")["total"] == 2


def test_hostile_text_stays_text(world: World) -> None:
    found = world.owner.ask("GET", f"/api/search?q={SAID}+cellar")
    assert found.headers["Content-Type"] == "application/json"
    (alone,) = [hit for hit in found.json()["hits"] if hit["video_id"] == ALONE]
    title = "".join(segment["text"] for segment in alone["title"])
    assert "<img src=x onerror=alert(1)>" in title
    assert not {"\x07", *TURNING} & set(title)
    for address in (alone["url"], alone["thumbnail_url"], *(each["url"] for each in alone["moments"])):
        assert address.startswith(("https://", "http://"))
    for form, kind in (("json", "application/json"), ("srt", "application/x-subrip"), ("txt", "text/plain")):
        answer = world.owner.ask("GET", f"/api/videos/{ALONE}?format={form}")
        assert answer.headers["Content-Type"].partition(";")[0] == kind
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "1 < 2 & 3" in answer.text
        assert not set(TURNING) & set(answer.text)
    vtt = world.owner.ask("GET", f"/api/videos/{ALONE}?format=vtt")
    assert "1 &lt; 2 &amp; 3" in vtt.text
    rows = list(
        csv.DictReader(
            io.StringIO(world.owner.ask("GET", f"/api/search/export?q={SAID}").text.removeprefix("\ufeff"))
        )
    )
    assert {row["video_id"] for row in rows} == {ALONE, SHARED}
    assert not any(str(cell).startswith(("=", "+", "@")) for row in rows for cell in row.values())


HOSTILE_QUERIES = [
    HOSTILE_LINE,
    '"><svg onload=alert(1)>',
    "{{7*7}} ${7*7} <%= 7 %>",
    "' OR 1=1 --",
    '{"query":{"match_all":{}}}',
    "video_id:* OR user_id:other",
    "_exists_:title",
    "*:*",
    "\x00\x1b[31m\u202e",
    "%0d%0aSet-Cookie:a=b",
]


@pytest.mark.parametrize("query", HOSTILE_QUERIES)
def test_a_hostile_query_is_searched_as_words(query: str, world: World) -> None:
    for path in ("/api/search", "/api/search/export", "/api/suggest"):
        answer = world.stranger.ask("GET", path, params={"q": query})
        assert answer.status_code == 200, answer.text
        assert "text/html" not in answer.headers["Content-Type"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not world.reveals(answer.text)
        assert "Set-Cookie" not in answer.headers
