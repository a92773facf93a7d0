"""Taking a playlist out of a library."""

from __future__ import annotations

from shared.errors import NotFound
from shared.gcp.firestore import Firestore
from shared.library.memberships import Memberships
from shared.messages import is_id
from shared.pipeline.jobs import Jobs
from shared.search.index.writer import SearchIndex


class Removal:
    """The use case behind `DELETE /api/playlists/{id}`."""

    def __init__(self, db: Firestore, index: SearchIndex) -> None:
        self._jobs = Jobs(db)
        self._memberships = Memberships(db, index)

    def remove(self, user_id: str, playlist_id: str) -> None:
        """Removes a playlist and cancels its active job.

        Raises:
            NotFound: the playlist is not in the user's library.
        """
        missing = NotFound("There is no such playlist in your library.")
        if not is_id(playlist_id):
            raise missing
        # The job first, so that a planner at work does not put back what is removed.
        job = self._jobs.current(user_id, playlist_id)
        if job is not None:
            self._jobs.cancel(job.job_id)
        elif self._memberships.read(user_id, playlist_id) is None:
            raise missing
        self._memberships.remove(user_id, playlist_id)
