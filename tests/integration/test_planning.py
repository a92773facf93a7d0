"""Planning against the real Firestore emulator; YouTube is the stand-in, asked by the real client library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from time import monotonic, sleep
from uuid import uuid4

import pytest

from infra.local.standin.inprocess import InProcess
from shared import (
    config,
    documents,
    jobs,
    ledger,
    library,
    planner,
)
from shared import youtube as data_api
from shared.errors import Malformed, Transient
from shared.events import Delivery
from shared.messages import PlaylistMessage
from shared.search_documents import fingerprint_of
from tests.integration.delivery_support import wait_until
from tests.integration.firestore_support import (
    Clock,
    Seams,
    at_once,
    check,
    define,
    entries_of,
    fetch,
    fresh_ids,
    index,
    job_of,
    new_job,
    plan,
    sweep_one,
)
from tests.integration.interrupting import at_the_second_page


def test_a_playlist_is_listed_page_by_page_and_published_as_it_is_listed(
    youtube: InProcess, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    published_when_listed: list[int] = []
    published_by_page: list[int] = []
    pages, enter = data_api.pages, planner._enter

    def watched(playlist_id: str, access: str | None) -> Iterator[list[data_api.Item]]:
        for page in pages(playlist_id):
            published_when_listed.append(len(seams.videos()))
            yield page

    def entered(job: jobs.Job, entries: Sequence[ledger.NewEntry]) -> bool:
        published_by_page.append(len(seams.videos()))
        return enter(job, entries)

    monkeypatch.setattr(data_api, "pages", watched)
    monkeypatch.setattr(planner, "_enter", entered)
    job = new_job(playlist=f"PLgen-120-{uuid4().hex[:6]}")
    plan(job)
    now = job_of(job.job_id)
    assert (now.state, now.total, now.shards) == ("running", 120, 3)
    assert published_by_page == [0, 50, 100]
    assert published_when_listed == [0, 50, 100]
    assert len(set(seams.videos())) == 120
    assert check(job.job_id).states["pending"] == 120
    membership = library.playlist(job.user_id, job.playlist_id)
    assert membership is not None
    assert len(membership.video_ids) == 120
    # 1 playlists.list, 3 pages, 3 videos.list.
    assert youtube.stats()["quota"]["used"] == 7


def test_the_next_page_is_listed_while_one_is_entered(
    youtube: InProcess, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = planner._enter

    def entered(job: jobs.Job, entries: Sequence[ledger.NewEntry]) -> bool:
        # playlists.list, two pages and, for the first of them, videos.list.
        wait_until(lambda: youtube.stats()["quota"]["used"] >= 4)
        return enter(job, entries)

    monkeypatch.setattr(planner, "_enter", entered)
    job = new_job(playlist=f"PLgen-60-{uuid4().hex[:6]}")
    plan(job)
    assert job_of(job.job_id).total == 60


def test_two_planners_of_overlapping_pages_enter_each_video_once(youtube: InProcess, seams: Seams) -> None:
    """Both list it all at once; the playlist changes under them, and holds a video twice."""
    job = new_job(playlist=f"PL{uuid4().hex[:10]}")
    videos = fresh_ids(70)
    define(youtube, job.playlist_id, [*videos, videos[0], videos[60]], extra=9)
    at_once([partial(plan, job)] * 3)
    assert job_of(job.job_id).total == 70
    assert check(job.job_id).states["pending"] == 70
    assert set(seams.videos()) == set(videos)
    positions = {entry.video_id: entry.position for entry in entries_of(job.job_id).values()}
    assert positions[videos[5]] == 5


def test_planning_while_videos_settle_stays_exact(youtube: InProcess, seams: Seams) -> None:
    job = new_job(playlist=f"PL{uuid4().hex[:10]}")
    videos = fresh_ids(110)
    define(youtube, job.playlist_id, videos)

    def work() -> None:
        """What is published is settled at once, twice."""
        done: set[str] = set()
        deadline = monotonic() + 60
        while len(done) < len(videos):
            assert monotonic() < deadline, f"{len(done)} videos were published"
            new = [each for each in seams.videos() if each not in done]
            sleep(0 if new else 0.01)
            for video_id in dict.fromkeys(new):
                done.add(video_id)
                entry = ledger.entry_of(documents.read(ledger.entry_path(job.job_id, video_id))[0])
                assert entry is not None
                for _ in range(2):
                    jobs.settle(job_of(job.job_id), entry, "indexed")

    steps: list[Callable[[], None]] = [partial(plan, job), partial(plan, job), work]
    at_once(steps)
    jobs.finish_if_settled(job.job_id)
    assert (job_of(job.job_id).state, job_of(job.job_id).total) == ("done", 110)
    assert check(job.job_id).states["indexed"] == 110


def test_videos_that_are_gone_are_unavailable_at_once(youtube: InProcess, seams: Seams) -> None:
    job = new_job(playlist=f"PL{uuid4().hex[:10]}")
    good, private, deleted = fresh_ids(3)
    youtube.control("playlists", {"videos": [{"id": private, "status": "private"}]})
    define(
        youtube,
        job.playlist_id,
        [good, {"id": private, "status": "private"}, {"id": deleted, "status": "deleted"}],
    )
    plan(job)
    found = entries_of(job.job_id)
    assert (found[private].state, found[private].reason) == ("unavailable", "The video is private.")
    assert found[deleted].reason == "The video was deleted from YouTube."
    assert seams.videos() == [good]
    check(job.job_id)


@pytest.mark.parametrize(
    ("playlist_id", "reason"),
    [
        ("PLnosuchplaylist", "knows no playlist"),
        ("WL", "Watch Later"),
        ("PLdemo-evenings", "knows no playlist"),
        ("PLdemo-empty", ""),
    ],
)
def test_a_playlist_that_cannot_be_indexed_fails_the_job_with_a_reason(
    youtube: InProcess, seams: Seams, playlist_id: str, reason: str
) -> None:
    job = new_job(playlist=playlist_id)
    plan(job)
    now = job_of(job.job_id)
    assert now.state == "failed"
    assert now.error
    assert reason in now.error
    assert seams.videos() == []
    assert jobs.start(job.user_id, job.playlist_id)[1]


def test_a_used_up_quota_puts_the_job_off_until_midnight_in_california(
    youtube: InProcess, seams: Seams, clock_of_test: Clock
) -> None:
    job = new_job(playlist=f"PLgen-60-{uuid4().hex[:6]}")
    rule = {"kind": "quota_exceeded"}
    youtube.control("faults", rule)
    plan(job)
    waiting = job_of(job.job_id)
    assert waiting.active
    assert waiting.blocked_until is not None
    assert timedelta() < waiting.blocked_until - clock_of_test() <= timedelta(hours=25)
    assert waiting.error is not None
    assert "quota" in waiting.error
    swept = sweep_one(job, messages_lost=True)
    assert swept.planned_again == 0
    assert job_of(job.job_id).blocked_until == waiting.blocked_until
    clock_of_test.forward(hours=25)
    assert sweep_one(job).planned_again == 1
    youtube.control("reset", {"what": ["faults"]})
    plan(job)
    now = job_of(job.job_id)
    assert (now.state, now.error, now.blocked_until) == ("running", None, None)


def test_trouble_of_the_moment_is_said_and_raised(youtube: InProcess, seams: Seams) -> None:
    job = new_job(playlist=f"PLgen-60-{uuid4().hex[:6]}")
    youtube.control("faults", {"kind": "backend_error", "status": 503})
    with pytest.raises(Transient):
        plan(job)
    assert "It is tried again." in (job_of(job.job_id).error or "")
    youtube.control("reset", {"what": ["faults"]})
    plan(job)
    assert (job_of(job.job_id).state, job_of(job.job_id).error) == ("running", None)


def test_a_message_without_a_job_makes_one_and_its_redelivery_finds_it(
    youtube: InProcess, seams: Seams
) -> None:
    playlist_id, user = f"PLgen-5-{uuid4().hex[:6]}", f"user-{uuid4().hex[:6]}"
    message = PlaylistMessage(playlist_id, user_id=user)
    first = Delivery("7", b"", {}, None, "2024-01-01T00:00:00Z")
    for _ in range(2):
        planner.plan(message, first)
    (job,) = jobs.recent(user)
    assert job.total == 5
    jobs.cancel(job.job_id)
    planner.plan(message, first)
    assert len(jobs.recent(user)) == 1
    # The emulator was started again: the same number, another message.
    planner.plan(message, replace(first, published="2024-01-02T00:00:00Z"))
    assert len(jobs.recent(user)) == 2


def test_a_message_without_a_user_goes_to_the_owner(
    youtube: InProcess, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    playlist_id = f"PLgen-5-{uuid4().hex[:6]}"
    planner.plan(PlaylistMessage(playlist_id), Delivery(uuid4().hex, b"", {}, None))
    assert any(job.playlist_id == playlist_id for job in jobs.recent("demo"))
    monkeypatch.setattr(config.Config, "owner", None)
    with pytest.raises(Malformed, match="OWNER_USER_ID"):
        planner.plan(PlaylistMessage(playlist_id), Delivery(uuid4().hex, b"", {}, None))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_planner_at_work_does_not_bring_back_what_was_removed(
    youtube: InProcess, seams: Seams, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    job = new_job(playlist=f"PLgen-150-{uuid4().hex[:6]}")

    def remove() -> None:
        assert library.playlist(job.user_id, job.playlist_id) is not None
        jobs.cancel_active(job.user_id, job.playlist_id)
        library.remove(job.user_id, job.playlist_id)

    at_the_second_page(monkeypatch, remove, moment)
    plan(job)
    assert job_of(job.job_id).state == "cancelled"
    assert library.playlist(job.user_id, job.playlist_id) is None
    check(job.job_id)


def test_what_is_stored_and_searchable_needs_no_message(youtube: InProcess, seams: Seams) -> None:
    playlist_id = f"PLgen-4-{uuid4().hex[:6]}-short"
    first = new_job(playlist=playlist_id)
    plan(first)
    for video_id in seams.videos():
        fetch(first, video_id)
        index(first, video_id)
    assert job_of(first.job_id).state == "done"
    assert check(first.job_id).reused == 0
    asked = youtube.stats()["endpoints"]["player"]["requests"]
    seams.forget()
    seams.fingerprints = {
        video_id: fingerprint_of(document.digest or "") for video_id, document in seams.written.items()
    }
    second = new_job(playlist=playlist_id)
    plan(second)
    assert seams.videos() == []
    assert job_of(second.job_id).state == "done"
    assert check(second.job_id).reused == 4
    # Without Elasticsearch's word they take the usual way, and are still not asked of YouTube.
    seams.broken = {"fingerprints"}
    third = new_job(playlist=playlist_id)
    plan(third)
    assert len(seams.videos()) == 4
    for video_id in seams.videos():
        fetch(third, video_id)
        index(third, video_id)
    assert (check(third.job_id).reused, check(third.job_id).youtube_bytes) == (4, 0)
    assert youtube.stats()["endpoints"]["player"]["requests"] == asked
