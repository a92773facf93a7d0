"""Partial answers of the player, which the parameter `$fields` selects."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from infra.local.fake_youtube.captions.partial_answers import MODES
from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import TIMEOUT_SECONDS

VIDEO = generate.video_id("partial", 0)


def ask(server: LiveServer, fields: str | None, video_id: str = VIDEO) -> requests.Response:
    key = server.control("settings")["innertube_key"]
    return requests.post(
        f"{server.url}/youtubei/v1/player",
        params={"key": key, "prettyPrint": "false"} | ({"$fields": fields} if fields is not None else {}),
        json={"videoId": video_id, "context": {}},
        timeout=TIMEOUT_SECONDS,
    )


def without_signatures(answer: Any) -> Any:
    """The answer without the expiry and signature of caption URLs, which differ from request to request."""
    return json.loads(re.sub(r"expire=\d+|signature=[0-9A-F]+", "", json.dumps(answer)))


def names(value: Any) -> Any:
    """The names of the members of an answer, without the values."""
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
def test_answer_has_only_the_selected_members(server: LiveServer, fields: str, expected: Any) -> None:
    answer = ask(server, fields)
    assert answer.status_code == 200
    assert names(answer.json()) == expected


def test_selected_members_equal_those_of_the_whole_answer(server: LiveServer) -> None:
    whole = without_signatures(ask(server, None).json())
    part = without_signatures(ask(server, "captions,playabilityStatus").json())
    assert part == {name: whole[name] for name in ("captions", "playabilityStatus")}
    assert without_signatures(ask(server, "*").json()) == whole
    gone = ask(server, "playabilityStatus,captions", "AAAAAAAAAAA").json()
    assert gone == {"playabilityStatus": ask(server, None, "AAAAAAAAAAA").json()["playabilityStatus"]}


@pytest.mark.parametrize(
    "fields",
    ["captionz", "captions/tracks", "captions(", "captions,", "captions/*/x", "playabilityStatus(status,x)"],
)
def test_unknown_selection_is_refused(server: LiveServer, fields: str) -> None:
    answer = ask(server, fields)
    assert answer.status_code == 400
    assert "Invalid field selection" in answer.json()["error"]["message"]
    assert ask(server, "captions").status_code == 200


def test_faulty_modes_change_only_answers_to_a_selection(server: LiveServer) -> None:
    fields = f"playabilityStatus,captions/{RENDERER}(captionTracks,audioTracks,defaultAudioTrackIndex)"
    whole = names(ask(server, None).json())
    found: dict[str, Any] = {}
    for mode in MODES:
        assert server.control("settings", {"partial_answers": mode})["partial_answers"] == mode
        found[mode] = ask(server, fields)
        assert names(ask(server, None).json()) == whole
    assert found["refused"].status_code == 400
    assert found["forbidden"].status_code == 403
    assert names(found["ignored"].json()) == whole
    assert found["empty"].content == b""
    assert found["nothing"].json() == {}
    with pytest.raises(requests.JSONDecodeError):
        found["not_json"].json()
    complete = json.dumps(names(found["honoured"].json()))
    for mode in MODES:
        _, _, name = mode.partition("without_")
        if name:
            assert f'"{name}"' in complete
            assert f'"{name}"' not in json.dumps(names(found[mode].json()))
    server.control("reset", {"what": ["settings"]})
    assert ask(server, fields).json().keys() == {"playabilityStatus", "captions"}
