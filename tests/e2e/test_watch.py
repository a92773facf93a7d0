"""The video view in Chromium: the player beside the transcript."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.page import (
    Open,
    assert_accessible,
    expect_quote,
    hits,
    index_video,
    player,
    player_time,
    screenshot,
    search,
    wait_until,
)
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


def _start_of(link: Locator) -> float:
    """The start in the address of a moment or line."""
    (start,) = parse_qs(urlsplit(link.get_attribute("href") or "").query)["t"]
    return float(start)


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
    second = _start_of(link)
    link.click()
    clock = player(page).locator("#clock")
    expect(clock).to_have_text(re.compile(r"\d:\d\d"))
    minutes, seconds = clock.inner_text().split(":")
    assert int(second) <= int(minutes) * 60 + int(seconds) <= second + 60
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
    expect(page).to_have_url(f"{stack.url}{line.get_attribute('href')}")
    _expect_spoken(page, line)

    page.keyboard.press("k")
    expect(player(page).locator("#toggle")).to_have_text("Play")
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
    page = open_page(reader, f"/?v={_VIDEO}&q=%22a+fire+that+happens+to+be+wet%22")
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
    for name, ending, params in (
        ("Text", "txt", {}),
        ("Text with times", "txt", {"times": "1"}),
        ("Markdown", "md", {}),
        ("Subtitles (SRT)", "srt", {}),
        ("Subtitles (WebVTT)", "vtt", {}),
    ):
        page.locator(".tools summary").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        assert download.value.suggested_filename == f"{_VIDEO}.{ending}"
        expected = stack.get(f"/api/videos/{_VIDEO}", reader, params={"format": ending, **params}).content
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


def _expect_player(page: Page, second: float) -> None:
    wait_until(page, lambda: second <= player_time(page) < second + 60, f"the player is at {second} s")


_DESCRIPTION = """0:00 Begin
1:30 Setup (see https://example.org/a_(b)?t=2:10&u=1.)
At 1:02:03, and 75:30. Not 1:5, 12:34:56:78, v1:30 or 3.1:20
www.example.com/x, javascript:alert(1) <a href="https://evil.example">x</a> ftp://example.org"""


def test_times_of_a_description_seek_and_addresses_are_links(
    stack: Stack, open_page: Open, user: str
) -> None:
    lines = [[0, 2, "needle one"], [58.3, 2, "hay"], [89.5, 2, "set"], [91, 2, "up"], [4000, 2, "needle two"]]
    video_id = index_video(stack, user, lines, duration=5000, description=_DESCRIPTION)
    page = open_page(user, f"/?v={video_id}&q=needle")
    page.on("dialog", lambda dialog: pytest.fail("a script from a description ran"))
    page.get_by_text("Description", exact=True).click()
    about = page.locator(".about p")
    expect(about).to_have_text(_DESCRIPTION)
    assert about.evaluate("about => [...about.querySelectorAll(':not(a)')].length") == 0
    links = about.locator("a")
    expect(links).to_have_text(
        [
            *("0:00", "1:30", "https://example.org/a_(b)?t=2:10&u=1", "1:02:03", "75:30"),
            *("www.example.com/x", "https://evil.example"),
        ]
    )
    for text, address in (
        ("https://example.org/a_(b)?t=2:10&u=1", "https://example.org/a_(b)?t=2:10&u=1"),
        ("www.example.com/x", "https://www.example.com/x"),
    ):
        link = about.get_by_role("link", name=text, exact=True)
        expect(link).to_have_attribute("href", address)
        expect(link).to_have_attribute("target", "_blank")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert_accessible(page)
    for text, second in (("1:30", 90), ("1:02:03", 3723), ("75:30", 4530), ("0:00", 0)):
        about.get_by_role("link", name=text, exact=True).click()
        expect(page).to_have_url(f"{stack.url}/?v={video_id}&t={second}&q=needle")
        _expect_player(page, second)
    expect(page.locator(".match-status")).to_have_text("Match 1 of 2")
    # The address alone does the same, and the quote is of the line that is spoken then.
    other = open_page(user, f"/?v={video_id}&t=90&q=needle")
    expect(other.locator(".match-status")).to_have_text("Match 1 of 2")
    expect_quote(other, "set up")


def test_a_video_that_is_gone_from_youtube_is_marked(open_page: Open, reader: str) -> None:
    page = open_page(reader)
    sentence = "No longer on YouTube; kept here as it was indexed"
    mark = page.locator("main .facts:visible").get_by_text(sentence)

    def mark_all(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        for each in found.get("hits", [found]):
            each["gone"] = True
        route.fulfill(response=answer, json=found)

    search(page, "heap")
    expect(mark).to_have_count(0)
    page.route(re.compile(r"/api/(search|videos/[^/?]+)\?"), mark_all)
    search(page, "compost")
    expect(mark).to_have_count(hits(page).count())
    hits(page).first.locator("h2 a").click()
    expect(page.locator(".lines a").first).to_be_visible()
    expect(mark).to_have_count(1)
    assert_accessible(page)


def test_a_video_and_its_playlist_can_be_fetched_again(stack: Stack, open_page: Open, user: str) -> None:
    video_id = index_video(stack, user, [[0, 2, "what was heard"]])

    def correct(text: str) -> None:
        tracks = [{"language": "en", "lines": [[0, 2, text]]}]
        stack.fake_youtube.define(videos=[{"id": video_id, "tracks": tracks}])

    def text() -> str:
        lines = stack.get(f"/api/videos/{video_id}", user).json()["lines"]
        return " ".join(line["text"] for line in lines)

    page = open_page(user, f"/?v={video_id}")
    expect(page.locator(".lines")).to_contain_text("what was heard")
    correct("what was meant")
    page.get_by_role("button", name="Fetch again").click()
    expect(page.locator("#toast")).to_contain_text("YouTube is asked again")
    stack.wait_for(lambda: text() == "what was meant", 60, "the video was fetched again")
    page.reload()
    expect(page.locator(".lines")).to_contain_text("what was meant")
    # Beyond the user's share, the page shows the server's sentence.
    detail = "You have had 500 videos fetched again today. Try again tomorrow."
    problem = {"title": "Too many requests", "status": 429, "detail": detail}
    page.route(
        "**/api/videos/*/fetch",
        lambda route: route.fulfill(status=429, content_type="application/problem+json", json=problem),
    )
    page.get_by_role("button", name="Fetch again").click()
    expect(page.locator("#toast")).to_have_text(detail)

    page.goto(stack.url)
    correct("what was meant in the end")
    with page.expect_response("**/api/index") as answer:
        page.locator(".card").get_by_role("button", name="Fetch again").click()
    assert answer.value.status == 202
    assert answer.value.request.post_data_json == {"playlist": f"PLown-{user}", "again": True}
    stack.finish(answer.value.json()["job_id"], user)
    assert text() == "what was meant in the end"
