"""The embedded player: it shows captions in place of pictures, and speaks YouTube's postMessage protocol."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path

from infra.local.fake_youtube.library.model import Video
from infra.local.fake_youtube.library.playability import why_unplayable
from infra.local.fake_youtube.replies import Reply, html_reply
from infra.local.fake_youtube.templates import template

_CONTENT_TYPES = {"embed.js": "text/javascript; charset=utf-8", "embed.css": "text/css; charset=utf-8"}


def page(video_id: str, video: Video | None) -> Reply:
    """The script reads `start`, `autoplay`, `enablejsapi` and `origin` from the address."""
    why = why_unplayable(video)
    data: dict[str, object] = {"id": video_id, "title": "", "duration": 0, "lines": [], "playable": False}
    title, message = video_id, why.explanation if why is not None else ""
    if video is not None and why is None:
        title = video.title
        lines = video.tracks[0].lines() if video.tracks else ()
        data |= {"title": title, "duration": video.duration, "playable": True, "lines": lines}
    # Only a `<` in the JSON could end the script element.
    inlined = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return html_reply(
        template("embed.html").substitute(title=escape(title), message=escape(message), data=inlined)
    )


@cache
def static_file(name: str) -> Reply | None:
    """The script or the style of the page. None for any other name."""
    if name not in _CONTENT_TYPES:
        return None
    return Reply(200, _CONTENT_TYPES[name], (Path(__file__).parent / "static" / name).read_bytes())
