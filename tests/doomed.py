"""A job with a video that YouTube always refuses.

Pub/Sub's backoff makes it take two minutes until the video fails. So the job is started together with the
stack, and a later test looks at it.
"""

from __future__ import annotations

from typing import Any

from tests.stack import Stack

USER = "doomed"
VIDEO, COMPANION = "doomed00001", "doomed00002"
_PLAYLIST = "PLdoomed"


def begin(stack: Stack) -> str:
    """Starts the job. Returns its id."""
    stack.fake_youtube.define(
        videos=[
            _video(VIDEO, status="unplayable", reason="This content isn't available, try again later."),
            _video(COMPANION),
        ],
        playlists=[{"id": _PLAYLIST, "title": "Doomed", "videos": [VIDEO, COMPANION]}],
    )
    return stack.index(_PLAYLIST, USER)


def heal(stack: Stack) -> None:
    """From now on YouTube answers about the video."""
    stack.fake_youtube.define(videos=[_video(VIDEO, status="ok", lines=[[0.0, 3.0, "deliverance at last"]])])


def _video(video_id: str, lines: list[Any] | None = None, **fields: str) -> dict[str, Any]:
    spoken = lines or [[0.0, 3.0, "nothing yet"]]
    tracks = [{"language": "en", "kind": "human", "lines": spoken}]
    return {"id": video_id, "title": f"Video {video_id}", "tracks": tracks, **fields}
