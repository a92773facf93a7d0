"""Erasing a user: sessions, tokens, jobs, library, grant at Google, profile.

A document that notes the request is written first and deleted last. If the process dies in between, the
sweep continues. Every step can be repeated: a document that leads to others is deleted after them.
Transcripts stay. They belong to no user, and a search finds them only through a playlist in a library.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from shared import clock, logs
from shared.accounts.profiles import profile_path
from shared.accounts.sessions import Sessions
from shared.accounts.tokens import Tokens
from shared.errors import Transient
from shared.gcp.firestore import MAXIMUM_WRITES, Firestore
from shared.library import own_playlists, subscriptions
from shared.library.collections import Collections
from shared.library.memberships import Memberships
from shared.library.refreshes import Refreshes
from shared.oauth.grants import Grants
from shared.pipeline import budget
from shared.pipeline.jobs import Jobs
from shared.pipeline.quotas import starts_path
from shared.search.index.writer import SearchIndex

#: Seconds that one call works on it. The function has thirty, and the next call continues.
_BUDGET = 20.0


class Erasure:
    """Erases users."""

    def __init__(self, db: Firestore, index: SearchIndex, grants: Grants) -> None:
        self._db = db
        self._grants = grants
        self._sessions = Sessions(db)
        self._tokens = Tokens(db)
        self._jobs = Jobs(db)
        self._collections = Collections(db)
        self._memberships = Memberships(db, index)
        self._refreshes = Refreshes(db)

    def erase(self, user_id: str) -> None:
        """Erases a user. Parts that cannot be erased now are erased by the sweep within minutes.

        Raises:
            Transient: the request could not even be noted.
        """
        self._db.commit().set(_path(user_id), {"requested_at": clock.now()}).run()
        try:
            self.resume(user_id)
        except Transient as error:
            logs.warning("a user is not erased completely yet", error)

    def resume(self, user_id: str) -> None:
        """Continues an erasure that was requested. Does nothing if none was.

        Raises:
            Transient: a part could not be erased yet.
        """
        if self._db.read(_path(user_id))[0].data is None:
            return
        deadline = monotonic() + _BUDGET
        steps: list[Callable[[], None]] = [
            lambda: self._sessions.forget(user_id),
            lambda: self._tokens.forget(user_id),
            # Before the jobs: no refresh starts another one.
            lambda: self._refreshes.erase(user_id),
            lambda: self._erase_jobs(user_id, deadline),
            lambda: self._collections.forget(user_id),
            # After the jobs: a planner at work writes memberships only while its job exists.
            lambda: self._memberships.erase(user_id),
            lambda: own_playlists.forget(self._db, user_id),
            lambda: subscriptions.forget(self._db, user_id),
            lambda: self._delete(starts_path(user_id)),
            lambda: budget.forget(self._db, user_id),
            lambda: self._grants.revoke(user_id),
            lambda: self._delete(profile_path(user_id)),
        ]
        failed: Transient | None = None
        for step in steps:
            try:
                step()
            except Transient as error:
                # One server that does not answer must not keep the other parts.
                failed = error
        if failed is not None:
            raise failed
        self._delete(_path(user_id))
        logs.info("a user is erased")

    def resume_all(self) -> int:
        """Continues all erasures that are not complete. Returns their number."""
        found = [snapshot.id for snapshot in self._db.query("erasures", fields=["requested_at"])]
        for user_id in found:
            try:
                self.resume(user_id)
            except Transient as error:
                logs.warning("a user is not erased completely yet", error)
        return len(found)

    def _erase_jobs(self, user_id: str, deadline: float) -> None:
        found = list(self._db.query("jobs", ("user_id", "==", user_id), fields=["playlist_id"]))
        for snapshot in found:
            self._jobs.cancel(snapshot.id)
            for part in ("ledger", "counters"):
                self._delete_all(f"{snapshot.path}/{part}", deadline)
            # Last, because it leads to the others. Nothing is added to them once it is gone.
            self._delete(snapshot.path)
            self._delete_all(f"{snapshot.path}/ledger", deadline)

    def _delete_all(self, collection: str, deadline: float) -> None:
        while found := list(self._db.query(collection, limit=MAXIMUM_WRITES, fields=["state"])):
            if monotonic() > deadline:
                raise Transient("There is too much to erase at once. The rest is erased within minutes.")
            commit = self._db.commit()
            for snapshot in found:
                commit.delete(snapshot.path)
            commit.run()

    def _delete(self, path: str) -> None:
        self._db.commit().delete(path).run()


def _path(user_id: str) -> str:
    return f"erasures/{user_id}"
