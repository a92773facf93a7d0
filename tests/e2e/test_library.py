"""The library and its jobs in Chromium, on a whole local run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from infra.local.standin import generate
from tests.e2e.page import Open, card, hits, picture, search, spoken, start
from tests.stack import Stack

pytestmark = pytest.mark.stack


def test_a_playlist_is_started_watched_and_searched(stack: Stack, open_page: Open, user: str) -> None:
    playlist = f"PLgen-120-{user.replace('-', '')}-short-mixed"
    # One video does not arrive before the page has been looked at, however slow the browser is.
    described = generate.playlist(playlist)
    assert described
    (*_, held) = (each for each in described.video_ids if (video := generate.video(each)) and video.tracks)
    stack.standin.fault("5xx", videos=[held])
    stack.standin.latency(player=0.4)
    page = open_page(user)
    # The token is not left where it would be copied or kept.
    expect(page).to_have_url(f"{stack.url}/")
    expect(page.get_by_text("Nothing to search yet")).to_be_visible()

    start(page, f"https://www.youtube.com/playlist?list={playlist}")
    shown = card(page, playlist)
    expect(shown).to_contain_text(re.compile(r"Indexing \d+ / 120"))
    picture(page, "library-indexing")
    shown.get_by_role("link", name="Details").click()
    view = page.locator("#view-job")
    progress = view.get_by_role("progressbar")
    expect(progress).to_have_attribute("aria-valuemax", "120")
    expect(view.locator(".job-line")).to_contain_text(re.compile(r"(seconds|s|min) left"))
    expect(view).to_contain_text("searchable already. You can close this tab")
    picture(page, "job-running")
    # Another device, or this one later: it goes on, and the page knows it.
    elsewhere = open_page(user)
    expect(card(elsewhere, playlist).get_by_role("progressbar")).to_be_visible()
    elsewhere.close()
    # What is indexed is found while the rest is still being read.
    view.get_by_role("link", name="Search in them").click()
    expect(hits(page).first).to_be_visible()
    expect(page.get_by_role("button", name="Remove the filter")).to_be_visible()
    page.go_back()
    stack.standin.clear_faults()
    expect(view.locator(".job-state")).to_have_text(re.compile("^Indexed"), timeout=180_000)
    expect(progress).to_have_attribute("aria-valuenow", "120")

    stored = stack.get("/api/jobs", user).json()["jobs"][0]
    for state in ("unavailable", "no_transcript"):
        problems = view.locator(f'.problems[data-state="{state}"]')
        expect(problems.locator("summary")).to_contain_text(f"({stored['counts'][state]})")
        problems.locator("summary").click()
        expect(problems.locator("li")).to_have_count(stored["counts"][state])
    expect(view.locator(".reason").first).to_contain_text(re.compile(r"private|deleted|no longer|members"))
    picture(page, "job-done")

    listed = stack.get(f"/api/jobs/{stored['job_id']}/videos", user, params={"state": "indexed"}).json()
    video_id = listed["videos"][0]["video_id"]
    phrase = generate.phrase_of(video_id)
    page.keyboard.press("/")
    page.keyboard.type(f'"{phrase.text}"')
    second = int(phrase.start)
    link = page.locator(f'[data-key="{video_id}:{second}"]')
    expect(link.locator("time")).to_have_text(f"0:{second // 60:02}:{second % 60:02}")
    expect(link.locator("mark").first).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="1 video")).to_be_visible()


def test_what_is_no_playlist_is_said_where_it_was_typed(open_page: Open, user: str) -> None:
    page = open_page(user)
    field = page.get_by_label("Playlist URL or id")
    for playlist, said in [
        ("nonsense", "Expected a playlist id"),
        ("", "found nothing"),
        ("https://www.youtube.com/watch?v=abcdefghijk", "has no list="),
        ("https://example.com/?list=PLyts-sample-talks", "which is neither"),
    ]:
        start(page, playlist)
        expect(page.locator("#start-error")).to_contain_text(said)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
    # Loading the page, or signing in again, does not lose it.
    page.reload()
    expect(field).to_have_value("https://example.com/?list=PLyts-sample-talks")
    start(page, "PLnobody-knows-this")
    expect(page.locator("#start-error")).to_be_empty()
    expect(field).to_have_value("")
    shown = card(page, "PLnobody-knows-this")
    expect(shown).to_contain_text("Could not be indexed", timeout=60_000)
    expect(shown.locator("p.error").last).not_to_be_empty()
    picture(page, "library-no-such-playlist")
    shown.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Nothing to search yet")).to_be_visible()


def test_a_job_is_cancelled_and_a_playlist_removed(stack: Stack, open_page: Open, user: str) -> None:
    videos = spoken(stack, user, 3)
    stack.standin.fault("hang", videos=[videos[0]], seconds=15)
    page = open_page(user)
    start(page, f"PL{user}")
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
    expect(view.locator(".numbers .pending")).to_have_text("left out1")
    view.get_by_role("link", name="All playlists").click()
    search(page, "words")
    expect(hits(page)).to_have_count(2)
    page.go_back()
    shown.get_by_role("button", name="Remove").click()
    picture(page, "confirm")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(shown).to_have_count(0)
    search(page, "words")
    expect(page.get_by_text("No video has")).to_be_visible()


def test_what_failed_is_said_and_tried_again(stack: Stack, open_page: Open, user: str) -> None:
    videos = spoken(stack, user, 3)
    stack.standin.fault("5xx", videos=[videos[1]])
    job_id = stack.index(f"PL{user}", user)
    page = open_page(user, f"/?job={job_id}")
    expect(page.locator(".job-state")).to_have_text("Indexing 2 / 3", timeout=60_000)
    # As Pub/Sub does after the last of many deliveries; its backoff would take two minutes.
    stack.publish("dead-letters", {"job_id": job_id, "video_id": videos[1]})
    failed = page.locator('.problems[data-state="failed"] li')
    expect(failed).to_contain_text(f"Spoken {videos[1]}", timeout=60_000)
    expect(failed.locator(".reason")).to_contain_text("Given up after")
    picture(page, "job-failed")
    page.get_by_role("link", name="Library").click()
    expect(card(page, f"PL{user}")).to_contain_text("1 failed")
    page.go_back()
    stack.standin.clear_faults()
    page.get_by_role("button", name="Retry failed").click()
    expect(page.locator(".numbers .indexed")).to_have_text("indexed3", timeout=60_000)
    expect(failed).to_have_count(0)
    expect(page.locator(".job-state")).to_contain_text("Indexed")


def test_a_job_that_is_not_among_the_recent_ones_is_followed(
    stack: Stack, open_page: Open, user: str
) -> None:
    videos = spoken(stack, user, 3)
    stack.standin.fault("5xx", videos=[videos[1]])
    job_id = stack.index(f"PL{user}", user)
    stack.wait_for(lambda: stack.job(job_id, user)["counts"]["indexed"] == 2, 60, "two are indexed")
    page = open_page(None)
    page.route("**/api/jobs", lambda route: route.fulfill(json={"jobs": []}))
    page.goto(f"{stack.url}/#token={stack.token(user)}")
    shown = card(page, f"PL{user}")
    expect(shown).to_contain_text("Indexing 2 / 3")
    stack.standin.clear_faults()
    expect(shown).to_contain_text("Indexed just now", timeout=180_000)


def test_speed_rest_and_cost_are_told(stack: Stack, open_page: Open, reader: str) -> None:
    job = stack.get("/api/jobs", reader).json()["jobs"][0]
    running = {**job, "state": "running", "finished_at": None, "total": 3000, "eta_seconds": 9000}
    asked: list[int] = []

    def later(route: Route) -> None:
        asked.append(20 * len(asked))
        counts = {"indexed": asked[-1], "no_transcript": 0, "unavailable": 0, "failed": 0}
        counts["pending"] = 3000 - asked[-1]
        route.fulfill(json={**running, "counts": counts, "youtube_bytes": 5_300_000})

    page = open_page(None)
    page.route("**/api/jobs/*", later)
    page.goto(f"{stack.url}/?job={job['job_id']}#token={stack.token(reader)}")
    line = page.locator(".job-line")
    # What this page has seen of late, not the mean of the whole job.
    expect(line).to_contain_text(re.compile(r"[\d.]+ videos/s · (about \d+ (s|min)|a few seconds) left"))
    cost = "5.3 MB from YouTube; a paid proxy would take about $0.02"
    expect(page.locator("#view-job")).to_contain_text(cost)


def test_a_blocked_address_is_said_until_it_is_over(stack: Stack, open_page: Open, reader: str) -> None:
    """What the page makes of it; tests/faults blocks real addresses, which would pause all other tests."""
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
    trouble = page.get_by_role("status").filter(has_text="It goes on by itself at 10:42")
    expect(trouble).to_be_visible()
    picture(page, "job-blocked")
    answers.append(job)
    expect(trouble).to_have_count(0)
    expect(page.locator(".job-state")).to_contain_text("Indexed")
