"""GET /watch: a page for the library (it reads one key out of it), and readable in a browser."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from html import escape

from infra.local.standin import filler
from infra.local.standin.model import Video
from infra.local.standin.player import says
from infra.local.standin.templates import template
from infra.local.standin.wire import HTML, Reply

_TIME = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s?)?")
_CONSENT_VALUE = '<input type="hidden" name="v" value="cb.20240101-00-p0.en+FX+000">'


def seconds_of(text: str) -> int:
    """``83``, ``83s``, ``1h2m3s``; anything else is the beginning."""
    match = _TIME.fullmatch(text)
    if match is None:
        return 0
    hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return hours * 3_600 + minutes * 60 + seconds


def clock(seconds: float) -> str:
    """``1:02:03``, ``0:07``"""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def page(video_id: str, video: Video | None, time: str, key: str, gzip: bool) -> Reply:
    """`time`: the `t` of the address; `key`: what the player wants to be asked with."""
    second = seconds_of(time)
    problem = says(video)
    title, about, spoken = video_id, " ".join(filter(None, problem[1:] if problem else ())), ""
    if video is not None and problem is None:
        title = video.title
        about = f"{video.channel.title} · {video.published_at[:10]} · {clock(video.duration)}"
        # The library asks without a second, and reads none of this.
        if video.tracks and time:
            lines = video.tracks[0].lines()
            at = bisect_right(lines, second + 0.999, key=lambda line: line.start) - 1
            spoken = lines[at].text if at >= 0 else ""
    config = {"INNERTUBE_API_KEY": key, "INNERTUBE_CONTEXT": {"client": {"clientName": "WEB"}}}
    tail = template("watch.html").substitute(
        config=json.dumps(config).replace("<", "\\u003c"),
        title=escape(title),
        about=escape(about),
        clock=clock(second),
        second=second,
        spoken=escape(spoken),
    )
    plain, packed = filler.watch_head().plus(tail.encode("utf-8", "replace"), gzip)
    return Reply(200, HTML, plain, packed)


def captcha() -> str:
    """What a flagged address gets instead."""
    return template("captcha.html").substitute()


def consent(with_value: bool = True) -> str:
    """What Europe gets without the consent cookie; without a value the client cannot consent."""
    return template("consent.html").substitute(value=_CONSENT_VALUE if with_value else "")
