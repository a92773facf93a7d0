"""What a library says about the videos of a search: their order in a playlist, and when they were added."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.gcp.firestore import Firestore
from shared.library import memberships
from shared.search.params import Params
from shared.search.placing import Placing, needs_placing

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def placing(db: Firestore, user_id: str, params: Params) -> Placing | None:
    """None for a search that needs nothing of it.

    A video of several sources came into the library with the first of them. ``playlist=`` chooses of which
    sources that is.
    """
    if not needs_placing(params):
        return None
    if params.playlists:
        read = (memberships.read(db, user_id, each) for each in params.playlists)
        library = [each for each in read if each is not None]
    else:
        library = memberships.of_user(db, user_id)
    added: dict[str, datetime] = {}
    arrived: dict[str, datetime] = {}
    for source in library:
        found = {video_id: change.at for change in source.changes for video_id in change.new}
        for video_id, at in source.added_at.items():
            if at is not None:
                added[video_id] = min(at, added.get(video_id, at))
            came = found.get(video_id, at)
            if came is not None:
                arrived[video_id] = min(came, arrived.get(video_id, came))
    if params.sort == "playlist":
        return Placing([video_id for source in library for video_id in source.video_ids], added, arrived)
    held = dict.fromkeys(video_id for source in library for video_id in source.video_ids)
    # Stable: what was added at the same time keeps the order of its playlist.
    return Placing(sorted(held, key=lambda each: added.get(each, _NEVER), reverse=True), added, arrived)
