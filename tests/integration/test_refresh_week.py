"""A simulated week: several users and sources, everything that can change, and a day without quota.

After it each library is what YouTube shows, and the units that were spent are within a tenth of the least
that is possible under the rules of docs/decisions/refresh.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config
from shared.library import memberships
from shared.library.refreshes import LISTED_EVERY, SETTLED, Every, next_slot
from shared.search.params import Params
from shared.search.service import Search
from shared.search.snippets import plain
from shared.youtube.data_api_errors import quota_reset
from tests.integration.living import Town, Truth, town
from tests.integration.world import Clock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: So often the scheduler calls.
STEP = 3 * HOUR
#: Items, or ids, in a request to YouTube.
PAGE = 50


@dataclass
class Holding:
    """A source in a library, as the least possible refresh knows it. ``seen``: ids and titles."""

    user: str
    truth: Truth
    every: Every
    slot_at: datetime | None
    seen: list[tuple[str, str]]
    listed_at: datetime
    described_at: datetime


@dataclass
class Least:
    """Counts the least units that a refresh can do with.

    One request tells whether a playlist has changed; it serves all who may see it, and is the first page of
    the listing. A listing that is needed asks for the other pages, and a week after the last time for the
    title, too. New and renamed videos are described once for all, in full pages.
    """

    town: Town
    holdings: list[Holding] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    units: int = 0

    def hold(self, user: str, truth: Truth, every: Every) -> None:
        now = self.town.clock()
        slot_at = next_slot(truth.playlist_id, every, now + SETTLED)
        self.holdings.append(Holding(user, truth, every, slot_at, self._shown(truth), now, now))
        self.known |= self._shown(truth)

    def _shown(self, truth: Truth) -> list[tuple[str, str]]:
        return [(each, self.town.titles[each]) for each in truth.ids]

    def pass_to(self, now: datetime) -> None:
        """What the least refresh asks for at this time, while there is quota."""
        checked = set[str]()
        for each in self.holdings:
            if each.slot_at is None or each.slot_at > now:
                continue
            each.slot_at = next_slot(each.truth.playlist_id, each.every, now)
            if each.truth.playlist_id not in checked:
                checked.add(each.truth.playlist_id)
                self.units += 1
            shown = self._shown(each.truth)
            is_young = now - each.listed_at < LISTED_EVERY
            if is_young and len(shown) == len(each.seen) and shown[:PAGE] == each.seen[:PAGE]:
                continue
            self.units += -(-len(shown) // PAGE) - 1
            if now - each.described_at >= LISTED_EVERY:
                self.units += 1
                each.described_at = now
            unknown = [video for video in shown if self.known.get(video[0]) != video[1]]
            self.units += -(-len(unknown) // PAGE)
            self.known |= unknown
            each.seen, each.listed_at = shown, now
            each.slot_at = next_slot(each.truth.playlist_id, each.every, now + SETTLED)


@dataclass
class Week:
    town: Town
    least: Least

    def hold(self, user: str, truth: Truth, every: Every) -> None:
        self.town.hold(user, truth, None if every == "daily" else every)
        self.least.hold(user, truth, every)

    def days(self, days: float, *, quota: bool = True) -> None:
        for now in self.town.pass_time(days * DAY, step=STEP):
            if quota:
                self.least.pass_to(now)


@pytest.fixture
def week(config: Config, youtube: LiveServer, clock_of_test: Clock, elasticsearch_url: str) -> Iterator[Week]:
    # On a Monday, so that the same happens whenever the test runs.
    now = clock_of_test()
    monday = now.replace(hour=0, minute=0, second=0) + (8 - now.isoweekday()) * DAY
    clock_of_test.forward(seconds=(monday - now).total_seconds())
    with town(config, youtube, clock_of_test, elasticsearch_url) as made:
        yield Week(made, Least(made))


def test_after_a_week_each_library_is_right_and_the_units_are_the_least(week: Week) -> None:
    place = week.town
    shared, small, long = place.make(53), place.make(6), place.make(54)
    weekly, still, private = place.make(8), place.make(4), place.make(5, owner="demo")
    tokens = place.youtube.control("token", {"user": "demo", "client_id": "a-client-for-tests"})
    place.world.grants.save("carol", tokens["refresh_token"], reads_youtube=True)
    # Two have no captions yet; one begins in the middle of the week, far from any slot.
    silent, premiere = small.ids[0], small.ids[1]
    place.silent.add(silent)
    begins = place.clock() + 3.3 * DAY
    place.begins[premiere] = begins
    for user, truth, every in (
        ("ann", shared, "daily"),
        ("bob", shared, "daily"),
        ("ann", small, "daily"),
        ("bob", long, "daily"),
        ("carol", weekly, "weekly"),
        ("carol", still, "off"),
        ("carol", private, "daily"),
    ):
        week.hold(user, truth, every)  # type: ignore[arg-type]
    at_rest = still.ids
    before = place.units()

    week.days(1)
    new = place.add(shared, 2)
    place.remove(small, small.ids[-1])
    place.add(private)
    week.days(1)
    # At the end of a playlist of two pages; and one is exchanged there, which no first page shows.
    place.add(shared, 1, at_end=True)
    gone = long.ids[-1]
    place.remove(long, gone)
    place.add(long, 1, at_end=True)
    week.days(1)
    place.rename(shared, shared.ids[1], "Renamed on the first page")
    place.rename(long, long.ids[52], "Renamed on the second page")
    place.silent.clear()
    place.add(still)
    week.days(1)
    # Begun hours ago, and found then.
    assert begins < place.clock()
    assert place.asked.count(premiere) == 2
    place.use_up_quota()
    place.add(small)
    place.remove(private, private.ids[2])
    used = place.units()
    steps = (quota_reset(place.clock()) - place.clock()) // STEP
    week.days(steps * STEP / DAY, quota=False)
    assert place.units() == used
    assert place.world.memberships.read("ann", small.playlist_id).video_ids != small.ids  # type: ignore[union-attr]
    place.renew_quota()
    week.days(1)
    place.add(weekly, 3)
    place.rename(weekly, weekly.ids[5], "Renamed in a weekly one")
    week.days(4)

    spent, least = place.units() - before, week.least.units
    assert least <= spent <= 1.1 * least, f"{spent} units were spent; the least is {least}"

    refresh_is_right(place, {still.playlist_id: at_rest})
    changes = place.world.memberships.read("ann", shared.playlist_id).changes  # type: ignore[union-attr]
    assert [len(each.new) for each in changes if each.new] == [2, 1]
    assert set(changes[0].new) == set(new)
    assert [each.renamed for each in changes if each.renamed] == [(shared.ids[1],)]


def refresh_is_right(place: Town, at_rest: dict[str, tuple[str, ...]]) -> None:
    """Compares what each user has, and finds, with what YouTube shows. ``at_rest``: sources that stay."""
    world = place.world
    search = Search(place.server)
    for user, library in place.libraries.items():
        expected = dict[str, str]()
        for playlist_id in library:
            truth = place.playlists[playlist_id]
            ids = at_rest.get(playlist_id, truth.ids)
            held = world.memberships.read(user, playlist_id)
            assert held is not None
            assert held.video_ids == ids, (user, playlist_id)
            assert list(held.added_at.values()) == [truth.added[each] for each in ids]
            assert held.indexed_videos == len(ids)
            expected |= {each: place.titles[each] for each in ids}
        titles = memberships.titles(world.db, user)
        found = {each["video_id"]: each for each in search.every_hit(user, titles, Params())}
        assert {each: plain(hit["title"]) for each, hit in found.items()} == expected
        # Whatever was said is found, also what got its captions later.
        hits = [each["video_id"] for each in search.every_hit(user, titles, Params(q="words"))]
        assert sorted(hits) == sorted(expected)
