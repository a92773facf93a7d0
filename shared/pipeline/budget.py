"""The units of the Data API's quota that refreshing may spend in a day, and who got how many of them.

A day is one of YouTube's quota (Pacific time). Only :mod:`shared.pipeline.refresh` spends here. Other work
spends the same quota at YouTube, which says when it is used up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared import clock
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.youtube.data_api_errors import quota_reset

_NAME = "refresh"


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent today. ``users``: units by user id. ``renewed_at``: the end of the day.
    ``blocked_until``: YouTube takes no requests until then.
    """

    renewed_at: datetime
    units: int = 0
    users: Mapping[str, int] = field(default_factory=dict)
    blocked_until: datetime | None = None

    @property
    def blocked(self) -> bool:
        return self.blocked_until is not None and self.blocked_until > clock.now()


def _spent_from(snapshot: Snapshot) -> Spent:
    found = snapshot.read_as(Spent)
    if found is not None and found.renewed_at > clock.now():
        return found
    return Spent(quota_reset(clock.now()))


class Budget:
    """The budget of a day. ``units``: how many it has."""

    def __init__(self, db: Firestore, units: int) -> None:
        self._db = db
        self.units = units

    def read(self) -> Spent:
        """What was spent today."""
        return _spent_from(self._db.read(_path(_NAME))[0])

    def left(self) -> int:
        """Units that are left today; none while YouTube takes no requests."""
        spent = self.read()
        return 0 if spent.blocked else max(0, self.units - spent.units)

    def spend(self, user_id: str, units: int) -> bool:
        """Spends units on a user, if so many are left. Whether they were."""

        def attempt() -> bool:
            snapshot = self._db.read(_path(_NAME))[0]
            spent = _spent_from(snapshot)
            if spent.blocked or spent.units + units > self.units:
                return False
            users = {**spent.users, user_id: spent.users.get(user_id, 0) + units}
            _write(self._db, snapshot, spent, units=spent.units + units, users=users)
            return True

        return retry_on_conflict(attempt)

    def block(self, until: datetime) -> None:
        """Notes that YouTube takes no requests until then."""

        def attempt() -> None:
            snapshot = self._db.read(_path(_NAME))[0]
            _write(self._db, snapshot, _spent_from(snapshot), blocked_until=until)

        retry_on_conflict(attempt)


def forget(db: Firestore, user_id: str) -> None:
    """Removes what was spent on a user from the books of the day."""

    def attempt() -> None:
        snapshot = db.read(_path(_NAME))[0]
        spent = _spent_from(snapshot)
        if user_id in spent.users:
            _write(db, snapshot, spent, users={each: n for each, n in spent.users.items() if each != user_id})

    retry_on_conflict(attempt)


def _write(db: Firestore, snapshot: Snapshot, spent: Spent, **changes: Any) -> None:
    data = {
        "renewed_at": spent.renewed_at,
        "units": spent.units,
        "users": dict(spent.users),
        "blocked_until": spent.blocked_until,
    }
    db.commit().put(snapshot, {**data, **changes}).run()


def _path(name: str) -> str:
    return f"budgets/{name}"
