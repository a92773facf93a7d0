"""What is remembered of the changes of a source."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from shared.library.changes import Change, change_from, with_change

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def after(known: list[Change], change: Change) -> list[Change]:
    return [change_from(each) for each in with_change(known, change).get("changes", ())]


def test_a_job_that_finds_nothing_leaves_nothing() -> None:
    assert with_change([], Change("job", NOW)) == {}


def test_one_job_adds_to_what_it_found_before() -> None:
    first = Change("job", NOW, new=("a",), removed=1)
    again = Change("job", NOW + DAY, new=("b", "a"), removed=2, captions=("c",), renamed=("d",))
    assert after([first], again) == [Change("job", NOW + DAY, ("a", "b"), 3, ("c",), ("d",))]


def test_changes_are_forgotten_after_two_weeks_and_never_too_many() -> None:
    known = [Change(f"job-{days}", NOW - days * DAY, new=("a",)) for days in (15, 13, 1)]
    found = after(known, Change("now", NOW, new=tuple(f"v{number}" for number in range(2000))))
    assert [each.job_id for each in found] == ["job-13", "job-1", "now"]
    assert len(found[-1].new) == 1000
    many = [Change(f"job-{number}", NOW, removed=1) for number in range(100)]
    assert len(after(many, Change("now", NOW, removed=1))) == 60


def test_the_changes_of_a_source_that_turns_over_fit_in_its_document() -> None:
    def ids() -> tuple[str, ...]:
        return tuple(secrets.token_urlsafe(8) for _ in range(1000))

    known: list[Change] = []
    for number in range(60):
        known = after(
            known, Change(f"job-{number}", NOW + number * timedelta(hours=1), ids(), 1, ids(), ids())
        )
    packed = with_change(known, Change("now", NOW + 3 * DAY, new=ids()))["changes"]
    assert sum(len(each[name]) for each in packed for name in ("new", "captions", "renamed")) < 100_000
    found = [change_from(each) for each in packed]
    assert len(found) == 60
    assert len(found[-1].new) == len(found[-2].renamed) == 1000, "the newest ones are whole"
    assert (found[0].new, found[0].removed) == ((), 1)
