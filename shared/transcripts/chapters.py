"""The chapters of a video, read from the times in its description as YouTube reads them.

YouTube's rules (https://support.google.com/youtube/answer/9884579): the first time is 0:00, there are at
least three, they ascend, and each chapter lasts at least ten seconds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

_FEWEST, _SHORTEST = 3, 10

_CLOCK = "(?:[0-9]{1,2}:)?[0-9]{1,3}:[0-5][0-9]"
#: No letters or digits around it, but 0:00オープニング has no space.
_TIME = rf"(?<![0-9A-Za-z:.]){_CLOCK}(?![0-9A-Za-z]|[:.][0-9])"
_DASHES = "\\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
#: A chapter may have its end, too: 0:00 - 1:30.
_TIMES = rf"(?P<time>{_TIME})(?:\s*(?:[{_DASHES}~→]|to)\s*{_TIME})?"
#: A line that begins with its time, after bullets, brackets, emoji and perhaps a number: "1. (0:00) Title".
_TIME_FIRST = re.compile(rf"[\W_]*(?:[0-9]{{1,3}}[\W_]+)?{_TIMES}[)\]}}】）］>]?(?P<title>.*)")
#: A line that ends with its time: "Title (0:00)".
_TIME_LAST = re.compile(rf"(?P<title>.+?)[(\[{{【（［<]?{_TIMES}[\W_]*")
#: What may stand between a time and its title, and bullets before a title. Some are invisible.
_SIGNS = rf"[\s{_DASHES}~|:：.·•*=→►▶,\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufe0f]+"
_AROUND = re.compile(rf"\A{_SIGNS}|{_SIGNS}\Z")


class Chapter(NamedTuple):
    """``start`` in whole seconds."""

    start: int
    title: str


def find_chapters(description: str, duration: int | None = None) -> list[Chapter]:
    """The chapters in order; none if the times of the description are no chapters.

    ``duration``: seconds of the video, None if nobody knows. Times beyond it are ignored. If a description
    has several lists, the first one that keeps the rules counts.
    """
    for form in (_TIME_FIRST, _TIME_LAST):
        for found in _lists(description, form):
            inside = [each for each in found if not duration or each.start < duration]
            if _keeps_the_rules(inside, duration):
                return inside
    return []


def chapter_at(chapters: Sequence[Chapter], second: float) -> Chapter | None:
    """The chapter in which this second is. None without chapters."""
    at = bisect_right(chapters, second, key=lambda each: each.start)
    return chapters[at - 1] if at else None


def _lists(description: str, form: re.Pattern[str]) -> Iterator[list[Chapter]]:
    """The lines of this form, in lists that begin at 0:00. Lines before the first one are left out."""
    found: list[Chapter] = []
    for line in description.splitlines():
        if (chapter := _chapter(line, form)) is None:
            continue
        if chapter.start == 0:
            if found:
                yield found
            found = [chapter]
        elif found:
            found.append(chapter)
    if found:
        yield found


def _chapter(line: str, form: re.Pattern[str]) -> Chapter | None:
    if ":" not in line or not (match := form.fullmatch(line)):
        return None
    title = _AROUND.sub("", match["title"])
    return Chapter(_seconds(match["time"]), title) if title else None


def _seconds(clock: str) -> int:
    return reduce(lambda total, part: 60 * total + int(part), clock.split(":"), 0)


def _keeps_the_rules(chapters: Sequence[Chapter], duration: int | None) -> bool:
    times = [each.start for each in chapters] + ([duration] if duration else [])
    return len(chapters) >= _FEWEST and all(end - start >= _SHORTEST for start, end in pairwise(times))
