"""Partial answers of the player, which the parameter `$fields` selects, and their faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from infra.local.fake_youtube import field_mask
from infra.local.fake_youtube.field_mask import Mask
from infra.local.fake_youtube.replies import JSON, Reply, json_reply

#: Members that an answer with caption tracks has. Each can be left out of partial answers.
_OMITTED = (
    "playabilityStatus",
    "captions",
    "captionTracks",
    "baseUrl",
    "languageCode",
    "name",
    "trackName",
    "vssId",
    "audioTracks",
    "defaultAudioTrackIndex",
)
#: How the player answers a request with `$fields`. ``nothing``: the empty object. ``without_…``: that member
#: is missing, at whatever depth.
MODES = (
    "honoured",
    "refused",
    "forbidden",
    "ignored",
    "empty",
    "nothing",
    "not_json",
    *(f"without_{name}" for name in _OMITTED),
)

_RUNS: Mask = {"runs": {"text": None}}
#: The members that exist; None where any name is allowed below.
_MEMBERS: Mask = {
    "responseContext": None,
    "streamingData": None,
    "videoDetails": None,
    "playabilityStatus": {
        "status": None,
        "reason": None,
        "playableInEmbed": None,
        "offlineability": None,
        "pictureInPicture": None,
        "miniplayer": None,
        "contextParams": None,
        "liveStreamability": None,
        "errorScreen": {"playerErrorMessageRenderer": {"reason": _RUNS, "subreason": _RUNS}},
    },
    "captions": {
        "playerCaptionsTracklistRenderer": {
            "captionTracks": {
                "baseUrl": None,
                "name": _RUNS,
                "vssId": None,
                "languageCode": None,
                "kind": None,
                "isTranslatable": None,
                "trackName": None,
            },
            "translationLanguages": {"languageCode": None, "languageName": _RUNS},
            "audioTracks": {
                "audioTrackId": None,
                "captionTrackIndices": None,
                "defaultCaptionTrackIndex": None,
                "hasDefaultTrack": None,
                "visibility": None,
            },
            "defaultAudioTrackIndex": None,
        }
    },
}


def answer(
    fields: str, mode: str, make: Callable[[Mask | None], Reply], refuse: Callable[[str], Reply]
) -> Reply:
    """`fields`: the value of `$fields`, empty without one. `mode`: one of MODES.
    `make`: makes the part of the answer that a mask selects, all of it for None.
    `refuse`: makes a reply with status 400 from a message."""
    if not fields or mode == "ignored":
        return make(None)
    if mode in _BODIES:
        return Reply(*_BODIES[mode])
    try:
        if mode == "refused":
            raise ValueError(fields)
        mask = field_mask.parse(fields)
        field_mask.check(mask, _MEMBERS)
    except ValueError as error:
        return refuse(f"Invalid field selection {error}")
    made = make(mask)
    if mode == "honoured":
        return made
    return json_reply(_without(mode.removeprefix("without_"), json.loads(made.uncompressed())), False)


#: The answers that depend on nothing.
_BODIES = {
    "forbidden": (403, JSON, b'{"error":{"code":403,"status":"PERMISSION_DENIED"}}'),
    "empty": (200, JSON, b""),
    "nothing": (200, JSON, b"{}"),
    "not_json": (200, JSON, b"<html><title>YouTube</title>"),
}


def _without(name: str, value: Any) -> Any:
    """The JSON value without all members of this name."""
    if isinstance(value, list):
        return [_without(name, item) for item in value]
    if isinstance(value, dict):
        return {each: _without(name, below) for each, below in value.items() if each != name}
    return value
