"""What search by meaning waits for: videos whose passages have changed.

A document says that a video is due. It is made in the commit that changes the video, and removed when its new
passages can be found (shared.pipeline.embedding). So no change is lost, whatever happens to messages.
"""

from __future__ import annotations

from datetime import datetime

from shared.gcp.documents import Commit


def due_path(video_id: str) -> str:
    return f"passages_due/{video_id}"


def make_due(commit: Commit, video_id: str, since: datetime) -> None:
    """Adds to a commit that the passages of a video have to be made (again)."""
    commit.set(due_path(video_id), {"since": since, "sent_at": None, "tries": 0})
