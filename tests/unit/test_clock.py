"""Times as texts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared import clock


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31T12:00:00Z", datetime(2024, 1, 31, 12, tzinfo=UTC)),
        ("2024-01-31T12:00:00+02:00", datetime(2024, 1, 31, 10, tzinfo=UTC)),
        ("2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_text_is_a_time_in_utc_or_none(text: str | None, expected: datetime | None) -> None:
    found = clock.parse(text)
    assert found == expected
    assert found is None or found.tzinfo is UTC
