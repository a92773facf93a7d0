"""The time as a test sets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: The time at which each test begins.
BEGIN = datetime(2024, 1, 31, 12, tzinfo=UTC)


class StoppedClock:
    """Takes the place of ``shared.clock.now``. It stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = BEGIN

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **amount: float) -> None:
        self.time += timedelta(**amount)
