"""The page in Chromium, on a whole local run: what one does with it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from infra.local.standin import generate
from tests.e2e.page import SAMPLE, Open, picture, spoken, start
from tests.stack import Stack

pytestmark = pytest.mark.stack


def test_a_playlist_is_started_watched_and_searched(stack: Stack, open_page: Open, user: str) -> None:
    stack.standin.latency(player=0.4)
    page = open_page(user)
    # The token is not left where it would be copied or kept.
    expect(page).to_have_url(f"{stack.url}/")
    expect(page.get_by_text("Nothing to search yet")).to_be_visible()

    playlist = f"PLgen-150-{user.replace('-', '')}-short-mixed"
    start(page, f"https://www.youtube.com/playlist?list={playlist}")
    job = page.locator(".job")
    progress = job.get_by_role("progressbar")
    expect(progress).to_have_attribute("aria-valuemax", "150", timeout=20_000)
    expect(job).to_contain_text("to go")
    expect(job).to_contain_text(re.compile("left"))
    picture(page, "progress")
    seen = int(progress.get_attribute("aria-valuenow") or 0)
    assert 0 <= seen < 150
    expect(job).to_contain_text("Done", timeout=60_000)
    expect(progress).to_have_attribute("aria-valuenow", "150")

    stored = stack.get("/api/jobs", user).json()["jobs"][0]
    counts = stored["counts"]
    expect(job).to_contain_text(f"{counts['indexed']} of 150 videos indexed")
    expect(job.locator("summary")).to_have_text(
        f"{counts['unavailable']} unavailable, {counts['no_transcript']} without captions"
    )
    job.locator("summary").click()
    expect(job.locator(".problems li")).to_have_count(counts["unavailable"] + counts["no_transcript"])
    expect(job.locator(".problems li").first).to_contain_text(
        re.compile(r"private|deleted|no longer|members")
    )
    picture(page, "problems")

    # What is on the screen is not what is remembered.
    page.reload()
    expect(page.locator(".job")).to_contain_text("Done")

    listed = stack.get(f"/api/jobs/{stored['job_id']}/videos", user, params={"state": "indexed"}).json()
    video_id = listed["videos"][0]["video_id"]
    phrase = generate.phrase_of(video_id)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(f'"{phrase.text}"')
    link = page.locator(f'[data-video-id="{video_id}"] .moments a')
    second = int(phrase.start)
    expect(link).to_have_attribute("href", f"https://www.youtube.com/watch?v={video_id}&t={second}s")
    expect(link.locator("time")).to_have_text(f"0:{second // 60:02}:{second % 60:02}")
    expect(link.locator("mark").first).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="1 video")).to_be_visible()

    # A search can be sent to somebody, and come back to.
    expect(page).to_have_url(re.compile(r"/\?q=%22"))
    page.reload()
    expect(link).to_be_visible()
    page.get_by_role("searchbox").fill("")
    expect(page.get_by_text("these words in this order")).to_be_visible()
    expect(page).to_have_url(f"{stack.url}/")


def test_without_a_token_one_is_asked_for(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(None)
    field = page.get_by_label("API token")
    expect(field).to_be_focused()
    expect(page.get_by_text("./emulators.sh token")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_hidden()
    expect(page.locator("#locked-error")).to_be_empty()
    field.fill("yts_not-a-token")
    field.press("Enter")
    expect(page.get_by_text("not, or no longer, valid")).to_be_visible()
    field.fill(f" {stack.token(user)} ")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("searchbox")).to_be_visible()
    # Loading again asks nothing; an address with a token, in the same tab, is taken too.
    page.reload()
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.evaluate("sessionStorage.clear()")
    page.reload()
    expect(field).to_be_visible()
    page.goto(f"{stack.url}/#token={stack.token(user)}")
    expect(page.get_by_role("searchbox")).to_be_visible()
    expect(page).to_have_url(f"{stack.url}/")


@pytest.mark.parametrize(
    ("playlist", "said"),
    [
        ("nonsense", "Expected a playlist id"),
        ("", "found nothing"),
        ("https://www.youtube.com/watch?v=abcdefghijk", "has no list="),
        ("https://example.com/?list=PLyts-sample-talks", "which is neither"),
    ],
)
def test_what_is_no_playlist_is_said_where_it_was_typed(
    open_page: Open, user: str, playlist: str, said: str
) -> None:
    page = open_page(user)
    start(page, playlist)
    expect(page.locator("#start-error")).to_contain_text(said)
    field = page.get_by_label("Playlist URL or id")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".job")).to_have_count(0)
    # And it is gone when there is nothing wrong any more.
    start(page, "PLdemo-shared")
    expect(page.locator(".job")).to_have_count(1)
    expect(page.locator("#start-error")).to_be_empty()


def test_a_playlist_that_does_not_exist_ends_with_its_reason(open_page: Open, user: str) -> None:
    page = open_page(user)
    start(page, "PLnobody-knows-this")
    expect(page.locator(".job")).to_contain_text("Could not be indexed", timeout=30_000)
    expect(page.locator(".job .error")).not_to_be_empty()
    picture(page, "no-such-playlist")


def test_what_failed_is_tried_again(stack: Stack, open_page: Open, user: str) -> None:
    videos = spoken(stack, user, 3)
    stack.standin.fault("5xx", videos=[videos[1]])
    page = open_page(user)
    start(page, f"PL{user}")
    job = page.locator(".job")
    # Until Pub/Sub has delivered it as often as the description says.
    expect(job).to_contain_text("1 failed", timeout=120_000)
    expect(job).to_contain_text("2 of 3 videos indexed")
    job.locator("summary").click()
    expect(job.locator('.problems [data-state="failed"]')).to_contain_text(f"Spoken {videos[1]}")
    expect(job.locator('.problems [data-state="failed"] .reason')).not_to_be_empty()
    picture(page, "failed")
    stack.standin.clear_faults()
    job.get_by_role("button", name="Try the failed ones again").click()
    expect(job).to_contain_text("3 of 3 videos indexed", timeout=30_000)
    expect(job).to_contain_text("Done")
    expect(job.locator(".problems")).to_be_hidden()


def test_a_job_is_cancelled(stack: Stack, open_page: Open, user: str) -> None:
    videos = spoken(stack, user, 3)
    stack.standin.fault("hang", videos=[videos[0]], seconds=15)
    page = open_page(user)
    start(page, f"PL{user}")
    job = page.locator(".job")
    expect(job).to_contain_text("2 of 3 videos indexed", timeout=30_000)
    expect(job).to_contain_text("1 to go")
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_contain_text("Cancelled")
    expect(job.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(job).to_contain_text("1 left out")


def test_text_of_others_stays_text_and_languages_are_told(stack: Stack, open_page: Open, user: str) -> None:
    evil = "<img src=x onerror=alert(1)>"
    video_id = f"{user[-8:]:y<8}htm"
    stack.standin.define(
        videos=[
            {
                "id": video_id,
                "title": f"Markup {evil}",
                "channel": evil,
                "description": f"About {evil}",
                "tracks": [{"language": "ar", "lines": [[61, 4, "2 < 3 & zanzibarian مرحبا"]]}],
            }
        ],
        playlists=[{"id": f"PLhtml-{user}", "title": f"List {evil}", "videos": [video_id]}],
    )
    page = open_page(user)
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    start(page, f"PLhtml-{user}")
    expect(page.locator(".job")).to_contain_text("Done", timeout=30_000)
    expect(page.locator(".job h3")).to_have_text(f"List {evil}")
    page.get_by_role("searchbox").fill("zanzibarian")
    hit = page.locator(".hit")
    expect(hit.locator("h2")).to_have_text(f"Markup {evil}")
    expect(hit.locator(".channel")).to_have_text(evil)
    snippet = hit.locator(".snippet")
    expect(snippet).to_have_text("2 < 3 & zanzibarian مرحبا")
    expect(snippet).to_have_attribute("lang", "ar")
    expect(snippet).to_have_attribute("dir", "rtl")
    expect(hit.locator("time").last).to_have_text("0:01:01")
    expect(hit.get_by_text("Arabic")).to_be_visible()


def test_only_the_last_of_several_searches_is_shown(stack: Stack, open_page: Open, user: str) -> None:
    stack.finish(stack.index(SAMPLE, user), user)
    page = open_page(user)
    expect(page.locator(".job")).to_contain_text("Done")
    asked: list[str] = []
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/search?*", hold_the_first)
    box = page.get_by_role("searchbox")
    with page.expect_request("**/api/search?q=compost"):
        box.fill("compost")
    box.fill("telescope")
    expect(page.locator(".hit")).not_to_have_count(0)
    (abandoned,) = held
    # Nobody waits for its answer any more; were it shown, the hits would go.
    abandoned.fulfill(json={"total": 0, "hits": [], "cursor": None})
    expect(page.locator(".hit mark").first).to_have_text(re.compile("telescope", re.IGNORECASE))
    assert len(asked) == 2


def test_more_is_loaded_on_demand(stack: Stack, open_page: Open, user: str) -> None:
    stack.finish(stack.index(SAMPLE, user), user)
    total = stack.search("the", user)["total"]
    assert total > 10
    page = open_page(user, "/?q=the")
    expect(page.get_by_role("status").filter(has_text=f"{total} videos")).to_be_visible()
    expect(page.locator(".hit")).to_have_count(10)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".hit")).to_have_count(min(20, total))
    expect(page.locator(".hit").nth(10).locator("h2 a")).to_be_focused()
    ids = page.locator(".hit").evaluate_all("hits => hits.map(hit => hit.dataset.videoId)")
    assert len(set(ids)) == len(ids)


def test_a_server_that_is_away_is_said_and_come_back_to(stack: Stack, open_page: Open, user: str) -> None:
    stack.finish(stack.index("PLdemo-shared", user), user)
    page = open_page(None)
    page.route("**/api/**", lambda route: route.abort())
    page.goto(f"{stack.url}/?q=words#token={stack.token(user)}")
    expect(page.locator("#jobs-error")).to_contain_text("cannot be reached")
    expect(page.locator("#found-error")).to_contain_text("cannot be reached")
    page.unroute("**/api/**")
    expect(page.locator(".job")).to_contain_text("Done")
    expect(page.locator("#jobs-error")).to_be_empty()
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#found-error")).to_be_empty()
