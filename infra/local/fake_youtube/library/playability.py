"""Why a video does not play, in the player's words: a status, a reason, and a second sentence.

Clients recognise some errors by the text of the reason, so these texts are YouTube's own.
"""

from __future__ import annotations

from typing import NamedTuple

from infra.local.fake_youtube.library.model import LIVE, NO_CAPTIONS, OK, Video


class Playability(NamedTuple):
    status: str
    reason: str
    subreason: str = ""

    @property
    def explanation(self) -> str:
        """Both sentences, as a page shows them."""
        return " ".join(filter(None, (self.reason, self.subreason)))


#: The keys are statuses of videos and also kinds of faults.
UNPLAYABLE = {
    "bot": Playability("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot"),
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
    "sign_in": Playability("LOGIN_REQUIRED", "Please sign in"),
    "not_on_this_app": Playability(
        "UNPLAYABLE",
        "The following content is not available on this app.",
        "Watch on the latest version of YouTube.",
    ),
    "unplayable": Playability("UNPLAYABLE", "Video unavailable"),
}
#: All statuses that a video can have.
STATUSES = frozenset({OK, NO_CAPTIONS, LIVE, *UNPLAYABLE})


def playability(
    kind: str, reason: str | None = None, subreason: str | None = None, status: str | None = None
) -> Playability:
    """The player's answer to a video status or kind of fault. Given arguments replace the usual values."""
    usual = UNPLAYABLE[kind]
    return Playability(
        status or usual.status, reason or usual.reason, usual.subreason if subreason is None else subreason
    )


def why_unplayable(video: Video | None) -> Playability | None:
    """None if the video plays. `video`: None for one that does not exist."""
    if video is None:
        return playability("unavailable")
    if video.status in (OK, NO_CAPTIONS, LIVE):
        return None
    return playability(video.status, video.reason, video.subreason, video.playability)
