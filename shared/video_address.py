"""The id of a video in a text: one pattern for the page's box, the search box and the command line."""

from __future__ import annotations

import re
from urllib.parse import unquote

_ID = r"[A-Za-z0-9_-]{11}"
_ADDRESS = re.compile(
    r"(?:(?<![A-Za-z0-9-])youtube(?:-nocookie)?\.com/(?:(?:shorts|live|embed|v|vi|e)/|watch/?\?(?:[^#]*&)?v=|watch/)"
    rf"|youtu\.be/|ytimg\.com/vi(?:_webp)?/)(?!(?:videoseries|live_stream)\b)({_ID})(?![A-Za-z0-9_-])",
    re.IGNORECASE,
)


def is_video_id(text: object) -> bool:
    """Whether the text has the form of the id of a video."""
    return isinstance(text, str) and re.fullmatch(_ID, text) is not None


def video_in_address(text: str) -> str | None:
    """The id in an address of a video. None if the text is none.

    The address may be in quotes or brackets, escaped by a shell, or a part of another address.
    """
    if re.search(r"\s", text):
        return None
    found = _ADDRESS.search(unquote(unquote(text)).replace("\\", ""))
    return found[1] if found else None
