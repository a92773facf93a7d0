"""Partial answers of the player: what `$fields` selects, and the ways in which that may go wrong."""

from __future__ import annotations

from collections.abc import Callable

from infra.local.standin import fieldmask
from infra.local.standin.fieldmask import Mask
from infra.local.standin.wire import JSON, Reply

#: What a test may have instead of a partial answer. ``without_…``: it lacks that member.
WAYS = (
    "honoured",
    "refused",
    "ignored",
    "empty",
    "not_json",
    "without_playabilityStatus",
    "without_captions",
)

_RUNS: Mask = {"runs": {"text": None}}
#: The members that there are; None where anything may be below.
_MEMBERS: Mask = {
    "responseContext": None,
    "streamingData": None,
    "videoDetails": None,
    "playabilityStatus": {
        "status": None,
        "reason": None,
        "playableInEmbed": None,
        "contextParams": None,
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
            "defaultAudioTrackIndex": None,
        }
    },
}


def answer(
    fields: str, way: str, make: Callable[[Mask | None], Reply], refuse: Callable[[str], Reply]
) -> Reply:
    """`make` makes the player's answer, of what a mask selects; `refuse` a 400 with a message."""
    if not fields or way == "ignored":
        return make(None)
    if way == "empty":
        return Reply(200, JSON, b"")
    if way == "not_json":
        return Reply(200, JSON, b"<html><title>YouTube</title>")
    try:
        if way == "refused":
            raise ValueError(fields)
        mask = fieldmask.parse(fields)
        fieldmask.check(mask, _MEMBERS)
    except ValueError as error:
        return refuse(f"Invalid field selection {error}")
    return make({name: below for name, below in mask.items() if way != f"without_{name}"})
