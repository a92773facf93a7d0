"""GET /watch: a page for the library (it reads one key out of it), and readable in a browser."""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right

from infra.local.standin import filler
from infra.local.standin.model import Video
from infra.local.standin.player import says
from infra.local.standin.wire import HTML, Reply

_TIME = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s?)?")


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
    title = video.title if video is not None else "Video unavailable"
    config = json.dumps({"INNERTUBE_API_KEY": key, "INNERTUBE_CONTEXT": {"client": {"clientName": "WEB"}}})
    tail = (
        f"<script>ytcfg = {config};</script><title>{html.escape(title)} - YouTube</title>"
        '<meta name="viewport" content="width=device-width"><style>body{font:1.1rem/1.5 system-ui;max-width:40rem;'
        "margin:2rem auto;padding:0 1rem}</style></head>"
        f"<body>{_readable(video_id, video, seconds_of(time))}</body></html>"
    )
    plain, packed = filler.watch_head().plus(tail.encode("utf-8", "replace"), gzip)
    return Reply(200, HTML, plain, packed)


def _readable(video_id: str, video: Video | None, second: int) -> str:
    problem = says(video)
    if video is None or problem is not None:
        text = " ".join(each for each in problem[1:] if each) if problem is not None else ""
        return f"<main><h1>{html.escape(text)}</h1><p>{html.escape(video_id)}</p></main>"
    spoken = ""
    if video.tracks:
        lines = video.tracks[0].lines()
        at = bisect_right(lines, second + 0.999, key=lambda line: line.start) - 1
        spoken = html.escape(lines[at].text) if at >= 0 else ""
    return (
        f"<main><p>Stand-in YouTube</p><h1>{html.escape(video.title)}</h1><p>{html.escape(video.channel.title)} · "
        f"{video.published_at[:10]} · {clock(video.duration)}</p><p>At <time>{clock(second)}</time> "
        f"(second {second}):</p><blockquote>{spoken}</blockquote></main>"
    )


def captcha() -> str:
    """What a flagged address gets instead."""
    return (
        "<!DOCTYPE html><html><head><title>https://www.youtube.com/watch</title></head><body><form id='captcha-form' "
        'action=\'index\' method=\'post\'><div id="recaptcha" class="g-recaptcha" data-sitekey="stand-in"></div>'
        "</form><p>Our systems have detected unusual traffic from your computer network.</p></body></html>"
    )


def consent(with_value: bool = True) -> str:
    """What Europe gets without the consent cookie; without a value the client cannot consent."""
    value = '<input type="hidden" name="v" value="cb.20240101-00-p0.en+FX+000">' if with_value else ""
    return (
        "<!DOCTYPE html><html><head><title>Before you continue to YouTube</title></head><body>"
        f'<form action="https://consent.youtube.com/s" method="POST">{value}<button>Accept all</button></form>'
        "</body></html>"
    )
