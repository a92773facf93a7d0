"""What the player says about a video that does not play: status, reason, and a second sentence.

Where youtube-transcript-api tells errors apart by the reason's text, that text is used.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Playability(NamedTuple):
    status: str
    reason: str
    subreason: str = ""


BOT = Playability("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot")

#: By video status, or kind of fault.
UNPLAYABLE = {
    "bot": BOT,
    "unavailable": Playability("ERROR", "This video is unavailable"),
    "deleted": Playability("ERROR", "Video unavailable", "This video has been removed by the uploader"),
    "private": Playability(
        "LOGIN_REQUIRED",
        "Private video",
        "Sign in if you've been granted access to this video",
    ),
    "age_restricted": Playability("LOGIN_REQUIRED", "This video may be inappropriate for some users."),
    "members_only": Playability(
        "UNPLAYABLE",
        "Join this channel to get access to members-only content like this video, and other exclusive perks.",
    ),
    "premiere": Playability("LIVE_STREAM_OFFLINE", "Premieres in 2 hours"),
    "rate_limited": Playability(
        "UNPLAYABLE",
        "This content isn’t available, try again later.",
        "The current session has been rate-limited by YouTube for up to an hour.",
    ),
    "region_blocked": Playability(
        "UNPLAYABLE", "Video unavailable", "The uploader has not made this video available in your country"
    ),
    "unplayable": Playability("UNPLAYABLE", "Video unavailable"),
}


def of(kind: str, reason: str | None = None, subreason: str | None = None) -> Playability:
    """The answer for a status or kind of fault, with another reason where one is given."""
    usual = UNPLAYABLE[kind]
    return Playability(
        usual.status, reason or usual.reason, usual.subreason if subreason is None else subreason
    )


def as_json(playability: Playability) -> dict[str, Any]:
    status, reason, subreason = playability
    renderer: dict[str, Any] = {"reason": {"runs": [{"text": reason}]}}
    if subreason:
        renderer["subreason"] = {"runs": [{"text": subreason}]}
    return {
        "status": status,
        "reason": reason,
        "errorScreen": {"playerErrorMessageRenderer": renderer},
        "contextParams": "Q0FFU0FnZ0I=",
    }
