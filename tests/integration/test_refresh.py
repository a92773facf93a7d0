"""What a refresh does when it is called twice, dies, or finds its source gone: on the real Firestore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.accounts.erasure import Erasure
from shared.config import Config
from shared.errors import Transient
from shared.library.refreshes import Due, Refreshes
from shared.pipeline.budget import Budget
from shared.pipeline.jobs import Jobs
from shared.pipeline.refresh import Refreshed
from shared.pipeline.removal import Removal
from tests.integration.living import Town, Truth, town
from tests.integration.world import Clock, at_once


@pytest.fixture
def place(config: Config, youtube: LiveServer, clock_of_test: Clock) -> Iterator[Town]:
    with town(config, youtube, clock_of_test) as made:
        yield made


def due(place: Town, user: str, truth: Truth) -> None:
    """Waits until a source is due."""
    slot_at = place.plan_of(user, truth).slot_at
    assert slot_at is not None
    place.clock.forward(seconds=(slot_at - place.clock()).total_seconds() + 1)


def held(place: Town, user: str, truth: Truth) -> tuple[str, ...]:
    found = place.world.memberships.read(user, truth.playlist_id)
    return found.video_ids if found else ()


def test_what_has_not_changed_costs_a_unit_and_starts_no_job(place: Town) -> None:
    truth = place.make(3)
    place.hold("ann", truth)
    due(place, "ann", truth)
    before = place.units()
    assert place.refresh() == Refreshed(sources=1, units=1)
    assert place.units() - before == 1
    assert place.refresh() == Refreshed(), "it is not due again before its next slot"
    # Nothing of the answer is asked for again.
    due(place, "ann", truth)
    assert place.refresh().jobs == 0


def test_new_removed_and_renamed_videos_are_found_for_all_who_have_the_playlist(place: Town) -> None:
    truth = place.make(3)
    for user in ("ann", "bob"):
        place.hold(user, truth)
    first, second, _ = truth.ids
    (new,) = place.add(truth)
    place.remove(truth, first)
    place.rename(truth, second, "Another title")
    due(place, "ann", truth)
    before = place.units()
    done = place.refresh()
    # One first page for both, one description of the new video and the renamed one for both.
    assert (done.sources, done.jobs, place.units() - before) == (2, 2, 2)
    for user in ("ann", "bob"):
        assert held(place, user, truth) == truth.ids
        membership = place.world.memberships.read(user, truth.playlist_id)
        assert membership is not None
        (change,) = membership.changes
        assert (change.new, change.removed, change.renamed) == ((new,), 1, (second,))
        assert membership.added_at == truth.added
    assert place.world.search_index.written[second]["title"] == "Another title"
    # Nothing is new when the job is planned once more.
    assert place.world.jobs.active() == []


def test_of_two_calls_at_once_one_looks_at_a_source(place: Town) -> None:
    truths = [place.make(2) for _ in range(3)]
    for truth in truths:
        place.hold("ann", truth)
        place.add(truth)
    place.clock.forward(days=1, hours=6)
    calls = at_once([place.refreshing.run for _ in range(4)])
    assert sum(each.jobs for each in calls) == sum(each.sources for each in calls) == 3
    assert place.world.topics.playlists() == 3
    place.run_jobs()
    for truth in truths:
        assert held(place, "ann", truth) == truth.ids


def test_a_refresh_that_dies_after_its_check_is_made_up_for(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = place.make(2)
    place.hold("ann", truth)
    place.add(truth)
    due(place, "ann", truth)
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "start", _die)
        with pytest.raises(KeyboardInterrupt):
            place.refresh()
    assert place.refresh() == Refreshed(), "it is claimed"
    place.clock.forward(minutes=11)
    assert place.refresh().jobs == 1
    assert held(place, "ann", truth) == truth.ids


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_job_that_could_not_be_published_is_published_by_the_sweep(place: Town) -> None:
    truth = place.make(2)
    place.hold("ann", truth)
    place.add(truth)
    due(place, "ann", truth)
    place.world.topics.broken.add("publish")
    assert place.refresh().jobs == 1
    place.world.topics.broken.clear()
    (job,) = place.world.jobs.active()
    assert place.refresh().jobs == 0
    assert place.world.sweep(job, messages_lost=True).planned_again == 1
    place.run_jobs()
    assert held(place, "ann", truth) == truth.ids


@pytest.mark.parametrize("what", ["removed", "erased"])
def test_what_is_removed_while_it_is_looked_at_stays_removed(
    place: Town, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    truth, world = place.make(2), place.world
    place.hold("ann", truth)
    place.add(truth)
    due(place, "ann", truth)
    first_page = world.youtube.first_page

    def remove(*about: object, **more: object) -> object:
        if what == "removed":
            Removal(world.db, world.search_index).remove("ann", truth.playlist_id)
        else:
            Erasure(world.db, world.search_index, world.grants).erase("ann")
        return first_page(*about, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(world.youtube, "first_page", remove)
    assert place.refresh().jobs == 0
    assert held(place, "ann", truth) == ()
    assert place.refreshes.of_user("ann") == {}
    assert [job for job in world.jobs.recent("ann") if job.scheduled] == []


def test_a_scheduled_job_of_a_removed_source_brings_nothing_back(place: Town) -> None:
    truth, world = place.make(2), place.world
    place.hold("ann", truth)
    place.add(truth)
    due(place, "ann", truth)
    place.refreshing.run()
    (job,) = world.jobs.active()
    world.memberships.remove("ann", truth.playlist_id)
    place.run_jobs()
    assert (world.job(job.job_id).state, held(place, "ann", truth)) == ("cancelled", ())
    assert place.refreshes.of_user("ann") == {}


def test_a_search_index_that_does_not_answer_puts_off_the_end_of_a_refresh(place: Town) -> None:
    truth, index = place.make(2), place.world.search_index
    place.hold("ann", truth)
    (new,) = place.add(truth)
    due(place, "ann", truth)
    index.broken.update(("write", "write_membership", "count", "refresh", "fingerprints"))
    with pytest.raises(Transient):
        place.refresh()
    index.broken.clear()
    (job,) = place.world.jobs.active()
    place.world.sweep(job, messages_lost=True)
    place.run_jobs()
    assert place.world.job(job.job_id).state == "done"
    assert held(place, "ann", truth) == truth.ids == index.memberships["ann", truth.playlist_id]
    assert new in index.written
    (change,) = place.world.memberships.read("ann", truth.playlist_id).changes  # type: ignore[union-attr]
    assert change.new == (new,)


def test_captions_that_come_later_cost_no_units_and_a_premiere_is_asked_about_in_time(place: Town) -> None:
    truth = place.make(3)
    late, premiere, _ = truth.ids
    place.silent.add(late)
    place.begins[premiere] = place.clock() + timedelta(hours=2)
    place.hold("ann", truth)
    plan = place.plan_of("ann", truth)
    assert set(plan.waiting) == {late, premiere}
    assert plan.due_at == plan.waiting[premiere].at != plan.slot_at
    place.clock.forward(hours=2, minutes=1)
    before = place.units()
    assert place.refresh() == Refreshed(sources=1, jobs=1)
    assert place.units() == before
    assert place.world.search_index.written[premiere]["language"] == "en"
    # Nobody asks about the other one before its time: a day after the first answer, at the next slot.
    assert place.asked.count(late) == 1
    place.silent.clear()
    for _ in place.pass_time(timedelta(days=2)):
        pass
    assert place.asked.count(late) == 2
    membership = place.world.memberships.read("ann", truth.playlist_id)
    assert membership is not None
    assert {each for change in membership.changes for each in change.captions} == {late, premiere}
    assert place.plan_of("ann", truth).waiting == {}


def test_a_budget_is_never_exceeded_and_users_take_turns(place: Town) -> None:
    # Each source was listed a week ago. Its page, its title and a page of metadata are three units at most.
    place.world.config = replace(place.world.config, refresh_units_per_day=6)
    for _ in range(4):
        place.hold("ann", place.make(1), "weekly")
    place.hold("bob", place.make(1), "weekly")
    place.clock.forward(days=8)
    budget, at_youtube = Budget(place.world.db, 6), place.units()
    assert place.refresh().jobs == 2
    assert budget.read().users == {"ann": 3, "bob": 3}
    assert place.units() - at_youtube <= 6
    assert place.refresh() == Refreshed()
    for jobs in (2, 1, 0):
        place.clock.forward(days=1)
        assert place.refresh().jobs == jobs


def test_who_may_not_come_in_costs_nothing_until_admitted_again(place: Town) -> None:
    shut_out, truth = place.make(1), place.make(1)
    for user, each in (("ann", shut_out), ("bob", truth)):
        place.hold(user, each)
    before = held(place, "ann", shut_out)
    for each in (shut_out, truth):
        place.add(each)
    place.world.db.commit().set("users/ann", {"suspended": True}, merge=True).run()
    place.clock.forward(days=1, hours=6)
    assert place.refresh().jobs == 1
    assert held(place, "ann", shut_out) == before
    assert held(place, "bob", truth) == truth.ids
    assert set(Budget(place.world.db, 6).read().users) == {"bob"}
    assert place.refresh() == Refreshed(), "it is not looked at in every call"
    place.world.db.commit().set("users/ann", {"suspended": False}, merge=True).run()
    place.clock.forward(days=1, hours=6)
    place.refresh()
    assert held(place, "ann", shut_out) == shut_out.ids


def test_without_units_what_is_due_is_read_once_an_hour(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    place.world.config = replace(place.world.config, refresh_units_per_day=2)
    read: list[datetime] = []
    due_at = Refreshes.due

    def counted(self: Refreshes, now: datetime) -> list[Due]:
        read.append(now)
        return due_at(self, now)

    monkeypatch.setattr(Refreshes, "due", counted)
    place.clock.forward(seconds=3600 - place.clock().minute * 60 - place.clock().second)
    for _ in range(24):
        place.refresh()
        place.clock.forward(minutes=5)
    assert len(read) == 2


def test_a_used_up_quota_stops_refreshing_until_it_is_renewed(place: Town) -> None:
    truth, other = place.make(1), place.make(1)
    for each in (truth, other):
        place.hold("ann", each)
        place.add(each)
    place.clock.forward(days=1, hours=6)
    place.use_up_quota()
    assert place.refresh().jobs == 0
    place.renew_quota()
    assert place.refresh() == Refreshed(), "everything waits until the quota is renewed"
    place.clock.forward(days=1)
    assert place.refresh().jobs == 2
    assert held(place, "ann", truth) == truth.ids


def test_one_empty_answer_does_not_make_a_page_of_videos_gone(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, world = place.make(5), place.world
    job = place.hold("ann", truth)
    place.clock.forward(days=2)
    monkeypatch.setattr(world.youtube, "videos", lambda video_ids: [])
    again = world.jobs.start("ann", truth.playlist_id)[0]
    with pytest.raises(Transient, match="described none"):
        world.plan(again)
    assert not any(each.gone_at for each in world.videos.read(truth.ids).values())
    monkeypatch.undo()
    assert job.state == "done"


def test_a_playlist_that_is_emptied_leaves_the_results(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, world = place.make(2), place.world
    place.hold("ann", truth)
    before = truth.ids
    for each in before:
        place.remove(truth, each)
    due(place, "ann", truth)
    # YouTube lists nothing, but says that there is something: nobody knows.
    with monkeypatch.context() as patch:
        known = world.youtube.playlist(truth.playlist_id)
        patch.setattr(world.youtube, "playlist", lambda *_: replace(known, item_count=2))
        with pytest.raises(Transient, match="not empty"):
            place.refresh()
    assert held(place, "ann", truth) == before
    (job,) = world.jobs.active()
    world.plan(job)
    assert (world.job(job.job_id).state, held(place, "ann", truth)) == ("done", ())
    assert world.search_index.memberships["ann", truth.playlist_id] == ()
    place.add(truth)
    due(place, "ann", truth)
    place.refresh()
    assert held(place, "ann", truth) == truth.ids
