"""Dates, durations and videos as people type them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from shared.video_address import is_video_id, video_in_address

#: A year in seconds. A longer duration is a typing error, and could overflow Elasticsearch's integers.
_LONGEST = 366 * 24 * 3600


def day(text: str) -> str | None:
    """``2024``, ``2024-01`` or ``2024-01-31`` as an RFC 3339 day, the first of that year or month.

    None if it is not a date.
    """
    parts = re.fullmatch(r"([0-9]{4})(?:-([0-9]{1,2}))?(?:-([0-9]{1,2}))?", text)
    if not parts:
        return None
    try:
        return date(int(parts[1]), int(parts[2] or 1), int(parts[3] or 1)).isoformat()
    except ValueError:
        return None


def seconds(text: str) -> int | None:
    """``20m``, ``1h``, ``1h30m``, ``90s``, ``1:30:00`` or ``20`` (minutes) in seconds.

    None if it is not a duration.
    """
    text = text.lower().replace(" ", "")
    if parts := re.fullmatch(r"(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m(?:in)?)?(?:([0-9]{1,8})s)?", text):
        if not text:
            return None
        hours, minutes, rest = (int(part or 0) for part in parts.groups())
    elif parts := re.fullmatch(r"(?:([0-9]{1,3}):)?([0-9]{1,2}):([0-9]{2})", text):
        hours, minutes, rest = (int(part or 0) for part in parts.groups())
    elif re.fullmatch(r"[0-9]{1,6}", text):
        hours, minutes, rest = 0, int(text), 0
    else:
        return None
    return min(hours * 3600 + minutes * 60 + rest, _LONGEST)


@dataclass(frozen=True, slots=True)
class NamedVideo:
    """A video that a text names. ``may_be_word``: the text is an id, but could be a word, too."""

    video_id: str
    may_be_word: bool


def named_video(text: str) -> NamedVideo | None:
    """The video of an id, or of an address of a video. None if the text is neither.

    The address may be in quotes or brackets, escaped by a shell, or a part of another address.
    """
    if (video_id := video_in_address(text)) is not None:
        return NamedVideo(video_id, may_be_word=False)
    # Of random ids, one in twenty thousand has only small letters. With a minus they exclude a word.
    if not is_video_id(text) or re.fullmatch(r"[a-z]+|-[A-Z]?[a-z]+", text):
        return None
    return NamedVideo(text, may_be_word=not text.startswith("-"))
