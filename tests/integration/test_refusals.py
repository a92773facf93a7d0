"""What a person meets when YouTube refuses videos, or has several captions of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.egress import forget
from tests.invariants import check, ledger
from tests.stack import Stack

SAID = [[0.0, 4.0, "a word worth hearing"]]


@pytest.fixture(autouse=True)
def _reset(stack: Stack) -> Iterator[None]:
    stack.fake_youtube.reset("stats", "faults", "latency")
    yield
    stack.fake_youtube.reset("faults")


@pytest.fixture
def _a_new_address(stack: Stack) -> Iterator[None]:
    """An address that asks for few videos at once, and whose pauses do not slow other tests down."""
    forget(stack)
    yield
    forget(stack)


def define(stack: Stack, playlist: str, videos: dict[str, dict[str, Any]]) -> None:
    """A playlist of videos with these fields, and one human track unless they name others."""
    tracks = [{"language": "en", "kind": "human", "lines": SAID}]
    defined = [
        {"tracks": tracks, "title": video_id, **fields, "id": video_id} for video_id, fields in videos.items()
    ]
    stack.fake_youtube.define(
        videos=defined, playlists=[{"id": playlist, "title": playlist, "videos": list(videos)}]
    )


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("_a_new_address")
@pytest.mark.parametrize(
    "words",
    [
        {"kind": "sign_in"},
        {"kind": "unavailable"},
    ],
    ids=lambda words: str(words["kind"]),
)
def test_an_address_that_is_refused_in_any_words_costs_no_video_its_transcript(
    words: dict[str, str], stack: Stack
) -> None:
    name = f"PLrefused-{words['kind']}"
    prefix = f"re{words['kind'][:4]}"
    videos: dict[str, dict[str, Any]] = {f"{prefix}{number:05d}": {} for number in range(20)}
    define(stack, name, videos)
    stack.fake_youtube.fault(**words)
    job_id = stack.index(name)
    stack.wait_for(lambda: asked(stack) >= 4, 60, "a few refusals")
    stack.wait_for(lambda: stack.job(job_id)["total"] == 20, 60, "the playlist is listed")
    job = stack.job(job_id)
    # The address is slowed down: not all twenty have been asked for.
    seen = stack.fake_youtube.stats()["videos"]
    assert [each for each in videos if not seen.get(each, {}).get("player")]
    assert (job["counts"]["unavailable"], job["counts"]["no_transcript"]) == (0, 0)
    stack.fake_youtube.clear_faults()
    stack.finish(job_id, timeout=150)
    assert check(stack, job_id, videos)["counts"]["indexed"] == 20


@pytest.mark.usefixtures("_a_new_address")
def test_videos_that_are_refused_in_words_nobody_knows_do_not_hold_up_the_others(stack: Stack) -> None:
    videos: dict[str, dict[str, Any]] = {f"unkn{number:07d}": {} for number in range(60)}
    refused = list(videos)[::6]
    define(stack, "PLunknown", videos)
    stack.fake_youtube.fault(kind="unplayable", reason="This video is not available", videos=refused)
    job_id = stack.index("PLunknown")
    stack.wait_for(lambda: stack.job(job_id)["counts"]["indexed"] == 50, 90, "the others are indexed")
    job = stack.job(job_id)
    assert (job["counts"]["unavailable"], job["counts"]["no_transcript"]) == (0, 0)
    assert job["blocked_until"] is None
    stack.fake_youtube.clear_faults()
    stack.finish(job_id, timeout=60)
    assert check(stack, job_id, videos)["counts"]["indexed"] == 60


def asked(stack: Stack) -> int:
    endpoints = stack.fake_youtube.stats()["endpoints"]
    return int(endpoints["player"]["requests"]) if "player" in endpoints else 0


def test_a_video_that_is_not_for_us_is_found_by_title_and_description(stack: Stack) -> None:
    videos = {
        "restricted1": {"status": "members_only", "title": "Xylography for members"},
        "restricted2": {"status": "region_blocked", "title": "Xylography abroad", "description": "Ocelots"},
        "restricted3": {"status": "age_restricted", "title": "Xylography for adults"},
        "restricted4": {
            "status": "unplayable",
            "reason": "This video requires payment to watch",
            "title": "Xylography",
        },
        "restrictgon": {"status": "unavailable", "title": "Xylography that is gone"},
        "restrictprv": {"status": "private", "title": "Xylography in private"},
    }
    define(stack, "PLrestricted", videos)
    job_id = stack.index("PLrestricted")
    stack.finish(job_id)
    job = check(stack, job_id, videos)
    assert job["counts"]["unavailable"] == 6
    found = {hit["video_id"] for hit in stack.search("xylography")["hits"]}
    assert found == {"restricted1", "restricted2", "restricted3", "restricted4"}
    (hit,) = stack.search("ocelots")["hits"]
    assert (hit["video_id"], hit["moments"]) == ("restricted2", [])
    assert "your country" in stack.get("/api/videos/restricted2").json()["reason"]
    reasons = {video_id: video["reason"] for video_id, video in ledger(stack, job_id).items()}
    assert "members" in reasons["restricted1"]
    assert "your country" in reasons["restricted2"]
    assert "adults" in reasons["restricted3"]
    assert "payment" in reasons["restricted4"]
    # For the next user nothing is asked again.
    stack.fake_youtube.reset("stats")
    again = stack.index("PLrestricted", "second")
    stack.finish(again, "second")
    assert check(stack, again, videos, "second")["reused"] == 5
    assert asked(stack) == 0
    assert len(stack.search("xylography", "second")["hits"]) == 4


def track(language: str, kind: str = "human", **fields: Any) -> dict[str, Any]:
    return {"language": language, "kind": kind, "lines": [[0.0, 4.0, f"said in {language} {kind}"]], **fields}


def test_the_captions_of_the_language_that_is_spoken_are_found(stack: Stack) -> None:
    dubbed = [track(code, "generated") for code in ("ar", "de", "en")]
    videos: dict[str, dict[str, Any]] = {
        "spoken00001": {"tracks": [track("ar"), track("en"), track("en", "generated")]},
        "spoken00002": {"tracks": dubbed, "audio_tracks": [{"captions": [0, 1, 2], "default": 2}]},
        "spoken00003": {"tracks": [track("en"), track("ja", "generated")]},
        "spoken00004": {"tracks": dubbed, "language": "de-DE"},
        "spoken00005": {"tracks": [track("en", name="English"), track("en", name="English - Commentary")]},
        "spoken00006": {"tracks": [track("ar"), track("en", fault="po_token"), track("en", "generated")]},
        "spoken00007": {"tracks": [track("en-ehkg1hFWq8A", name="English")]},
        "spoken00008": {
            "tracks": [
                {"language": "en", "kind": "human", "lines": [[0, 1, "if x < 5 and y > 3 a List<String>"]]}
            ]
        },
    }
    define(stack, "PLspoken", videos)
    job_id = stack.index("PLspoken")
    stack.finish(job_id)
    assert check(stack, job_id, videos)["counts"]["indexed"] == len(videos)
    found = {}
    for video_id in videos:
        about = stack.get(f"/api/videos/{video_id}").json()
        found[video_id] = (about["language"], about["generated"], about["choice"])
    assert found == {
        "spoken00001": ("en", False, "generated"),
        "spoken00002": ("en", True, "audio_track"),
        "spoken00003": ("ja", True, "generated"),
        "spoken00004": ("de", True, "audio_language"),
        "spoken00005": ("en", False, "first"),
        "spoken00006": ("en", True, "generated"),
        "spoken00007": ("en", False, "first"),
        "spoken00008": ("en", False, "first"),
    }
    assert "proof of origin" in stack.get("/api/videos/spoken00006").json()["reason"]
    entries = ledger(stack, job_id)
    assert "proof of origin" in entries["spoken00006"]["reason"]
    assert entries["spoken00001"]["reason"] is None
    (hit,) = stack.search('"x < 5 and y > 3"')["hits"]
    assert hit["video_id"] == "spoken00008"


def test_a_job_waits_when_the_data_api_is_asked_too_often(stack: Stack) -> None:
    define(stack, "PLtoooften", {"toooften001": {}})
    stack.fake_youtube.fault("rate_limit_exceeded", videos=["PLtoooften"])
    job_id = stack.index("PLtoooften")
    stack.wait_for(lambda: stack.job(job_id)["blocked_until"], 60, "the job says how long it waits")
    assert "too many requests in a minute" in stack.job(job_id)["error"]
    assert stack.post(f"/api/jobs/{job_id}/cancel").json()["state"] == "cancelled"


def test_trouble_with_the_key_says_whose_it_is(stack: Stack) -> None:
    define(stack, "PLkey", {"keytrouble1": {}})
    stack.fake_youtube.fault("key_referrer_blocked", videos=["PLkey"])
    job_id = stack.index("PLkey")
    stack.wait_for(lambda: stack.job(job_id)["state"] == "failed", 60, "the job fails")
    error = stack.job(job_id)["error"]
    assert "API key of this service" in error
    assert "application restrictions" in error
    stack.fake_youtube.clear_faults()
    stack.post(f"/api/jobs/{job_id}/retry")
    stack.finish(job_id)
    check(stack, job_id, ["keytrouble1"])
