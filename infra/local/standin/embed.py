"""The embed page: a player without pictures that speaks the embedded player's postMessage protocol."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path

from infra.local.standin.model import Video
from infra.local.standin.player import says
from infra.local.standin.templates import template
from infra.local.standin.wire import Reply, html_reply

_STATIC = {"embed.js": "text/javascript; charset=utf-8", "embed.css": "text/css; charset=utf-8"}


def page(video_id: str, video: Video | None) -> Reply:
    """`start`, `autoplay`, `enablejsapi` and `origin` of the address are read by the script."""
    problem = says(video)
    data: dict[str, object] = {"id": video_id, "title": "", "duration": 0, "lines": [], "playable": False}
    title, message = video_id, " ".join(filter(None, problem[1:] if problem else ()))
    if video is not None and problem is None:
        title = video.title
        lines = video.tracks[0].lines() if video.tracks else ()
        data |= {"title": title, "duration": video.duration, "playable": True, "lines": lines}
    # `<` is the only character by which JSON could leave the script element.
    inlined = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return html_reply(
        template("embed.html").substitute(title=escape(title), message=escape(message), data=inlined)
    )


@cache
def static(name: str) -> Reply | None:
    """The page's script and style, or None."""
    if name not in _STATIC:
        return None
    return Reply(200, _STATIC[name], (Path(__file__).parent / "static" / name).read_bytes())
