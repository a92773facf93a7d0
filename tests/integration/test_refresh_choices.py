"""What a person sees of refreshing, and may choose: GET and PATCH /api/playlists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared import clock
from shared.accounts.dashboard import Dashboard, RefreshChoice
from shared.config import Config
from shared.declared import read_object
from shared.errors import BadRequest, NotFound
from shared.library.links import Links, find
from shared.library.refreshes import Chosen, Refreshes, refresh_path
from shared.pipeline.budget import Budget
from tests.integration.living import Town, Truth, town
from tests.integration.world import Clock


@pytest.fixture
def place(config: Config, youtube: LiveServer, clock_of_test: Clock) -> Iterator[Town]:
    with town(config, youtube, clock_of_test) as made:
        yield made


def dashboard(place: Town) -> Dashboard:
    world = place.world
    return world.dashboard()


def shown(place: Town, user: str, truth: Truth) -> dict[str, Any]:
    (found,) = [
        each
        for each in dashboard(place).of_user(user)["playlists"]
        if each["playlist_id"] == truth.playlist_id
    ]
    return dict(found)


def late(place: Town, user: str, truth: Truth) -> Any:
    return shown(place, user, truth)["refresh"]["late"]


def test_a_source_says_when_it_is_next_and_what_changed(place: Town) -> None:
    truth = place.make(3)
    place.hold("ann", truth)
    first = shown(place, "ann", truth)
    slot_at = place.plan_of("ann", truth).slot_at
    assert slot_at is not None
    assert first["refresh"] == {
        "every": "daily",
        "chosen": "auto",
        "next_at": clock.rfc3339(slot_at),
        "late": None,
    }
    assert (first["kind"], first["channel"], first["changes"]) == ("playlist", None, None)
    new, passing = place.add(truth, 2)
    place.remove(truth, truth.ids[-1])
    place.rename(truth, truth.ids[-1], "Another title")
    # The first slot may be up to a day and a half away, whatever the time of day.
    for _ in place.pass_time(slot_at - place.clock() + timedelta(hours=2)):
        pass
    at = place.clock()
    place.remove(truth, passing)
    for _ in place.pass_time(timedelta(days=1.2)):
        pass
    changes = shown(place, "ann", truth)["changes"]
    assert changes.pop("since") < str(clock.rfc3339(at))
    # What has gone meanwhile is not new.
    assert changes == {"new": 1, "removed": 2, "captions": 0, "renamed": 1}
    assert new in truth.ids
    place.clock.forward(days=8)
    assert shown(place, "ann", truth)["changes"] is None


def test_a_person_chooses_for_each_source(place: Town) -> None:
    truth = place.make(2)
    place.hold("ann", truth)
    place.hold("bob", truth)
    choices: list[tuple[Chosen, str]] = [("weekly", "weekly"), ("off", "off"), ("auto", "daily")]
    for chosen, every in [*choices, choices[1]]:
        answer: Any = dashboard(place).choose("ann", truth.playlist_id, chosen)
        assert answer == shown(place, "ann", truth)
        assert (answer["refresh"]["chosen"], answer["refresh"]["every"]) == (chosen, every)
        assert (answer["refresh"]["next_at"] is None) == (chosen == "off")
    assert shown(place, "bob", truth)["refresh"]["every"] == "daily"
    place.add(truth)
    for _ in place.pass_time(timedelta(days=1.5)):
        pass
    held = [place.world.memberships.read(user, truth.playlist_id) for user in ("ann", "bob")]
    assert [len(each.video_ids) for each in held if each] == [2, 3]


@pytest.mark.parametrize("chosen", [None, "", "hourly", 1, True, ["daily"], {"every": "daily"}, "x" * 10_000])
def test_anything_else_is_refused(chosen: object) -> None:
    body = json.dumps({"refresh": chosen}).encode()
    with pytest.raises(BadRequest, match=r"^refresh: expected one of auto, off, daily, weekly, found"):
        read_object(RefreshChoice, body)


@pytest.mark.parametrize("playlist_id", ["PLnobody-has-this", "__x__", "a/b", ""])
def test_what_is_not_in_the_library_cannot_be_chosen(place: Town, playlist_id: str) -> None:
    with pytest.raises(NotFound):
        dashboard(place).choose("ann", playlist_id, "daily")
    assert Refreshes(place.world.db).of_user("ann") == {}


def test_a_source_says_why_it_is_late(place: Town) -> None:
    truth, world = place.make(2), place.world
    place.hold("ann", truth)
    place.clock.forward(days=2)
    assert late(place, "ann", truth) == "Others come first. It is its turn within minutes."
    world.config = replace(world.config, refresh_units_per_day=1)
    Budget(world.db, 1).spend("bob", 1)
    assert late(place, "ann", truth).startswith("What is set aside of YouTube's quota for today is used up.")
    Budget(world.db, 1).block(place.clock() + timedelta(hours=3))
    assert late(place, "ann", truth).startswith("YouTube's daily quota is used up. It comes after 2")


def test_a_source_that_cannot_be_seen_says_so_and_is_tried_again(place: Town) -> None:
    gone, truth = place.make(2), place.make(2, owner="demo")
    tokens = place.youtube.control("token", {"user": "demo", "client_id": "a-client-for-tests"})
    place.world.grants.save("ann", tokens["refresh_token"], reads_youtube=True)
    place.hold("bob", gone)
    place.hold("ann", truth)
    _, link = Links(place.world.db).make("bob", gone.playlist_id)
    gone.owner = "other"
    place.tell(gone)
    place.world.grants.expire("ann", place.clock() + timedelta(days=3))
    for _ in place.pass_time(timedelta(days=1.5), step=timedelta(hours=2)):
        pass
    assert late(place, "ann", truth) == "Sign in again with Google, then press Refresh."
    assert late(place, "bob", gone).startswith("YouTube knows no playlist with this id, or it is private.")
    assert find(place.world.db, link) is None, "a guest sees no playlist that became private"
    # It is back, and the next refresh says so.
    gone.owner = None
    place.tell(gone)
    for _ in place.pass_time(timedelta(days=1.5), step=timedelta(hours=2)):
        pass
    assert late(place, "bob", gone) is None
    held = place.world.memberships.read("bob", gone.playlist_id)
    assert held is not None
    assert held.video_ids == gone.ids
    assert find(place.world.db, link) is not None


def test_sources_that_are_older_than_refreshing_are_refreshed_from_now_on(place: Town) -> None:
    truth = place.make(2)
    place.hold("ann", truth)
    place.world.db.commit().delete(refresh_path("ann", truth.playlist_id)).run()
    assert shown(place, "ann", truth)["refresh"]["every"] == "daily"
    assert place.plan_of("ann", truth).slot_at is not None


def test_a_playlist_that_was_never_indexed_has_no_plan(place: Town) -> None:
    place.youtube.control("oauth", {})
    tokens = place.youtube.control("token", {"user": "demo", "client_id": "a-client-for-tests"})
    place.world.grants.save("ann", tokens["refresh_token"], reads_youtube=True)
    own = dashboard(place).of_user("ann")["playlists"]
    assert own
    assert {each["refresh"] for each in own} == {None}
