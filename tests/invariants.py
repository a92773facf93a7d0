"""What must be true of every job that is over, whatever happened to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import Any

import requests

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.library.model import OK
from tests.stack import Stack

_SEARCHABLE = ("indexed", "no_transcript")
#: Said of videos that are unavailable to everybody. The other unavailable ones are found by their title.
_GONE = re.compile(r"private|no longer|deleted|removed|terminated|nobody but you", re.IGNORECASE)


def ids_of(playlist_id: str) -> list[str]:
    """The ids of the videos of a generated playlist, in its order, each once."""
    playlist = generate.playlist(playlist_id)
    assert playlist is not None, f"{playlist_id} is not a generated playlist"
    return list(dict.fromkeys(playlist.video_ids))


def ledger(stack: Stack, job_id: str, user: str = "demo", **parameters: str) -> dict[str, dict[str, Any]]:
    """All videos of a job by id, as the API lists them page by page. ``parameters``: of the query."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        query = {**parameters, "limit": "500", **({"cursor": cursor} if cursor else {})}
        page = stack.get(f"/api/jobs/{job_id}/videos", user, params=query).json()
        for video in page["videos"]:
            assert video["video_id"] not in found, f"{video['video_id']} is listed twice"
            found[video["video_id"]] = video
        cursor = page["cursor"]
        if cursor is None:
            return found


def in_elasticsearch(stack: Stack, video_ids: Collection[str]) -> set[str]:
    """Those of these videos that are in the search index. Elasticsearch itself is asked."""
    url = f"{stack.elasticsearch}/yts-videos"
    requests.post(f"{url}/_refresh", timeout=30).raise_for_status()
    body = {"query": {"ids": {"values": list(video_ids)}}, "size": 10_000, "_source": False}
    answer = requests.post(f"{url}/_search", json=body, timeout=30).json()
    hits = [hit["_id"] for hit in answer["hits"]["hits"]]
    assert len(hits) == len(set(hits)), "a video is in the index twice"
    return set(hits)


def check(stack: Stack, job_id: str, expected: Collection[str], user: str = "demo") -> dict[str, Any]:
    """Asserts that a job is done and exact. Returns the job.

    Its videos are exactly ``expected``. The counts match the ledger, and add up to the total. The search
    index holds those of its videos that can be searched, and no others of them.
    """
    job = stack.job(job_id, user)
    assert job["state"] == "done", job
    videos = ledger(stack, job_id, user)
    assert set(videos) == set(expected)
    states = Counter(video["state"] for video in videos.values())
    assert job["counts"] == {state: states.get(state, 0) for state in job["counts"]}
    assert job["total"] == len(set(expected)) == sum(job["counts"].values())
    assert job["counts"]["pending"] == 0
    searchable = {
        video_id
        for video_id, video in videos.items()
        if video["state"] in _SEARCHABLE
        or (video["state"] == "unavailable" and not _GONE.search(video["reason"]))
    }
    assert in_elasticsearch(stack, videos) == searchable
    for video in videos.values():
        assert video["reason"] or video["state"] == "indexed", video
    return job


def asked(stack: Stack, video_ids: Collection[str]) -> dict[str, int]:
    """How often YouTube's player was asked about each of these videos."""
    seen = stack.fake_youtube.stats()["videos"]
    return {video_id: seen.get(video_id, {}).get("player", 0) for video_id in video_ids}


def of_one_asking(video_ids: Collection[str]) -> dict[str, int]:
    """The number of requests to the player that one attempt may make for each of these generated videos.

    Without caption tracks in its answer the player is asked twice (shared.youtube.partial_answers).
    """
    found = {video_id: generate.video(video_id) for video_id in video_ids}
    return {video_id: 1 if video and video.status == OK else 2 for video_id, video in found.items()}
