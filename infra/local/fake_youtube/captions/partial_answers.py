"""Partial answers of the player, which the parameter `$fields` selects, and their faults."""

from __future__ import annotations

from collections.abc import Callable

from infra.local.fake_youtube import field_mask
from infra.local.fake_youtube.field_mask import Mask
from infra.local.fake_youtube.replies import JSON, Reply

#: How the player answers a request with `$fields`. ``without_…``: that member is missing.
MODES = (
    "honoured",
    "refused",
    "ignored",
    "empty",
    "not_json",
    "without_playabilityStatus",
    "without_captions",
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
    if mode == "empty":
        return Reply(200, JSON, b"")
    if mode == "not_json":
        return Reply(200, JSON, b"<html><title>YouTube</title>")
    try:
        if mode == "refused":
            raise ValueError(fields)
        mask = field_mask.parse(fields)
        field_mask.check(mask, _MEMBERS)
    except ValueError as error:
        return refuse(f"Invalid field selection {error}")
    return make({name: below for name, below in mask.items() if mode != f"without_{name}"})
