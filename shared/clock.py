"""Times are UTC, and RFC 3339 outside (https://www.rfc-editor.org/rfc/rfc3339)."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def rfc3339(time: datetime | None) -> str | None:
    """Whole milliseconds, with a Z; None stays None."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str | None) -> datetime | None:
    """The inverse, for times from the Data API; None for nothing or nonsense."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
