"""What operators do: they see what each user costs, suspend users, and erase them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import clock, logs
from shared.accounts.access import Access
from shared.accounts.erasure import Erasure
from shared.accounts.profiles import profile_path
from shared.config import Config
from shared.errors import BadRequest, Busy, NotFound
from shared.gcp.firestore import Firestore
from shared.library import memberships
from shared.messages import is_id
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import Ledger

#: Users of one page. Each of them takes two queries, and a read for each job of this month.
_PAGE = 50


class Operators:
    """The use case behind `/api/operator`."""

    def __init__(self, config: Config, db: Firestore, erasure: Erasure) -> None:
        self._db = db
        self._erasure = erasure
        self._access = Access(config)
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)

    def users(self, cursor: str | None) -> dict[str, Any]:
        """A page of users who have signed in, by id. ``cursor``: that of the page before.

        Raises:
            BadRequest: the cursor is none.
        """
        if cursor is not None and not is_id(cursor):
            raise BadRequest("cursor: expected the cursor of the page before.")
        found = list(self._db.query("users", order_by="__name__", start_after=cursor, limit=_PAGE))
        return {
            "users": [self._view(each.id, each.data or {}) for each in found],
            "cursor": found[-1].id if len(found) == _PAGE else None,
        }

    def suspend(self, user_id: str, suspended: bool) -> dict[str, Any]:
        """Shuts a user out at once and cancels the active jobs, or lets the user in again.

        Raises:
            NotFound: there is no such user.
            Busy: the user is an operator.
        """
        profile = self._profile(user_id)
        if self._access.is_operator(profile):
            raise Busy("An operator cannot be suspended. Take the address out of OPERATORS first.")
        self._db.commit().update(profile_path(user_id), {"suspended": suspended}).run()
        if suspended:
            for job in self._jobs.active(user_id):
                self._jobs.cancel(job.job_id)
        logs.info("a user was suspended or admitted again", of=user_id, suspended=suspended)
        return self._view(user_id, {**profile, "suspended": suspended})

    def erase(self, user_id: str) -> None:
        """Erases everything about a user, as the user could.

        Raises:
            NotFound: there is no such user.
            Busy: the user is an operator.
        """
        if self._access.is_operator(self._profile(user_id)):
            raise Busy("An operator cannot be erased. Take the address out of OPERATORS first.")
        self._erasure.erase(user_id)
        logs.info("an operator erased a user", of=user_id)

    def _profile(self, user_id: str) -> Mapping[str, Any]:
        data = self._db.read(profile_path(user_id))[0].data if is_id(user_id) else None
        if data is None:
            raise NotFound("There is no such user.")
        return data

    def _view(self, user_id: str, profile: Mapping[str, Any]) -> dict[str, Any]:
        library = memberships.of_user(self._db, user_id)
        begin = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        jobs = self._jobs.since(user_id, begin)
        received = (self._ledger.counts(job.job_id, job.shards).youtube_bytes for job in jobs)
        return {
            "user_id": user_id,
            "email": profile.get("email"),
            "name": profile.get("name"),
            "signed_in_at": clock.rfc3339(profile.get("signed_in_at")),
            "operator": self._access.is_operator(profile),
            "suspended": profile.get("suspended") is True,
            "playlists": len(library),
            "videos": len({video for each in library for video in each.video_ids}),
            "month": {
                "jobs": len(jobs),
                "active_jobs": sum(job.active for job in jobs),
                "youtube_bytes": sum(received),
                "quota_units": sum(map(_quota_units, jobs)),
            },
        }


def _quota_units(job: Job) -> int:
    """At most so many units of the Data API's quota has a job cost.

    One for the playlist, and two for each page of 50 videos: the page itself, and its metadata. Metadata of
    less than a day ago costs nothing.
    """
    if not job.whole:
        return 1
    return 1 + 2 * -(-job.listed // 50) if job.listed else 1
