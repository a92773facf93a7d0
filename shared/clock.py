"""Times are UTC, and RFC 3339 outside (https://www.rfc-editor.org/rfc/rfc3339)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


def now() -> datetime:
    return datetime.now(UTC)


@overload
def rfc3339(time: datetime) -> str: ...


@overload
def rfc3339(time: None) -> None: ...


@overload
def rfc3339(time: datetime | None) -> str | None: ...


def rfc3339(time: datetime | None) -> str | None:
    """Whole milliseconds, with a Z; None stays None."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str | None) -> datetime | None:
    """The inverse, in UTC; None for nothing, for nonsense, and for what is in no year of UTC.

    A text without a zone is UTC.
    """
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
