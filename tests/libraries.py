"""Memberships that tests make, as the planner writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.gcp.firestore import Firestore
from shared.library import memberships
from shared.library.memberships import Listing, membership_path


def put_membership(
    db: Firestore,
    user: str,
    playlist: str,
    video_ids: Sequence[str],
    *,
    title: str = "A playlist",
    added: Sequence[datetime | None] = (),
) -> None:
    """Exactly these videos are the playlist in the user's library."""
    videos = dict(zip(video_ids, [*added, *[None] * len(video_ids)], strict=False))
    commit = db.commit()
    read = db.read(membership_path(user, playlist))[0]
    memberships.put(commit, read, Listing("job-of-a-test", title, None, None, videos, complete=True))
    commit.run()
