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
from html import unescape
from itertools import cycle
from typing import Any, Literal, NamedTuple

from shared import clock
from shared.youtube.player_answer import member, text_of

#: - ``restricted``: the video is there, but not for us.
#: - ``gone``: the video is there for nobody, or for its owner only.
#: - ``gone unless listed``: the same, but words and status are too sparse to believe them of a video that
#:   videos.list of the Data API describes. Of such a video it is ``unknown``.
#: - ``not yet``: it will play later. ``ended``: a broadcast is over, and perhaps there will be a recording.
#: - ``address``: YouTube refuses our address. ``perhaps address``: one of these signs proves nothing.
#: - ``unknown``: nobody knows whether the video or the address is meant.
Meaning = Literal[
    "restricted", "gone", "gone unless listed", "not yet", "ended", "address", "perhaps address", "unknown"
]
#: Characters of YouTube's words that are kept.
_LONGEST = 200


class Row(NamedTuple):
    """``status``: empty for any. ``phrases``: one of them is said; empty for any words.

    In a phrase, one of ``(these/those)`` is said. A phrase with a full stop is a sentence of its own.
    ``sentence``: for a person, in place of YouTube's words.
    """

    status: str
    phrases: tuple[str, ...]
    meaning: Meaning
    sentence: str = ""


_ADULTS = "YouTube shows the video to signed-in adults only."

