"""Watching a video beside its words in Chromium, on a whole local run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.page import Open, accessible, hits, picture, search, until
from tests.stack import Stack

pytestmark = pytest.mark.stack

_VIDEO = "hNi6jQj9BOA"  # Compost Is a Slow Fire


#: A line is spoken for some seconds only, which may be over before a slow machine looks.
_HEAR = """() => {
  window.heard = new Set();
  const told = (all) => all.forEach(({target}) => target.ariaCurrent && heard.add(target));
  const changes = {subtree: true, attributes: true, attributeFilter: ["aria-current"]};
  new MutationObserver(told).observe(document.querySelector(".lines"), changes);
}"""


def _hears(page: Page, line: Locator) -> None:
    until(page, lambda: line.evaluate("line => heard.has(line)"), "the line is spoken")


def _player(page: Page) -> Any:
    return page.frame_locator(".player iframe")


def test_a_moment_plays_beside_its_words(stack: Stack, open_page: Open, reader: str) -> None:
    page = open_page(reader, f"/?v={_VIDEO}&q=heap&t=60")
    expect(page.get_by_role("heading", name="Compost Is a Slow Fire")).to_be_focused()
    # Nothing is asked of YouTube's player before a click.
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
    # The line being spoken is shown, and followed.
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
    picture(page, "watch")

    page.evaluate(_HEAR)
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
    _hears(page, line)

    page.keyboard.press("k")
    expect(_player(page).locator("#toggle")).to_have_text("Play")
    page.locator(".lines a").first.click()
    _hears(page, page.locator(".lines a").first)
    # By keyboard: down two lines, and play there.
    page.locator(".lines a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    _hears(page, page.locator(".lines a").nth(2))

    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{stack.url}/?q=compost+OR+heap")
    expect(link).to_be_focused()
    expect(page.locator("iframe")).to_have_count(0)


def test_words_are_taken_along(stack: Stack, open_page: Open, reader: str) -> None:
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


def test_without_a_player_the_words_and_the_link_work(open_page: Open, reader: str) -> None:
    page = open_page(reader)
    page.route("**/embed/**", lambda route: route.abort())
    search(page, "heap")
    hits(page).locator(f'[data-key^="{_VIDEO}:"]').first.click()
    trouble = page.get_by_role("status").filter(has_text="does not load here")
    expect(trouble).to_be_visible()
    link = page.get_by_role("link", name="YouTube has the video")
    expect(link).to_have_attribute("href", re.compile(rf"v={_VIDEO}&t=\d+s"))
    picture(page, "watch-no-player")
    page.keyboard.press("n")
    expect(page.locator(".match-status")).to_contain_text("Match 2")
    # A video that is not here says so, and where it may be.
    page.goto(page.url.split("?")[0] + "?v=notavideo00")
    expect(page.get_by_role("heading", name="This video is not here")).to_be_visible()
    accessible(page)


def test_a_very_long_transcript_is_read_at_once(stack: Stack, open_page: Open, user: str) -> None:
    video_id = f"{user[-8:]:z<8}lng"
    lines = [
        [2 * number, 2, f"line {number} of many" + " needle" * (number == 8000)] for number in range(9000)
    ]
    tracks = [{"language": "en", "lines": lines}]
    stack.standin.define(
        videos=[{"id": video_id, "title": "Long", "duration": 18000, "tracks": tracks}],
        playlists=[{"id": f"PLlong-{user}", "videos": [video_id]}],
    )
    stack.finish(stack.index(f"PLlong-{user}", user), user)
    page = open_page(user, f"/?v={video_id}&q=needle")
    expect(page.locator(".lines a")).to_have_count(9000)
    expect(page.locator(".lines .match")).to_be_in_viewport()
    expect(page.locator(".lines .match")).to_contain_text("4:26:40")
