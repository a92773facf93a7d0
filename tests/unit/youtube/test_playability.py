"""What it means that YouTube does not play a video: the table, and words that it has to understand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.youtube.playability import TABLE, Meaning, refusal_of

RELIABILITY = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text(encoding="utf-8")


def meaning(status: str | None, reason: Any, subreason: Any = None, *, listed: bool = True) -> Meaning | None:
    screen = {"playerErrorMessageRenderer": {"reason": reason, "subreason": subreason}}
    refusal = refusal_of({"status": status, "reason": reason, "errorScreen": screen}, listed=listed)
    return refusal and refusal.meaning


def test_the_documentation_has_the_same_table() -> None:
    section = RELIABILITY.split("## When YouTube does not play a video")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if re.match(r"\| (any|`)", line)
    ]
    assert rows.pop() == ["anything else", "", "unknown"]
    documented = [(status.strip("`"), words, meaning) for status, words, meaning in rows]
    assert documented == [
        (row.status or "any", ", ".join(f"“{each}”" for each in row.phrases) or "any", row.meaning)
        for row in TABLE
    ]


WORDS: list[tuple[str, str, Meaning]] = [
    # The address.
    ("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot", "address"),
    ("LOGIN_REQUIRED", "Sign in to confirm you're not a bot", "address"),
    ("LOGIN_REQUIRED", "SIGN IN TO CONFIRM YOU‘RE  NOT A\u00a0BOT.", "address"),
    ("UNPLAYABLE", "Sign in to confirm that you are not a bot", "address"),
    ("LOGIN_REQUIRED", "Please sign in", "perhaps address"),
    ("LOGIN_REQUIRED", "Please sign in.", "perhaps address"),
    ("UNPLAYABLE", "The following content is not available on this app.", "perhaps address"),
    ("UNPLAYABLE", "the following content is not available on this App", "perhaps address"),
    ("UNPLAYABLE", "This content isn't available, try again later.", "perhaps address"),
    ("ERROR", "An error occurred. Please try again later.", "perhaps address"),
    ("UNPLAYABLE", "YouTube isn’t available in your country", "perhaps address"),
    ("UNPLAYABLE", "The page needs to be reloaded.", "perhaps address"),
    # The video.
    ("LOGIN_REQUIRED", "Private video", "gone"),
    ("LOGIN_REQUIRED", "This video is private. If the owner has granted you access, please sign in.", "gone"),
    ("ERROR", "This video has been removed by the uploader", "gone"),
    ("ERROR", "This video has been removed for violating YouTube's Terms of Service.", "gone"),
    (
        "ERROR",
        "This video is no longer available because the YouTube account associated with this video has been "
        "terminated.",
        "gone",
    ),
    ("ERROR", "This video is no longer available due to a copyright claim by X.", "gone"),
    ("UNPLAYABLE", "The uploader has not made this video available in your country", "restricted"),
    ("UNPLAYABLE", "This video contains content from X, who has blocked it in your country", "restricted"),
    ("UNPLAYABLE", "Join this channel to get access to members-only content like this video.", "restricted"),
    (
        "UNPLAYABLE",
        "This video is available to this channel’s members on level: Fan (or higher).",
        "restricted",
    ),
    ("LOGIN_REQUIRED", "Sign in to confirm your age", "restricted"),
    ("LOGIN_REQUIRED", "This video may be inappropriate for some users.", "restricted"),
    ("AGE_VERIFICATION_REQUIRED", "", "restricted"),
    ("AGE_CHECK_REQUIRED", "anything", "restricted"),
    ("CONTENT_CHECK_REQUIRED", "The following content may contain suicide topics.", "restricted"),
    ("UNPLAYABLE", "This video requires payment to watch.", "restricted"),
    # Later.
    ("LIVE_STREAM_OFFLINE", "Premieres in 3 hours", "not yet"),
    ("LIVE_STREAM_OFFLINE", "", "not yet"),
    ("UNPLAYABLE", "Premiere will begin shortly", "not yet"),
    ("UNPLAYABLE", "This live event will begin in 2 days.", "not yet"),
    ("UNPLAYABLE", "Offline.", "not yet"),
    ("ERROR", "We're processing this video. Check back later.", "not yet"),
    ("UNPLAYABLE", "This live stream recording is not available.", "not yet"),
    # Other wordings.
    ("LOGIN_REQUIRED", "Sign in to prove you&#39;re not a bot", "address"),
    ("UNPLAYABLE", "CONFIRM THAT YOU AREN´T A ROBOT", "address"),
    ("ERROR", "Please confirm you are human.", "address"),
    ("LOGIN_REQUIRED", "Sign in to watch this video", "perhaps address"),
    ("LOGIN_REQUIRED", "You must be signed in", "perhaps address"),
    ("LOGIN_REQUIRED", "Sign in to get YouTube Premium", "perhaps address"),
    ("LOGIN_REQUIRED", "Sign in to see upcoming videos", "perhaps address"),
    ("UNPLAYABLE", "Playback error. Restart YouTube Premium or check your network", "perhaps address"),
    ("ERROR", "Server offline, try again", "perhaps address"),
    ("UNPLAYABLE", "This video isn't available on this device", "perhaps address"),
    ("UNPLAYABLE", "This video isn’t available in your area", "restricted"),
    ("UNPLAYABLE", "This video is BLOCKED in your territory.", "restricted"),
    ("ERROR", "Not available from your location", "restricted"),
    ("UNPLAYABLE", "Become a member of this channel to watch", "restricted"),
    ("UNPLAYABLE", "This video is only available for members", "restricted"),
    ("UNPLAYABLE", "A channel membership is needed", "restricted"),
    ("LOGIN_REQUIRED", "This video may not be appropriate for some users.", "restricted"),
    ("LOGIN_REQUIRED", "This content may not be suitable for all ages", "restricted"),
    ("UNPLAYABLE", "This video is age-limited", "restricted"),
    ("UNPLAYABLE", "This movie requires purchase", "restricted"),
    ("UNPLAYABLE", "Available with a Primetime Channels subscription", "restricted"),
    ("UNPLAYABLE", "This video is only available to Music Premium members", "restricted"),
    ("UNPLAYABLE", "Buy or rent", "restricted"),
    ("ERROR", "This video has been deleted", "gone"),
    ("ERROR", "Video removed", "gone"),
    ("ERROR", "The uploader has deleted it", "gone"),
    ("ERROR", "This channel was removed because it violated our Community Guidelines.", "gone"),
    ("UNPLAYABLE", "This account has been suspended", "gone"),
    ("UNPLAYABLE", "‘This video is now private’", "gone"),
    ("ERROR", "We're processing this video. Please try again later.", "not yet"),
    ("UNPLAYABLE", "This live event has ended.", "ended"),
    ("LIVE_STREAM_OFFLINE", "The live stream is over", "ended"),
    ("UNPLAYABLE", "This premiere has ended", "ended"),
    # Nobody knows.
    ("UNPLAYABLE", "The ads were removed by an extension", "unknown"),
    ("ERROR", "This page is not available offline", "unknown"),
    ("UNPLAYABLE", "Want it ad free? Try YouTube Premium", "unknown"),
    ("ERROR", "Your session was terminated", "unknown"),
    ("UNPLAYABLE", "Video unavailable", "unknown"),
    ("UNPLAYABLE", "", "unknown"),
    ("ERROR", "", "unknown"),
    ("LOGIN_REQUIRED", "", "unknown"),
    ("LOGIN_REQUIRED", "Bitte melde dich an", "unknown"),
    ("A_NEW_STATUS", "Whatever", "unknown"),
    ("ERROR", "There was a problem processing your request", "unknown"),
    ("ERROR", "This video is unavailable", "unknown"),
    ("ERROR", "Video unavailable", "unknown"),
]


@pytest.mark.parametrize(("status", "reason", "expected"), WORDS)
def test_words_have_their_meaning_for_a_video_that_videos_list_describes(
    status: str, reason: str, expected: Meaning
) -> None:
    assert meaning(status, reason) == expected
    assert meaning(status, "Video unavailable", {"runs": [{"text": reason}]}) == expected or not reason
    assert meaning(status, {"simpleText": reason}) == expected


@pytest.mark.parametrize(
    "reason", ["This video is unavailable", "Video unavailable", "This video isn’t available"]
)
def test_sparse_words_are_believed_of_a_video_that_videos_list_leaves_out(reason: str) -> None:
    assert meaning("ERROR", reason, listed=False) == "gone unless listed"
    assert meaning("UNPLAYABLE", reason, listed=False) == "unknown"


@pytest.mark.parametrize(
    "found",
    [{"status": "OK", "reason": "Video unavailable"}, {"status": "OK"}, {"status": "OK", "messages": [1]}],
)
def test_a_video_that_plays_is_not_refused(found: Any) -> None:
    assert refusal_of(found, listed=True) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, "unknown"),
        (None, "unknown"),
        ([1], "unknown"),
        ({"status": None, "liveStreamability": {}}, "unknown"),
        ({"status": "ok"}, "unknown"),
        ({"reason": "Private video"}, "unknown"),
        ({"status": None, "reason": "This video is not available in your country"}, "unknown"),
        ({"reason": "Premieres in 2 hours"}, "unknown"),
        ({"reason": "Sign in to confirm you're not a bot"}, "address"),
        ({"reason": "Please sign in"}, "perhaps address"),
    ],
)
def test_without_a_status_a_video_neither_plays_nor_gets_a_verdict(found: Any, expected: Meaning) -> None:
    refusal = refusal_of(found, listed=False)
    assert refusal is not None
    assert refusal.meaning == expected


@pytest.mark.parametrize(
    "found",
    [
        {"status": "ERROR", "reason": 3, "messages": 4, "errorScreen": 5},
        {
            "status": "ERROR",
            "messages": [None, {}],
            "errorScreen": {"a": None, "b": {"reason": {"runs": [1]}}},
        },
        {"status": 7},
        {"status": ["OK"]},
    ],
)
def test_an_answer_of_any_shape_is_unknown(found: Any) -> None:
    refusal = refusal_of(found, listed=False)
    assert refusal is not None
    assert (refusal.meaning, refusal.said) == ("unknown", "no reason given")


def test_long_words_are_cut_and_told_once() -> None:
    refusal = refusal_of({"status": "ERROR", "reason": "no " * 500}, listed=True)
    assert refusal is not None
    assert len(refusal.said) <= 200
    twice = {"status": "ERROR", "reason": "No.", "errorScreen": {"r": {"reason": "No.", "subreason": "Why"}}}
    refusal = refusal_of(twice, listed=True)
    assert refusal is not None
    assert refusal.said == "No. Why"
