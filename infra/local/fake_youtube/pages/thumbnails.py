"""Thumbnails: drawings that show the title on a background whose colour is a hash of the id."""

from __future__ import annotations

import hashlib
import textwrap
import unicodedata
from html import escape

from infra.local.fake_youtube.library.model import Video
from infra.local.fake_youtube.replies import Reply

_SVG = "image/svg+xml; charset=utf-8"
#: Letters in a row; wide (East Asian) ones take the place of two.
_ROW_LETTERS = 22


def draw(identifier: str, video: Video | None) -> Reply:
    """The thumbnail of a video. `video`: None for the picture of a channel or of an unknown id."""
    digest = hashlib.sha256(identifier.encode()).digest()
    hue = digest[0] * 360 // 256
    # XML cannot hold control characters.
    title = "".join(char if char.isprintable() else " " for char in video.title) if video is not None else ""
    rows = "".join(
        f'<text x="28" y="{110 + 46 * k}" font-size="34">{escape(row)}</text>'
        for k, row in enumerate(_wrap(title)[:4])
    )
    circles = "".join(
        f'<circle cx="{digest[k] * 2}" cy="{digest[k + 1] * 360 // 256}" r="{30 + digest[k + 2] // 3}"/>'
        for k in (3, 6, 9)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 360" width="480" height="360" role="img">'
        f"<title>{escape(title or identifier)}</title>"
        f'<rect width="480" height="360" fill="hsl({hue} 45% 24%)"/>'
        f'<g fill="hsl({(hue + 40) % 360} 60% 50%)" opacity="0.35">{circles}</g>'
        f'<g fill="#fff" font-family="system-ui, sans-serif" font-weight="600">{rows}</g></svg>'
    )
    headers = {"Cache-Control": "public, max-age=3600", "Content-Security-Policy": "default-src 'none'"}
    return Reply(200, _SVG, svg.encode("utf-8", "replace"), None, headers)


def _wrap(title: str) -> list[str]:
    wide = any(unicodedata.east_asian_width(char) == "W" for char in title)
    return textwrap.wrap(title, _ROW_LETTERS // 2 if wide else _ROW_LETTERS, break_long_words=True)
