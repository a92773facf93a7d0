"""How long the first page of a playlist answers for YouTube."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared import clock
from shared.library.checks import Check
from shared.youtube.resources import FirstPage


@pytest.mark.parametrize(
    ("age", "next_token", "fresh", "continues"),
    [
        (timedelta(0), "more", True, True),
        (timedelta(minutes=1), "more", True, True),
        (timedelta(minutes=10), "more", True, False),
        (timedelta(minutes=10), None, True, True),
        (timedelta(minutes=20), None, False, False),
    ],
)
def test_a_listing_goes_on_only_with_a_page_of_this_moment(
    age: timedelta, next_token: str | None, fresh: bool, continues: bool
) -> None:
    """What was taken out since then would move another video to where nobody looks."""
    check = Check(FirstPage("etag", (), next_token), clock.now() - age)
    assert (check.fresh, check.continues) == (fresh, continues)
