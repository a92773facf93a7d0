"""Finding a channel by its name or id. Each look-up costs a unit of a quota that all users share."""

from __future__ import annotations

from collections.abc import Sequence

from shared import clock
from shared.config import Config
from shared.errors import BadRequest, Deferred, JobFailed, Unavailable
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.pipeline.quotas import Quota
from shared.youtube.addresses import Named
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PAGE, Channel


class Channels:
    """Asks YouTube about channels in the name of users who have not used up their share."""

    def __init__(self, config: Config, db: Firestore, youtube: DataApi) -> None:
        self._config = config
        self._db = db
        self._youtube = youtube

    def named(self, user_id: str, named: Named) -> Channel:
        """The channel of a handle or of an old name of a user, for a unit.

        Raises:
            BadRequest: YouTube knows no such channel.
            TooMany: the user has looked up too many within an hour.
            Unavailable: YouTube's quota is used up, or it refuses our key.
            Transient: YouTube or the database does not answer.
        """
        self._spend(user_id)
        is_handle = named.kind == "handle"
        with _Told():
            found = (
                self._youtube.channel_named(handle=f"@{named.id}")
                if is_handle
                else self._youtube.channel_named(user=named.id)
            )
        if found is None:
            shown = f"@{named.id}" if is_handle else named.id
            raise BadRequest(
                f"YouTube knows no channel {shown!r}. Open the channel, and copy its address from there."
            )
        return found

    def described(self, user_id: str, channel_ids: Sequence[str]) -> dict[str, Channel]:
        """Channels by id, for a unit for each 50. Unknown ones are missing. Raises as :meth:`named`."""
        found: dict[str, Channel] = {}
        for start in range(0, len(channel_ids), PAGE):
            self._spend(user_id)
            with _Told():
                found |= self._youtube.channels(channel_ids[start : start + PAGE])
        return found

    def _spend(self, user_id: str) -> None:
        quota = Quota.for_user(user_id, self._config)

        def attempt() -> None:
            starts = self._db.read(quota.path)[0]
            self._db.commit().put(starts, quota.look_up(starts)).run()

        retry_on_conflict(attempt)


class _Told:
    """Turns errors that speak of jobs into what the person who asks is told."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Deferred):
            raise Unavailable(
                "YouTube takes no more requests for now, so channels cannot be looked up."
                f" Try again after {clock.rfc3339(error.until)}."
            ) from error
        if isinstance(error, JobFailed):
            raise Unavailable(f"The channel could not be looked up. {error}") from error