#: The first row that matches decides. Case, signs and spaces do not count: see :func:`_words`.
TABLE: tuple[Row, ...] = (
    Row(
        "",
        (
            "(not/aren't/isn't/you) a (bot/robot)", "no (bot/robot)",
            "(you're/you are) (human/a human/a real person)", "(unusual/suspicious) (traffic/activity)",
            "automated (queries/requests/traffic)",
        ),
        "address",
    ),
    Row(
        "",
        ("processing this video", "video is (processing/being processed/still processing)"),
        "not yet",
    ),
    Row(
        "",
        (
            "try again", "rate-limited", "too many requests", "on this (app/device/browser)",
            "latest version of YouTube", "update YouTube",
            "(YouTube/YouTube Premium/YouTube Music/YouTube TV/service) (is not available/isn't available)",
            "(YouTube/service) is unavailable",
            "page needs to be reloaded", "(you're/you are) offline", "check your (connection/network)",
            "internet connection", "no internet", "to the internet",
        ),
        "perhaps address",
    ),
    Row(
        "",
        (
            "private video", "video private", "(video/it) is private", "is now private",
            "(made/set/marked) (the video/this video/it/to/as) private", "(made/marked) private",
        ),
        "gone",
    ),
    Row("AGE_VERIFICATION_REQUIRED", (), "restricted", _ADULTS),
    Row("AGE_CHECK_REQUIRED", (), "restricted", _ADULTS),
    Row("CONTENT_CHECK_REQUIRED", (), "restricted"),
    Row(
        "",
        (
            "inappropriate for",
            "(appropriate/suitable) for (some/all/certain/young/younger/children/minors/everyone)",
            "(confirm/verify/prove) your age", "age (restricted/limited/gated)",
            "age (restriction/limit/verification)",
            "(for/to) adults", "adults only", "18 or older", "over 18",
        ),
        "restricted",
        _ADULTS,
    ),
    Row(
        "",
        (
            "members-only", "channel (member/members/membership)", "channel's (members/membership)",
            "join (this/the) channel", "(member/members) of (this/the) channel", "(for/to) members",
            "become a member",
        ),
        "restricted",
    ),
    Row(
        "",
        (
            "(in/from/for/to) (your/this) (country/region/location/area/territory/jurisdiction)",
            "in (some/certain/other) (countries/regions)", "on this country", "who has blocked it",
        ),
        "restricted",
    ),
    Row(
        "",
        (
            "(requires/require) (payment/purchase)", "(payment/purchase) (required/is required)",
            "(pay/purchase) to (watch/view)", "rent or buy", "buy or rent",
            "(buy/rent/purchase) (this/the) (video/movie/film/show/episode)", "purchase this",
            "available for (purchase/rent)", "bought a ticket", "paid subscription",
            "Premium (members/subscribers/membership/subscription)", "requires (YouTube/Music) Premium",
            "(requires/require/need) (a/an) subscription", "(channel/channels) subscription",
            "subscription (required/is required)",
        ),
        "restricted",
    ),
    Row(
        "",
        (
            "(removed/deleted) by (user/uploader/owner/author/creator)",
            "(removed/deleted) by (the/its/the video) (user/uploader/owner/author/creator)",
            "(user/uploader/owner/author/creator) (removed/deleted)",
            "(user/uploader/owner/author/creator) has (removed/deleted)",
            "(video/account/channel) (removed/deleted/terminated/suspended)",
            "(video/account/channel/user) (is/was/has been) (removed/deleted/terminated/suspended/closed)",
            "associated with this video (was/has been) (removed/deleted/terminated/suspended/closed)",
            "closed (the/their/this/his/her) (account/YouTube account)", "removed for violating",
            "video (violates/violated)", "copyright (claim/claims/infringement)",
        ),
        "gone",
    ),
    Row(
        "",
        ("(event/stream/broadcast/premiere) (has ended/ended/is over)",),
        "ended",
    ),
    Row("LIVE_STREAM_OFFLINE", (), "not yet"),
    Row(
        "",
        (
            "premieres (in/on/at/today/tomorrow/soon/shortly)", "will premiere", "is premiering",
            "(premiere/event/stream/broadcast/video) (will begin/will start/begins/starts)",
            "upcoming (premiere/event/stream/broadcast)", "upcoming live", "Offline.",
            "(stream/broadcast/streamer/channel) is (offline/currently offline)", "live stream recording",
        ),
        "not yet",
    ),
    Row("", ("(sign/signed/signing/log/logged) (in/into)", "login"), "perhaps address"),
    Row(
        "ERROR",
        (
            "video unavailable", "video is (unavailable/not available/no longer available)",
            "video isn't available", "video (does not/doesn't) exist", "video not found",
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
    if status == "OK":
        return None
    sentences = list(dict.fromkeys(filter(None, _sentences(found))))
    said, words = " ".join(sentences), f". {' . '.join(map(_words, sentences))} ."
    shown = said[:_LONGEST].rstrip(". ") or "no reason given"
    for row, pattern in zip(TABLE, _PATTERNS, strict=True):
        if row.status in ("", status) and (not row.phrases or pattern.search(words)):
            of_video = row.meaning not in ("address", "perhaps address")
            if (of_video and not isinstance(status, str)) or (row.meaning == "gone unless listed" and listed):
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


def _words(text: str) -> str:
    """Words in lower case, with any quotes, spaces and signs, and `.` where a sentence ends."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _APOSTROPHE.sub("", unescape(text)))).casefold()
    return " ".join(re.sub(r"[^\w.]|_", " ", re.sub(r"[.!?…]+", " . ", plain)).split())


#: In "you're" and "aren't". NFKC would make some of them an accent.
_APOSTROPHE = re.compile("['`\u00b4\u02bc\u2018\u2019\u201b\u2032\uff07]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def _pattern(phrase: str) -> str:
    """The regular expression of a phrase, for :func:`_words` between two full stops."""
    parts = [
        f"(?:{'|'.join(map(_words, part.split('/')))})" if is_choice else _words(part).removesuffix(" .")
        for is_choice, part in zip(cycle((False, True)), re.split(r"[()]", phrase), strict=False)
        if part.strip()
    ]
    whole = phrase.endswith(".")
    return rf"{'[.]' if whole else ''} {' '.join(parts)} {'[.]' if whole else ''}"


_PATTERNS = [re.compile("|".join(map(_pattern, row.phrases))) for row in TABLE]


def _sentences(playability: Any) -> Iterator[str]:
    """YouTube writes the sentence that matters into any of these places."""
    yield text_of(playability.get("reason"))
    messages = playability.get("messages")
    yield from map(text_of, messages if isinstance(messages, list) else ())
    screen = playability.get("errorScreen")
    for renderer in screen.values() if isinstance(screen, dict) else ():
        yield text_of(member(renderer, "reason"))
        yield text_of(member(renderer, "subreason"))
