"""A moment of a search opens at its line, in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page import Open, expect_quote, hits, index_video, player, player_time, search, wait_until
from tests.stack import Stack

pytestmark = pytest.mark.stack


def _expect_moment(page: Page, number: int, of: int, start: float, text: str) -> None:
    """The page shows this match, marks its line, has its tab stop there and quotes it."""
    expect(page.locator(".match-status")).to_have_text(f"Match {number} of {of}")
    line = page.locator(".lines .match")
    expect(line).to_have_count(1)
    expect(line.locator("span")).to_have_text(text)
    expect(line).to_have_attribute("tabindex", "0")
    expect(page.locator(".lines [tabindex='0']")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"t={re.escape(f'{start:.10g}')}(&|$)"))


def _pause(page: Page, start: float) -> float:
    """Pauses the fake player once it has come to ``start``. Returns the seconds at which it is."""
    toggle = player(page).locator("#toggle")
    expect(toggle).to_have_text("Pause")
    wait_until(page, lambda: player_time(page) >= start, "the player is at the moment")
    # The page knows that the player plays.
    expect(page.locator(".lines [aria-current]")).to_have_count(1)
    page.keyboard.press("k")
    expect(toggle).to_have_text("Play")
    time = player_time(page)
    assert start <= time < start + 60
    return time


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([(0, "needle one"), (58.3, "hay"), (61.9, "needle two")], id="a fraction"),
        pytest.param([(0, "hay"), (5.1, "needle one"), (5.6, "needle two"), (9, "hay")], id="one second"),
        pytest.param(
            [(0.999, "needle"), (59.999, "needle two"), (60, "hay"), (60.999, "needle three"), (61, "hay")],
            id="just before a second",
        ),
        pytest.param(
            [(0, "hay"), (3.5, "needle one"), (3.5, "needle two"), (3.5, "hay"), (8.04, "needle three")],
            id="at the same time",
        ),
        pytest.param([(0, "a needle"), (0, "needle b"), (0.2, "hay"), (3723.456, "needle c")], id="hours"),
    ],
)
def test_a_moment_opens_at_its_line_again_after_a_reload_and_by_its_link(
    stack: Stack, open_page: Open, user: str, lines: list[tuple[float, str]]
) -> None:
    video_id = index_video(stack, user, [[start, 2, text] for start, text in lines], duration=4000)
    moments = [(start, text) for start, text in lines if "needle" in text]
    page = open_page(user, "/?q=needle")
    links = hits(page).locator(".moments a")
    expect(links).to_have_count(len(moments))
    assert len(set(links.evaluate_all("links => links.map(link => link.dataset.key)"))) == len(moments)
    for number, (start, text) in enumerate(moments, start=1):
        links.nth(number - 1).click()
        _expect_moment(page, number, len(moments), start, text)
        _pause(page, start)
        # The second link of a page does not depend on what was open before.
        page.reload()
        _expect_moment(page, number, len(moments), start, text)
        expect(page.locator("iframe")).to_have_count(0)
        expect_quote(page, text)
        page.keyboard.press("Escape")
        expect(links.nth(number - 1)).to_be_focused()
    shared, other = open_page(user, f"/?v={video_id}&q=needle"), open_page(user)
    for number, (start, text) in enumerate(moments, start=1):
        if number > 1:
            shared.keyboard.press("n")
            _expect_moment(shared, number, len(moments), start, text)
        expect(shared.locator(".match-status")).to_have_text(f"Match {number} of {len(moments)}")
        expect_quote(shared, text)
        other.goto(shared.url)
        expect(other.locator(".match-status")).to_have_text(f"Match {number} of {len(moments)}")
        expect_quote(other, text)
    if lines[0] != moments[0]:
        # From a line before all matches, the next one is the first.
        shared.locator(".lines a").first.click()
        shared.keyboard.press("n")
        _expect_moment(shared, 1, len(moments), *moments[0])


def test_an_old_address_opens_the_last_line_before_its_second(
    stack: Stack, open_page: Open, user: str
) -> None:
    lines = [[0, 2, "needle one"], [58.3, 2, "hay"], [61.9, 2, "needle two"], [90, 2, "last"]]
    video_id = index_video(stack, user, lines, duration=100)
    page = open_page(user)
    for address, status, quote in [
        ("t=61", "Match 1 of 2", "hay"),
        ("t=62", "Match 2 of 2", "needle two"),
        ("t=61.9", "Match 2 of 2", "needle two"),
        ("t=61.9&line=1", "Match 2 of 2", "needle two"),
        ("t=90&line=99", "Match 2 of 2", "last"),
        ("t=-5", "Match 1 of 2", "needle one"),
        ("t=soon&line=x", "Match 1 of 2", "needle one"),
        ("t=1e999", "Match 1 of 2", "needle one"),
        ("t=9999999", "Match 2 of 2", "last"),
        ("t=62s", "Match 2 of 2", "needle two"),
    ]:
        page.goto(f"{stack.url}/?v={video_id}&q=needle&{address}")
        expect(page.locator(".match-status")).to_have_text(status)
        expect_quote(page, quote)


#: With one hit and eight, in two languages of captions, with a hit that has no moment, and with an operator.
_SEARCHES = ("chess", "compost", "garden", "moon", "light", "river OR bread")


def test_every_moment_of_a_search_opens_at_its_line(stack: Stack, open_page: Open, reader: str) -> None:
    page = open_page(reader)
    seen, played = 0, set[str]()
    for q in _SEARCHES:
        search(page, q)
        answer = stack.search(q, reader, limit=20)["hits"]
        for hit in answer:
            address = f"/api/videos/{hit['video_id']}"
            video = stack.get(address, reader, params={"q": q}).json()
            matches = video["matches"]["moments"]
            for moment in hit["moments"]:
                line = video["lines"][moment["line"]]
                assert line["start"] == moment["start"]
                key = f"{hit['video_id']}:{moment['start']:.10g}"
                link = hits(page).locator(f'[data-key="{key}"]')
                link.click()
                number = matches.index(moment["line"]) + 1
                _expect_moment(page, number, len(matches), moment["start"], line["text"])
                if hit["video_id"] not in played:
                    played.add(hit["video_id"])
                    time = _pause(page, moment["start"])
                    spoken = [line["text"] for line in video["lines"] if line["start"] <= time]
                    expect_quote(page, spoken[-1])
                page.keyboard.press("Escape")
                expect(link).to_be_focused()
                seen += 1
    assert seen > 25, seen
