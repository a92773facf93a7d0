"""Partial answers of the stand-in's player, as Google's APIs give them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from infra.local.standin import generate
from infra.local.standin.inprocess import InProcess
from tests.unit.standin.support import TIMEOUT_SECONDS

VIDEO = generate.video_id("partial", 0)


def ask(standin: InProcess, fields: str | None, video_id: str = VIDEO) -> requests.Response:
    key = standin.control("settings")["innertube_key"]
    return requests.post(
        f"{standin.url}/youtubei/v1/player",
        params={"key": key, "prettyPrint": "false"} | ({"$fields": fields} if fields is not None else {}),
        json={"videoId": video_id, "context": {}},
        timeout=TIMEOUT_SECONDS,
    )


def without_times(answer: Any) -> Any:
    """Addresses of captions say until when they are good, and are signed."""
    return json.loads(re.sub(r"expire=\d+|signature=[0-9A-F]+", "", json.dumps(answer)))


def names(value: Any) -> Any:
    """The members of an answer, without their values."""
    if isinstance(value, dict):
        return {name: names(below) for name, below in value.items()}
    return [names(value[0])] if isinstance(value, list) and value else None


TRACK = {"baseUrl": None, "name": {"runs": [{"text": None}]}}
RENDERER = "playerCaptionsTracklistRenderer"
SELECTED: list[tuple[str, Any]] = [
    ("playabilityStatus/status", {"playabilityStatus": {"status": None}}),
    (
        "playabilityStatus(status,playableInEmbed)",
        {"playabilityStatus": {"status": None, "playableInEmbed": None}},
    ),
    (
        "playabilityStatus/status,captions/playerCaptionsTracklistRenderer/captionTracks(baseUrl,name)",
        {"captions": {RENDERER: {"captionTracks": [TRACK]}}, "playabilityStatus": {"status": None}},
    ),
    (
        "captions/*/captionTracks/name/runs/text",
        {"captions": {RENDERER: {"captionTracks": [{"name": TRACK["name"]}]}}},
    ),
    (
        "captions(playerCaptionsTracklistRenderer(defaultAudioTrackIndex))",
        {"captions": {RENDERER: {"defaultAudioTrackIndex": None}}},
    ),
    ("streamingData/expiresInSeconds", {"streamingData": {"expiresInSeconds": None}}),
]


@pytest.mark.parametrize(("fields", "expected"), SELECTED, ids=[fields for fields, _ in SELECTED])
def test_what_is_selected_is_sent_and_nothing_else(standin: InProcess, fields: str, expected: Any) -> None:
    answer = ask(standin, fields)
    assert answer.status_code == 200
    assert names(answer.json()) == expected


def test_what_is_sent_is_what_stands_in_the_whole_answer(standin: InProcess) -> None:
    whole = without_times(ask(standin, None).json())
    part = without_times(ask(standin, "captions,playabilityStatus").json())
    assert part == {name: whole[name] for name in ("captions", "playabilityStatus")}
    assert without_times(ask(standin, "*").json()) == whole
    gone = ask(standin, "playabilityStatus,captions", "AAAAAAAAAAA").json()
    assert gone == {"playabilityStatus": ask(standin, None, "AAAAAAAAAAA").json()["playabilityStatus"]}


@pytest.mark.parametrize(
    "fields",
    ["captionz", "captions/tracks", "captions(", "captions,", "captions/*/x", "playabilityStatus(status,x)"],
)
def test_a_selection_that_nobody_knows_is_refused(standin: InProcess, fields: str) -> None:
    answer = ask(standin, fields)
    assert answer.status_code == 400
    assert "Invalid field selection" in answer.json()["error"]["message"]
    assert ask(standin, "captions").status_code == 200


def test_the_ways_in_which_it_may_go_wrong_are_of_selections_only(standin: InProcess) -> None:
    fields = "playabilityStatus,captions"
    whole = names(ask(standin, None).json())
    found: dict[str, Any] = {}
    for way in ("refused", "ignored", "empty", "not_json", "without_playabilityStatus", "without_captions"):
        assert standin.control("settings", {"partial_answers": way})["partial_answers"] == way
        found[way] = ask(standin, fields)
        assert names(ask(standin, None).json()) == whole
    assert found["refused"].status_code == 400
    assert names(found["ignored"].json()) == whole
    assert found["empty"].content == b""
    with pytest.raises(requests.JSONDecodeError):
        found["not_json"].json()
    assert found["without_playabilityStatus"].json().keys() == {"captions"}
    assert found["without_captions"].json().keys() == {"playabilityStatus"}
    standin.control("reset", {"what": ["settings"]})
    assert ask(standin, fields).json().keys() == {"playabilityStatus", "captions"}
