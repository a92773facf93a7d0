"""infra/local/cli/search.py: how an answer is printed."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.cli import search


def _segments(text: str) -> list[dict[str, Any]]:
    """The segments of a text like ``a *match* in a text``."""
    return [{"text": part, "match": bool(number % 2)} for number, part in enumerate(text.split("*")) if part]


ANSWER: dict[str, Any] = {
    "total": 2,
    "took_ms": 7,
    "did_you_mean": "fires",
    "notices": ["Only the first 10,000 characters were searched."],
    "hits": [
        {
            "title": _segments("Compost Is a Slow *Fire*"),
            "channel": "Almanac",
            "url": "https://y/a",
            "moment_count": 3,
            "moments": [
                {"start": 3725.9, "url": "https://y/a&t=3725s", "snippet": _segments("a *fire*\nthat is wet")}
            ],
        },
        {
            "title": _segments("Two"),
            "channel": None,
            "url": "https://y/b",
            "moment_count": 0,
            "moments": [],
            "gone": True,
        },
    ],
}


def test_hits_are_printed_with_their_moments_and_notices(capsys: pytest.CaptureFixture[str]) -> None:
    search.show(ANSWER, color=False)
    assert capsys.readouterr().out == (
        "Compost Is a Slow *Fire*  Almanac\n"
        "  1:02:05  a *fire* that is wet\n"
        "           https://y/a&t=3725s\n"
        "           and 2 more moments\n"
        "Two  (not on YouTube any more)\n"
        "           https://y/b\n"
        "2 videos in 7 ms\n"
        "Only the first 10,000 characters were searched.\n"
        "Did you mean: fires\n"
    )
    search.show(ANSWER, color=True)
    assert "a \033[1mfire\033[0m that is wet" in capsys.readouterr().out


def test_missing_words_passages_and_the_offer_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    some, other = ANSWER["hits"]
    passage = {
        "start": 61.0,
        "url": "https://y/b&t=61s",
        "text": _segments("*Wet* fire."),
        "strength": "good",
    }
    search.show(
        {
            "total": 2,
            "took_ms": 1,
            "hits": [
                {**some, "missing": ["wet", "log"], "moment_count": 1},
                {**other, "passages": [passage]},
            ],
            "meaning": {"state": "on", "offer": True},
        },
        color=False,
    )
    printed = capsys.readouterr().out
    assert "           without: wet, log\n" in printed
    assert "  0:01:01  *Wet* fire.  (rather near)\n           https://y/b&t=61s\n2 videos" in printed
    assert "This is a question: search --meaning" in printed


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00:00"), (59.99, "0:00:59"), (3600, "1:00:00"), (36061, "10:01:01")]
)
def test_timestamps_are_rounded_down_to_the_second(seconds: float, shown: str) -> None:
    assert search.timestamp(seconds) == shown
