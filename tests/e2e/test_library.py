"""The library view and the job view in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from infra.local.fake_youtube.library import generate
from tests.e2e.page import Open, card, define_playlist, hits, screenshot, search, source_box, start_indexing
from tests.stack import Stack

pytestmark = pytest.mark.stack


def test_a_playlist_can_be_indexed_followed_and_searched(stack: Stack, open_page: Open, user: str) -> None:
    playlist = f"PLgen-120-{user.replace('-', '')}-short-mixed"
    # One video fails until the test clears the fault, so that the job runs while the test looks at it.
    generated = generate.playlist(playlist)
    assert generated
    (*_, held) = (each for each in generated.video_ids if (video := generate.video(each)) and video.tracks)
    stack.fake_youtube.fault("5xx", videos=[held])
    stack.fake_youtube.latency(player=0.4)
    page = open_page(user)
    # The page removes the token from the URL.
    expect(page).to_have_url(f"{stack.url}/")
    expect(page.get_by_text("Nothing to search yet")).to_be_visible()

    start_indexing(page, f"https://www.youtube.com/playlist?list={playlist}")
    shown = card(page, playlist)
    expect(shown).to_contain_text(re.compile(r"Indexing \d+ / 120"))
    screenshot(page, "library-indexing")
    shown.get_by_role("link", name="Details").click()
    view = page.locator("#view-job")
    progress = view.get_by_role("progressbar")
    expect(progress).to_have_attribute("aria-valuemax", "120")
    expect(view.locator(".job-line")).to_contain_text(re.compile(r"(seconds|s|min) left"))
    expect(view).to_contain_text("searchable already. You can close this tab")
    screenshot(page, "job-running")
    # A second browser of the same user shows the progress, too.
    second_page = open_page(user)
    expect(card(second_page, playlist).get_by_role("progressbar")).to_be_visible()
    second_page.close()
    # Indexed videos are found while the job is still running.
    view.get_by_role("link", name="Search these videos").click()
    expect(hits(page).first).to_be_visible()
    expect(page.get_by_role("button", name="Remove the filter")).to_be_visible()
    page.go_back()
    stack.fake_youtube.clear_faults()
    expect(view.locator(".job-state")).to_have_text(re.compile("^Indexed"), timeout=180_000)
    expect(progress).to_have_attribute("aria-valuenow", "120")

    job = stack.get("/api/jobs", user).json()["jobs"][0]
    for state in ("unavailable", "no_transcript"):
        videos = stack.get(
            f"/api/jobs/{job['job_id']}/videos", user, params={"state": state, "limit": "500"}
        ).json()["videos"]
        reasons = [video["reason"] for video in videos]
        assert len(reasons) == job["counts"][state] > 0
        assert all(reasons)
        problems = view.locator(f'.problems[data-state="{state}"]')
        expect(problems.locator("summary")).to_contain_text(f"({len(reasons)})")
        problems.locator("summary").click()
        expect(problems.locator("li .reason")).to_contain_text(reasons)
    screenshot(page, "job-done")

    indexed = stack.get(f"/api/jobs/{job['job_id']}/videos", user, params={"state": "indexed"}).json()
    video_id = indexed["videos"][0]["video_id"]
    phrase = generate.phrase_of(video_id)
    page.keyboard.press("/")
    page.keyboard.type(f'"{phrase.text}"')
    second = int(phrase.start)
    link = page.locator(f'[data-key="{video_id}:{phrase.start:.10g}"]')
    expect(link.locator("time")).to_have_text(f"0:{second // 60:02}:{second % 60:02}")
    expect(link.locator("mark").first).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="1 video")).to_be_visible()


def test_an_invalid_playlist_shows_the_error_and_keeps_the_input(open_page: Open, user: str) -> None:
    page = open_page(user)
    field = source_box(page)
    start_indexing(page, "")
    expect(page.locator("#start-error")).to_contain_text("found nothing")
    for playlist in ("nonsense", "https://example.com/?list=PLyts-sample-talks"):
        with page.expect_response("**/api/sources") as answer:
            start_indexing(page, playlist)
        (line,) = answer.value.json()["lines"]
        assert line["taken_for"] == "nothing"
        expect(page.locator("#start-error")).to_have_text(line["detail"])
        expect(page.locator("#start-error")).not_to_be_empty()
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
    # The input survives a reload, and with it a new sign-in.
    page.reload()
    expect(field).to_have_value("https://example.com/?list=PLyts-sample-talks")
    start_indexing(page, "PLnobody-knows-this")
    expect(page.locator("#start-error")).to_be_empty()
    expect(field).to_have_value("")
    shown = card(page, "PLnobody-knows-this")
    expect(shown).to_contain_text("Could not be indexed", timeout=60_000)
    expect(shown.locator("p.error").last).not_to_be_empty()
    screenshot(page, "library-no-such-playlist")
    shown.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Nothing to search yet")).to_be_visible()


def test_a_job_can_be_cancelled_and_its_playlist_removed(stack: Stack, open_page: Open, user: str) -> None:
    videos = define_playlist(stack, user, 3)
    stack.fake_youtube.fault("hang", videos=[videos[0]], seconds=15)
    page = open_page(user)
    start_indexing(page, f"PL{user}")
    shown = card(page, f"PL{user}")
    expect(shown).to_contain_text("Indexing 2 / 3", timeout=60_000)
    shown.get_by_role("link", name="Details").click()
    view = page.locator("#view-job")
    view.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    expect(view.locator(".job-state")).to_have_text("Indexing 2 / 3")
    view.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel indexing").click()
    expect(view.locator(".job-state")).to_contain_text("Cancelled")
    expect(view.locator(".numbers .pending")).to_have_text("not indexed1")
    view.get_by_role("link", name="All playlists").click()
    search(page, "words")
    expect(hits(page)).to_have_count(2)
    page.go_back()
    shown.get_by_role("button", name="Remove").click()
    screenshot(page, "confirm")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(shown).to_have_count(0)
    search(page, "words")
    expect(page.get_by_text("No results for")).to_be_visible()


def test_failed_videos_show_their_reason_and_can_be_retried(stack: Stack, open_page: Open, user: str) -> None:
    videos = define_playlist(stack, user, 3)
    stack.fake_youtube.fault("5xx", videos=[videos[1]])
    job_id = stack.index(f"PL{user}", user)
    page = open_page(user, f"/?job={job_id}")
    expect(page.locator(".job-state")).to_have_text("Indexing 2 / 3", timeout=60_000)
    # Pub/Sub does the same after its last delivery. Waiting for that would take two minutes of backoff.
    stack.publish("dead-letters", {"job_id": job_id, "video_id": videos[1]})
    failed = page.locator('.problems[data-state="failed"] li')
    expect(failed).to_contain_text(f"Title of {videos[1]}", timeout=60_000)
    (video,) = stack.get(f"/api/jobs/{job_id}/videos", user, params={"state": "failed"}).json()["videos"]
    assert video["reason"]
    expect(failed.locator(".reason")).to_have_text(video["reason"])
    screenshot(page, "job-failed")
    page.get_by_role("link", name="Library").click()
    expect(card(page, f"PL{user}")).to_contain_text("1 failed")
    page.go_back()
    stack.fake_youtube.clear_faults()
    page.get_by_role("button", name="Retry failed").click()
    expect(page.locator(".numbers .indexed")).to_have_text("indexed3", timeout=60_000)
    expect(failed).to_have_count(0)
    expect(page.locator(".job-state")).to_contain_text("Indexed")


def test_an_active_job_older_than_the_recent_ones_is_followed(
    stack: Stack, open_page: Open, user: str
) -> None:
    videos = define_playlist(stack, user, 3)
    stack.fake_youtube.fault("5xx", videos=[videos[1]])
    job_id = stack.index(f"PL{user}", user)
    stack.wait_for(lambda: stack.job(job_id, user)["counts"]["indexed"] == 2, 60, "two are indexed")
    page = open_page(None)
    page.route("**/api/jobs", lambda route: route.fulfill(json={"jobs": []}))
    page.goto(f"{stack.url}/#token={stack.token(user)}")
    shown = card(page, f"PL{user}")
    expect(shown).to_contain_text("Indexing 2 / 3")
    stack.fake_youtube.clear_faults()
    expect(shown).to_contain_text("Indexed just now", timeout=180_000)


def test_a_running_job_shows_its_speed_remaining_time_and_cost(
    stack: Stack, open_page: Open, reader: str
) -> None:
    job = stack.get("/api/jobs", reader).json()["jobs"][0]
    running = {**job, "state": "running", "finished_at": None, "total": 3000, "eta_seconds": 9000}
    indexed_counts: list[int] = []

    def answer_with_progress(route: Route) -> None:
        indexed_counts.append(20 * len(indexed_counts))
        counts = {"indexed": indexed_counts[-1], "no_transcript": 0, "unavailable": 0, "failed": 0}
        counts["pending"] = 3000 - indexed_counts[-1]
        route.fulfill(json={**running, "counts": counts, "youtube_bytes": 5_300_000})

    page = open_page(None)
    page.route("**/api/jobs/*", answer_with_progress)
    page.goto(f"{stack.url}/?job={job['job_id']}#token={stack.token(reader)}")
    line = page.locator(".job-line")
    # The speed that the page has measured itself replaces the server's estimate of 9,000 seconds.
    expect(line).to_contain_text(re.compile(r"[\d.]+ videos/s · (about \d+ (s|min)|a few seconds) left"))
    cost = "5.3 MB from YouTube; a paid proxy would cost about $0.02"
    expect(page.locator("#view-job")).to_contain_text(cost)


def test_a_blocked_job_shows_when_it_continues(stack: Stack, open_page: Open, reader: str) -> None:
    """Uses made-up answers, because a real block would stop the other tests of this run."""
    job = stack.get("/api/jobs", reader).json()["jobs"][0]
    counts = {**job["counts"], "pending": job["counts"]["indexed"], "indexed": 0}
    blocked = {
        **job,
        "state": "running",
        "finished_at": None,
        "counts": counts,
        "blocked_until": "2030-01-01T10:42:00Z",
    }
    answers = [blocked]
    page = open_page(None, timezone_id="UTC")
    page.route("**/api/jobs/*", lambda route: route.fulfill(json=answers[-1]))
    page.goto(f"{stack.url}/?job={job['job_id']}#token={stack.token(reader)}")
    problem = page.get_by_role("status").filter(has_text="Indexing continues at 10:42")
    expect(problem).to_be_visible()
    screenshot(page, "job-blocked")
    answers.append(job)
    expect(problem).to_have_count(0)
    expect(page.locator(".job-state")).to_contain_text("Indexed")
