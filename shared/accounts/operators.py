"""What operators do: they see what each user costs, suspend users, and erase them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from shared import clock, logs
from shared.accounts.access import Access
from shared.accounts.erasure import Erasure
from shared.accounts.profiles import profile_path
from shared.config import Config
from shared.declared import NextCursor, Time
from shared.errors import BadRequest, Busy, NotFound
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore
from shared.library import memberships
from shared.messages import is_id
from shared.pipeline.jobs import Jobs
from shared.pipeline.usage import Usage, this_month, usage_path

#: Users of one page. Each of them takes two queries, and all together one read.
_PAGE = 50


class Month(Usage):
    """What a user has cost this month, and the jobs that are active now."""

    active_jobs: int


class User(TypedDict):
    """A user. `playlists`: sources in the library; `videos`: in them."""

    user_id: str
    email: str | None
    name: str | None
    signed_in_at: Time | None
    operator: bool
    suspended: bool
    playlists: int
    videos: int
    month: Month


class UserPage(TypedDict):
    """A page of users, by id."""

    users: list[User]
    cursor: NextCursor


class Operators:
    """The use case behind `/api/operator`."""

    def __init__(self, config: Config, db: Firestore, erasure: Erasure) -> None:
        self._db = db
        self._erasure = erasure
        self._access = Access(config)
        self._jobs = Jobs(db)

    def users(self, cursor: str | None) -> UserPage:
        """A page of users who have signed in, by id. ``cursor``: that of the page before.

        Raises:
            BadRequest: the cursor is none.
        """
        if cursor is not None and not is_id(cursor):
            raise BadRequest("cursor: expected the cursor of the page before.")
        found = list(self._db.query("users", order_by="__name__", start_after=cursor, limit=_PAGE))
        usages = self._db.read(*(usage_path(each.id) for each in found)) if found else []
        return {
            "users": [
                self._view(each.id, each.data or {}, usage) for each, usage in zip(found, usages, strict=True)
            ],
            "cursor": found[-1].id if len(found) == _PAGE else None,
        }

    def suspend(self, user_id: str, suspended: bool) -> User:
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
        usage = self._db.read(usage_path(user_id))[0]
        return self._view(user_id, {**profile, "suspended": suspended}, usage)

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

    def _view(self, user_id: str, profile: Mapping[str, Any], usage: Snapshot) -> User:
        library = memberships.of_user(self._db, user_id)
        return {
            "user_id": user_id,
            "email": profile.get("email"),
            "name": profile.get("name"),
            "signed_in_at": clock.rfc3339(profile.get("signed_in_at")),
            "operator": self._access.is_operator(profile),
            "suspended": profile.get("suspended") is True,
            "playlists": len(library),
            "videos": len({video for each in library for video in each.video_ids}),
            "month": {**this_month(usage), "active_jobs": len(self._jobs.still_active(user_id))},
        }
