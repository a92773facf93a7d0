"""GET /watch: a page from which the transcript library reads one key, and which a browser can show."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from html import escape

from infra.local.fake_youtube.captions import padding
from infra.local.fake_youtube.library.model import Video
from infra.local.fake_youtube.library.playability import why_unplayable
from infra.local.fake_youtube.replies import HTML, Reply
from infra.local.fake_youtube.templates import template

_TIME = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s?)?")


def parse_seconds(text: str) -> int:
    """``83``, ``83s`` or ``1h2m3s``. Any other text means 0."""
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
    """`time`: the parameter `t`. `key`: the key that the client must send to the player."""
    second = parse_seconds(time)
    why = why_unplayable(video)
    title, about, spoken = video_id, why.explanation if why is not None else "", ""
    if video is not None and why is None:
        title = video.title
        about = f"{video.channel.title} · {video.published_at[:10]} · {clock(video.duration)}"
        # The transcript library sends no time and does not read the line, so it need not be made.
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
    plain, gzipped = padding.watch_head().with_tail(tail.encode("utf-8", "replace"), gzip)
    return Reply(200, HTML, plain, gzipped)


def captcha() -> str:
    """The page that YouTube sends to a suspicious address."""
    return template("captcha.html").substitute()


def consent() -> str:
    """The page that YouTube sends to Europe without a consent cookie."""
    return template("consent.html").substitute()
