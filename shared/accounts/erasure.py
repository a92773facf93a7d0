"""Erasing a user: sessions, tokens, links, saved searches, clips, jobs, library, grant at Google, profile.

A document that notes the request is written first and deleted last. If the process dies in between, the
sweep continues. Every step can be repeated: a document that leads to others is deleted after them.
A request of the user that began before may still write something, such as a saved search. So the sweep erases
once more when all requests of that time are over, and only then deletes the document.
Transcripts stay. They belong to no user, and a search finds them only through a playlist in a library.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from shared import clock, logs
from shared.accounts.profiles import profile_path
from shared.accounts.sessions import Sessions
from shared.accounts.tokens import Tokens
from shared.errors import Conflict, Transient
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import MAXIMUM_WRITES, Firestore
from shared.keep import clips, searches
from shared.library import links, own_playlists, subscriptions
from shared.library.collections import Collections
from shared.library.memberships import Memberships
from shared.library.refreshes import Refreshes
from shared.oauth.grants import Grants
from shared.pipeline import budget
from shared.pipeline.jobs import Jobs
from shared.pipeline.quotas import starts_path
from shared.pipeline.usage import usage_path
from shared.search.index.writer import SearchIndex

#: Seconds that one call works on it. The function has thirty, and the next call continues.
_BUDGET = 20.0
#: No request lasts longer.
LONGEST_REQUEST = timedelta(minutes=5)


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
            self._continue(self._db.read(_path(user_id))[0])
        except Transient as error:
            logs.warning("a user is not erased completely yet", error)

    def complete(self, user_id: str) -> None:
        """Completes an erasure that was requested, because the user comes back. Does nothing if none was.

        Raises:
            Transient: a part could not be erased yet.
        """
        if self._db.read(_path(user_id))[0].data is not None:
            self._erase_parts(user_id)
            self._delete(_path(user_id))

    def resume_all(self) -> int:
        """Continues the erasures that are not complete. Returns the number of those that were due."""
        due = [each for each in self._db.query("erasures") if _is_due(each)]
        for request in due:
            try:
                self._continue(request)
            except Transient as error:
                logs.warning("a user is not erased completely yet", error)
        return len(due)

    def _continue(self, request: Snapshot) -> None:
        """Erases everything there is. The first time it is noted when to look again; then it is complete.

        Raises:
            Transient: a part could not be erased yet.
        """
        self._erase_parts(request.id)
        if request.data and "again_at" in request.data:
            self._delete(request.path)
            logs.info("a user is erased")
            return
        again = {"again_at": clock.now() + LONGEST_REQUEST}
        try:
            self._db.commit().update(request.path, again, unchanged_since=request.update_time).run()
        except Conflict:
            # The user came back, or was erased by another call.
            logs.info("an erasure was completed meanwhile")

    def _erase_parts(self, user_id: str) -> None:
        """Raises Transient after trying all parts, if one could not be erased yet."""
        deadline = monotonic() + _BUDGET
        steps: list[Callable[[], None]] = [
            lambda: self._sessions.forget(user_id),
            lambda: self._tokens.forget(user_id),
            lambda: links.forget(self._db, user_id),
            lambda: searches.forget(self._db, user_id),
            lambda: clips.forget(self._db, user_id),
            # Before the jobs: no refresh starts another one.
            lambda: self._refreshes.erase(user_id),
            lambda: self._erase_jobs(user_id, deadline),
            lambda: self._collections.forget(user_id),
            # After the jobs: a planner at work writes memberships only while its job exists.
            lambda: self._memberships.erase(user_id),
            lambda: own_playlists.forget(self._db, user_id),
            lambda: subscriptions.forget(self._db, user_id),
            lambda: self._delete(starts_path(user_id)),
            lambda: self._delete(usage_path(user_id)),
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


def _is_due(request: Snapshot) -> bool:
    again_at = (request.data or {}).get("again_at")
    return again_at is None or again_at <= clock.now()


def _path(user_id: str) -> str:
    return f"erasures/{user_id}"
