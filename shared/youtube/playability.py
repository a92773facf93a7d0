"""What it means that YouTube's player does not play a video.

The same words may be about the video or about our address, and a wrong verdict on a video would be stored
for everybody. So a verdict needs a positive sign, and what the table does not know is never stored.
docs/reliability.md shows the table to people; a test compares the two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from shared import clock
from shared.youtube.player_answer import member, text_of

#: - ``restricted``: the video is there, but not for us.
#: - ``gone``: the video is there for nobody, or for its owner only.
#: - ``gone unless listed``: the same, but words and status are too sparse to believe them of a video that
#:   videos.list of the Data API describes. Of such a video it is ``unknown``.
#: - ``not yet``: it will play later.
#: - ``address``: YouTube refuses our address. ``perhaps address``: one of these signs proves nothing.
#: - ``unknown``: nobody knows whether the video or the address is meant.
Meaning = Literal[
    "restricted", "gone", "gone unless listed", "not yet", "address", "perhaps address", "unknown"
]
#: Characters of YouTube's words that are kept.
_LONGEST = 200


class Row(NamedTuple):
    """``status``: empty for any. ``words``: one of them is said; empty for any words.

    ``sentence``: for a person, in place of YouTube's words.
    """

    status: str
    words: tuple[str, ...]
    meaning: Meaning
    sentence: str = ""


_ADULTS = "YouTube shows the video to signed-in adults only."

#: The first row that matches decides. Case, spaces and signs do not count in words: see :func:`_letters`.
TABLE: tuple[Row, ...] = (
    Row("", ("confirm you're not a bot", "you are not a bot", "not a robot", "unusual traffic"), "address"),
    Row(
        "",
        (
            "try again later", "rate-limited", "too many requests",
            "not available on this app", "latest version of YouTube", "YouTube is not available",
            "YouTube isn't available", "service is not available", "page needs to be reloaded",
            "you're offline", "you are offline", "check your connection",
        ),
        "perhaps address",
    ),
    Row("", ("private video", "video is private", "made private"), "gone"),
    Row("AGE_VERIFICATION_REQUIRED", (), "restricted", _ADULTS),
    Row("AGE_CHECK_REQUIRED", (), "restricted", _ADULTS),
    Row("CONTENT_CHECK_REQUIRED", (), "restricted"),
    Row(
        "",
        ("inappropriate for some users", "confirm your age", "verify your age", "age-restricted"),
        "restricted",
        _ADULTS,
    ),
    Row("", ("members-only", "channel's members", "channel members", "join this channel"), "restricted"),
    Row(
        "",
        (
            "in your country", "in your region", "in your location", "from your location", "on this country",
            "who has blocked it",
        ),
        "restricted",
    ),
    Row(
        "",
        ("requires payment", "rent or buy", "buy or rent", "purchase this", "Premium", "paid subscription"),
        "restricted",
    ),
    Row(
        "",
        (
            "removed by", "video has been removed", "video was removed", "removed for violating",
            "has been terminated", "was terminated", "closed their YouTube account", "copyright claim",
            "copyright infringement", "deleted by",
        ),
        "gone",
    ),
    Row("LIVE_STREAM_OFFLINE", (), "not yet"),
    Row(
        "",
        (
            "premiere", "will begin", "live event", "upcoming", "offline", "processing this video",
            "being processed", "video is processing", "still processing", "live stream recording",
        ),
        "not yet",
    ),
    Row("", ("please sign in", "sign in to continue"), "perhaps address"),
    Row(
        "ERROR",
        (
            "video unavailable", "video is unavailable", "video is not available", "video isn't available",
            "video is no longer available", "video does not exist", "video doesn't exist",
        ),
        "gone unless listed",
        "The video is no longer on YouTube.",
    ),
)  # fmt: skip


class Refusal(NamedTuple):
    """The player does not play the video. ``said``: YouTube's words, without a full stop at the end.

    ``sentence``: for a person, in place of these words; may be empty. ``expected_at``: from when on it
    plays, if YouTube says so.
    """

    meaning: Meaning
    said: str
    sentence: str = ""
    expected_at: datetime | None = None


def refusal_of(playability: Any, *, listed: bool) -> Refusal | None:
    """Reads ``playabilityStatus`` of the player's answer. None if the video plays.

    ``listed``: videos.list of the Data API describes the video.
    """
    found = playability if isinstance(playability, dict) else {}
    status = found.get("status")
    if status is None or status == "OK":
        return None
    said = " ".join(dict.fromkeys(filter(None, _sentences(found))))
    letters = _letters(said)
    shown = said[:_LONGEST].rstrip(". ") or "no reason given"
    for row in TABLE:
        if row.status in ("", status) and (
            not row.words or any(_letters(each) in letters for each in row.words)
        ):
            if row.meaning == "gone unless listed" and listed:
                break
            expected_at = _expected_at(found, said) if row.meaning == "not yet" else None
            return Refusal(row.meaning, shown, row.sentence, expected_at)
    return Refusal("unknown", shown)


def is_live(playability: Any) -> bool:
    """Whether a video that plays is being broadcast now."""
    return bool(member(playability, "liveStreamability"))


def _expected_at(playability: dict[str, Any], said: str) -> datetime | None:
    """When a broadcast begins: by the clock, or as in "Premieres in 2 hours"."""
    slate = member(playability, "liveStreamability", "liveStreamabilityRenderer", "offlineSlate")
    seconds = member(slate, "liveStreamOfflineSlateRenderer", "scheduledStartTime")
    if re.fullmatch(r"\d{1,11}", str(seconds)):
        return datetime.fromtimestamp(int(seconds), UTC)
    if found := re.search(r"\bin (\d{1,4}) (minute|hour|day|week)s?\b", said):
        return clock.now() + timedelta(**{f"{found[2]}s": int(found[1])})
    return None


def _letters(text: str) -> str:
    """Only letters and digits, in lower case: words match in any case and with any quotes and spaces."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _sentences(playability: Any) -> Iterator[str]:
    """YouTube writes the sentence that matters into any of these places."""
    yield text_of(playability.get("reason"))
    messages = playability.get("messages")
    yield from map(text_of, messages if isinstance(messages, list) else ())
    screen = playability.get("errorScreen")
    for renderer in screen.values() if isinstance(screen, dict) else ():
        yield text_of(member(renderer, "reason"))
        yield text_of(member(renderer, "subreason"))
