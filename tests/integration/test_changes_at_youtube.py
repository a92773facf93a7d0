"""What changes at YouTube after a playlist was indexed: on real servers, through HTTP and commands."""

from __future__ import annotations

from typing import Any

from tests.stack import Stack

PLAYLIST = "PLthat-changes"
CORRECTED, GONE = "corrected01", "goneaway001"


def spoken(video_id: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"id": video_id, "tracks": [{"language": "en", "lines": [[3.25, 2, text]]}], **fields}


def found(stack: Stack, words: str, user: str = "demo") -> list[str]:
    return [hit["video_id"] for hit in stack.search(words, user)["hits"]]


def finish(stack: Stack, path: str, body: dict[str, Any] | None = None, user: str = "demo") -> dict[str, Any]:
    """Posts, and waits for the job."""
    answer = stack.post(path, user, json=body or {})
    assert answer.status_code == 202, answer.text
    return stack.finish(answer.json()["job_id"], user)


def test_corrected_captions_and_videos_that_are_gone(stack: Stack) -> None:
    youtube = stack.fake_youtube
    youtube.define(
        videos=[spoken(CORRECTED, "wrong zugzwang"), spoken(GONE, "lost quincunx", title="Vanishing")],
        playlists=[{"id": PLAYLIST, "title": "Changes", "videos": [CORRECTED, GONE]}],
    )
    for user in ("demo", "second"):
        finish(stack, "/api/index", {"playlist": PLAYLIST}, user)
    assert found(stack, "wrong zugzwang") == [CORRECTED]

    # A refresh asks for nothing that is stored. One video that is fetched again is new for everybody.
    youtube.define(videos=[spoken(CORRECTED, "right zwischenzug")])
    assert finish(stack, "/api/index", {"playlist": PLAYLIST})["reused"] == 2
    assert found(stack, "zwischenzug") == []
    job = finish(stack, f"/api/videos/{CORRECTED}/fetch")
    assert (job["total"], job["reused"], job["video_id"]) == (1, 0, CORRECTED)
    for user in ("demo", "second"):
        assert found(stack, "zwischenzug", user) == [CORRECTED]
        assert found(stack, "zugzwang", user) == []
    (playlist,) = [
        each for each in stack.get("/api/playlists").json()["playlists"] if each["playlist_id"] == PLAYLIST
    ]
    assert playlist["indexed"]["videos"] == 2
    assert stack.post(f"/api/videos/{CORRECTED}/fetch", "stranger").status_code == 404

    # The command line does the same for a whole playlist.
    youtube.define(videos=[spoken(CORRECTED, "final zeitnot")])
    done = stack.command("index", PLAYLIST, "--again")
    assert "2 indexed" in done.stdout
    assert found(stack, "zeitnot") == [CORRECTED]
    assert "1 indexed" in stack.command("fetch", f"https://youtu.be/{CORRECTED}").stdout

    # A video that is gone is still found, and marked.
    (hit,) = stack.search("quincunx")["hits"]
    assert "gone" not in hit
    youtube.define(videos=[{"id": GONE, "status": "private"}])
    assert finish(stack, "/api/index", {"playlist": PLAYLIST})["counts"]["unavailable"] == 1
    for user in ("demo", "second"):
        (hit,) = stack.search("quincunx", user)["hits"]
        assert (hit["gone"], int(hit["moments"][0]["start"])) == (True, 3)
        shown = stack.get(f"/api/videos/{GONE}", user).json()
        assert (shown["gone"], shown["lines"][0]["text"]) == (True, "lost quincunx")
    assert "not on YouTube any more" in stack.command("search", "quincunx").stdout
    youtube.define(videos=[{"id": GONE, "status": "ok"}])
    finish(stack, "/api/index", {"playlist": PLAYLIST})
    assert "gone" not in stack.get(f"/api/videos/{GONE}").json()


def test_a_video_without_a_transcript_that_is_removed_is_marked(stack: Stack) -> None:
    """Only the player says that it was removed: the playlist and videos.list still have it."""
    youtube, playlist = stack.fake_youtube, "PLthat-loses"
    members, silent, new = "removedmem1", "removedsil1", "removednew1"
    youtube.define(
        videos=[
            {"id": members, "title": "Sesquipedalian for members", "status": "members_only"},
            {"id": silent, "title": "Sesquipedalian in silence", "tracks": []},
            {"id": new, "title": "Sesquipedalian and new"},
        ],
        playlists=[{"id": playlist, "title": "Losses", "videos": [members, silent, new]}],
    )
    try:
        youtube.fault("deleted", videos=[new])
        finish(stack, "/api/index", {"playlist": playlist})
        assert {hit["video_id"]: hit.get("gone") for hit in stack.search("sesquipedalian")["hits"]} == {
            members: None,
            silent: None,
        }
        youtube.fault("deleted", videos=[members, silent, new])
        job = finish(stack, "/api/index", {"playlist": playlist, "again": True})
    finally:
        youtube.clear_faults()
    assert (job["total"], job["counts"]["unavailable"]) == (3, 3)
    assert {hit["video_id"]: hit.get("gone") for hit in stack.search("sesquipedalian")["hits"]} == {
        members: True,
        silent: True,
    }
    for video_id in (members, silent):
        shown = stack.get(f"/api/videos/{video_id}").json()
        assert (shown["gone"], "removed by the uploader" in shown["reason"]) == (True, True)
    (card,) = [
        each for each in stack.get("/api/playlists").json()["playlists"] if each["playlist_id"] == playlist
    ]
    assert (card["video_count"], card["indexed"]["videos"]) == (3, 2)
    # A new index has them, too.
    stack.command("reindex")
    assert {hit["video_id"]: hit.get("gone") for hit in stack.search("sesquipedalian")["hits"]} == {
        members: True,
        silent: True,
    }
