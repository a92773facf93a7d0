"""Taking a playlist, or a collection, out of a library."""

from __future__ import annotations

from shared.errors import NotFound
from shared.gcp.firestore import Firestore
from shared.library.collections import Collections, is_collection
from shared.library.memberships import Memberships
from shared.messages import is_id
from shared.pipeline.jobs import Jobs
from shared.search.index.writer import SearchIndex


class Removal:
    """The use case behind `DELETE /api/playlists/{id}`."""

    def __init__(self, db: Firestore, index: SearchIndex) -> None:
        self._jobs = Jobs(db)
        self._collections = Collections(db)
        self._memberships = Memberships(db, index)

    def remove(self, user_id: str, playlist_id: str) -> None:
        """Removes a playlist and cancels its active jobs, also those of single videos.

        Raises:
            NotFound: the playlist is not in the user's library.
        """
        missing = NotFound("There is no such playlist in your library.")
        if not is_id(playlist_id):
            raise missing
        # The jobs first, so that a planner at work does not put back what is removed.
        active = [job for job in self._jobs.active(user_id) if job.playlist_id == playlist_id]
        if not active and self._memberships.read(user_id, playlist_id) is None:
            raise missing
        for job in active:
            self._jobs.cancel(job.job_id)
        if is_collection(playlist_id):
            self._collections.delete(user_id, playlist_id)
        self._memberships.remove(user_id, playlist_id)
