"""The video view in Chromium: the player beside the transcript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.page import Open, assert_accessible, hits, screenshot, search, wait_until
from tests.stack import Stack

pytestmark = pytest.mark.stack

_VIDEO = "hNi6jQj9BOA"  # Compost Is a Slow Fire

#: Records every line that the page marks as spoken: the mark may be gone before a slow machine looks.
_RECORD_SPOKEN_LINES = """() => {
  window.spoken = new Set();
  const record = (changes) => changes.forEach(({target}) => target.ariaCurrent && spoken.add(target));
  const options = {subtree: true, attributes: true, attributeFilter: ["aria-current"]};
  new MutationObserver(record).observe(document.querySelector(".lines"), options);
}"""


def _expect_spoken(page: Page, line: Locator) -> None:
    wait_until(page, lambda: line.evaluate("line => spoken.has(line)"), "the line is marked as spoken")


def _player(page: Page) -> Any:
    return page.frame_locator(".player iframe")


def test_a_search_result_plays_at_its_moment_and_the_transcript_follows(
    stack: Stack, open_page: Open, reader: str
) -> None:
    page = open_page(reader, f"/?v={_VIDEO}&q=heap&t=60")
    expect(page.get_by_role("heading", name="Compost Is a Slow Fire")).to_be_focused()
    # YouTube's player is loaded only after a click.
    expect(page.locator("iframe")).to_have_count(0)
    expect(page.get_by_text("from 0:01:00")).to_be_visible()

    search(page, "compost OR heap")
    link = hits(page).locator(f'[data-key^="{_VIDEO}:"]').first
    second = int((link.get_attribute("data-key") or "").split(":")[1])
    link.click()
    clock = _player(page).locator("#clock")
    expect(clock).to_have_text(re.compile(r"\d:\d\d"))
    minutes, seconds = clock.inner_text().split(":")
    assert second <= int(minutes) * 60 + int(seconds) <= second + 60
    # The transcript scrolls to the spoken line.
    current = page.locator(".lines [aria-current]")
    expect(current).to_be_in_viewport()
    matches = stack.get(f"/api/videos/{_VIDEO}", reader, params={"q": "compost OR heap"}).json()["matches"]
    moments = len(matches["moments"])
    assert moments > 2
    status = page.locator(".match-status")
    expect(status).to_have_text(f"Match 1 of {moments}")
    marked = page.locator(".lines mark")
    expect(marked.first).to_be_visible()
    assert page.locator(".lines li:has(mark)").count() == len(matches["marked"])
    screenshot(page, "watch")

    page.evaluate(_RECORD_SPOKEN_LINES)
    page.keyboard.press("n")
    expect(status).to_have_text(f"Match 2 of {moments}")
    page.get_by_role("button", name="Next match").click()
    expect(status).to_have_text(f"Match 3 of {moments}")
    page.keyboard.press("p")
    expect(status).to_have_text(f"Match 2 of {moments}")
    line = page.locator(".lines a").nth(matches["moments"][1])
    expect(line).to_have_class("match")
    start = (line.get_attribute("href") or "").removeprefix("#")
    expect(page).to_have_url(re.compile(rf"t={start}\b"))
    _expect_spoken(page, line)

    page.keyboard.press("k")
    expect(_player(page).locator("#toggle")).to_have_text("Play")
    page.locator(".lines a").first.click()
    _expect_spoken(page, page.locator(".lines a").first)
    # With the keyboard: go down two lines, and play from there.
    page.locator(".lines a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    _expect_spoken(page, page.locator(".lines a").nth(2))

    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{stack.url}/?q=compost+OR+heap")
    expect(link).to_be_focused()
    expect(page.locator("iframe")).to_have_count(0)


def test_links_and_quotes_can_be_copied_and_transcripts_downloaded(
    stack: Stack, open_page: Open, reader: str
) -> None:
    page = open_page(reader, f"/?v={_VIDEO}&q=%22a+fire+that+happens+to+be+wet%22&t=18")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#toast")).to_contain_text("0:00:18")
    assert (
        page.evaluate("navigator.clipboard.readText()") == f"https://www.youtube.com/watch?v={_VIDEO}&t=18s"
    )
    page.get_by_role("button", name="Copy quote").click()
    expect(page.locator("#toast")).to_contain_text("quote")
    quote = page.evaluate("navigator.clipboard.readText()")
    assert "a fire that happens to be wet" in quote
    assert quote.endswith(f"(Compost Is a Slow Fire, 0:00:18) https://www.youtube.com/watch?v={_VIDEO}&t=18s")
    for name, ending in (("Text", "txt"), ("SRT", "srt"), ("WebVTT", "vtt")):
        page.locator(".tools summary").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        expected = stack.get(f"/api/videos/{_VIDEO}", reader, params={"format": ending}).content
        assert download.value.path().read_bytes() == expected


def test_without_the_player_the_transcript_and_the_youtube_link_work(open_page: Open, reader: str) -> None:
    page = open_page(reader)
    page.route("**/embed/**", lambda route: route.abort())
    search(page, "heap")
    hits(page).locator(f'[data-key^="{_VIDEO}:"]').first.click()
    problem = page.get_by_role("status").filter(has_text="could not be loaded")
    expect(problem).to_be_visible()
    link = page.get_by_role("link", name="watch it on YouTube")
    expect(link).to_have_attribute("href", re.compile(rf"v={_VIDEO}&t=\d+s"))
    screenshot(page, "watch-no-player")
    page.keyboard.press("n")
    expect(page.locator(".match-status")).to_contain_text("Match 2")
    # An unknown video shows an error and a link to YouTube.
    page.goto(page.url.split("?")[0] + "?v=notavideo00")
    expect(page.get_by_role("heading", name="This video cannot be shown")).to_be_visible()
    assert_accessible(page)


def test_a_transcript_of_9000_lines_opens_at_its_match(stack: Stack, open_page: Open, user: str) -> None:
    video_id = f"{user[-8:]:z<8}lng"
    lines = [
        [2 * number, 2, f"line {number} of many" + " needle" * (number == 8000)] for number in range(9000)
    ]
    tracks = [{"language": "en", "lines": lines}]
    stack.fake_youtube.define(
        videos=[{"id": video_id, "title": "Long", "duration": 18000, "tracks": tracks}],
        playlists=[{"id": f"PLlong-{user}", "videos": [video_id]}],
    )
    stack.finish(stack.index(f"PLlong-{user}", user), user)
    page = open_page(user, f"/?v={video_id}&q=needle")
    expect(page.locator(".lines a")).to_have_count(9000)
    expect(page.locator(".lines .match")).to_be_in_viewport()
    expect(page.locator(".lines .match")).to_contain_text("4:26:40")
