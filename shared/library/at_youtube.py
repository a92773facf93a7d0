"""Lists that a user has at YouTube: own playlists and subscriptions. They are stored for a while.

Pages ask again and again, and each listing costs units of a quota that all users share. The stored list is
also shown when YouTube, the quota or the grant does not allow a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from shared import clock, logs
from shared.errors import Deferred, GrantExpired, JobFailed, Transient
from shared.gcp.firestore import Firestore
from shared.oauth.grants import Grants

T = TypeVar("T")
#: A stored list is used for so long. What is changed at YouTube is seen here that much later.
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the page says about the list. ``code`` is for programs, ``detail`` for a person."""

    code: str
    detail: str


GRANT_EXPIRED = Notice("grant_expired", str(GrantExpired()))


@dataclass(frozen=True, slots=True)
class ListAtYouTube(Generic[T]):
    """A kind of list, of all users.

    ``name``: how a sentence calls it, after "Your". ``path``: of the document of a user. ``field``: the field
    of it that holds the list. ``ask``: asks YouTube with an access token. ``write``, ``read``: an entry as it
    is stored, and back. ``notices``: what is said with every list.
    """

    db: Firestore
    grants: Grants
    name: str
    path: Callable[[str], str]
    field: str
    ask: Callable[[str], Sequence[T]]
    write: Callable[[T], dict[str, Any]]
    read: Callable[[dict[str, Any]], T]
    notices: Sequence[Notice] = ()

    def of_user(self, user_id: str) -> tuple[list[T], list[Notice]]:
        """What the user has at YouTube, and notices. Empty for a user who never signed in with Google.

        When Google or YouTube does not answer, a notice says so.

        Raises:
            Transient: the database does not answer.
        """
        state = self.grants.state(user_id)
        if state is None:
            return [], []
        if state == "expired":
            # The person may have revoked the grant, so the stored list is not shown any longer.
            return [], [GRANT_EXPIRED]
        data = self.db.read(self.path(user_id))[0].data
        stored = [self.read(each) for each in data[self.field]] if data else []
        if data and clock.now() - data["listed_at"] < LIFETIME:
            return stored, [*self.notices]
        try:
            return self._list(user_id), [*self.notices]
        except GrantExpired:
            return [], [GRANT_EXPIRED]
        except Deferred as error:
            # The quota of a day, or of a minute. The error speaks to jobs.
            detail = (
                f"YouTube takes no more requests for now. Your {self.name} are listed anew after"
                f" {clock.rfc3339(error.until)}."
            )
            return stored, [*self.notices, Notice("quota_exceeded", detail)]
        except (JobFailed, Transient) as error:
            logs.warning("a user's list at YouTube could not be listed", error, name=self.name)
            detail = f"Your {self.name} at YouTube could not be listed now. {error}"
            return stored, [*self.notices, Notice("youtube_unavailable", detail)]

    def _list(self, user_id: str) -> list[T]:
        """Asks YouTube, and stores the answer."""
        asked_at, access_token = clock.now(), self.grants.access_token(user_id)
        if access_token is None:
            return []
        try:
            found = list(self.ask(access_token))
        except GrantExpired:
            self.grants.expire(user_id, asked_at)
            raise
        data = {self.field: [self.write(each) for each in found], "listed_at": clock.now()}
        self.db.commit().set(self.path(user_id), data).run()
        return found
