"""Chapters in the page; lines are kept as clips, found again, exported and opened, in Chromium."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page import (
    Open,
    assert_accessible,
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

_LINES = [[number * 4, 4, f"line {number} about the harbour"] for number in range(15)]
_DESCRIPTION = "Boats.\n\n0:00 Casting off\n0:20 A zephyr\n0:40 Mooring"


def _watch(stack: Stack, open_page: Open, user: str, **options: Any) -> tuple[Page, str]:
    video_id = index_video(stack, user, _LINES, description=_DESCRIPTION, duration=60)
    page = open_page(user, f"/?v={video_id}", **options)
    expect(page.locator(".lines a")).to_have_count(len(_LINES))
    return page, video_id


def _export(page: Page, name: str) -> str:
    page.locator("#view-clips summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return download.value.path().read_text(encoding="utf-8")


def test_chapters_are_found_and_shown(stack: Stack, open_page: Open, user: str) -> None:
    page, video_id = _watch(stack, open_page, user)
    expect(page.locator(".chapter")).to_have_text(["Casting off", "A zephyr", "Mooring"])
    expect(
        page.locator(".chapter", has_text="zephyr").locator("xpath=following-sibling::*[1]")
    ).to_contain_text("line 5 ")
    menu = page.locator(".chapters summary")
    expect(menu).to_contain_text("Casting off")
    menu.click()
    assert_accessible(page)
    page.get_by_role("button", name="Mooring").click()
    expect(menu).to_contain_text("Mooring")
    wait_until(page, lambda: player_time(page) >= 40, "the chapter is played")
    expect(page.locator(".lines [aria-current]")).to_contain_text(re.compile(r"line 1\d"))

    search(page, "zephyr")
    (moment,) = hits(page).locator(".moments a").all()
    expect(moment).to_contain_text("A zephyr")
    moment.click()
    expect(player(page).locator("#clock")).to_have_text(re.compile(r"0:2\d"))
    expect(page.locator(".chapter mark")).to_have_text(["zephyr"])
    assert parse_qs(urlsplit(page.url).query)["v"] == [video_id]


def test_lines_are_kept_with_the_keyboard_found_exported_and_opened_again(
    stack: Stack, open_page: Open, user: str
) -> None:
    page, video_id = _watch(stack, open_page, user)
    page.locator(".lines a").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    form = page.get_by_role("region", name="New clip")
    expect(form).to_contain_text("1 line, 0:00:20 to 0:00:24")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(form).to_contain_text("3 lines, 0:00:20 to 0:00:32")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator(".lines .kept")).to_have_count(2)
    assert_accessible(page)
    screenshot(page, "clip-form")
    form.get_by_label("Note").fill("Why *here*?")
    form.get_by_label("Tags").fill("Harbours, to read")
    page.keyboard.press("Enter")
    expect(form).to_have_count(0)
    # With the mouse: the line that was chosen last, and Shift. Escape gives up.
    page.locator(".lines a").nth(8).click()
    page.locator(".lines a").nth(10).click(modifiers=["Shift"])
    expect(form).to_contain_text("3 lines")
    # What was written is not lost without a question, nor to an input method that closes its list.
    note, dialog = form.get_by_label("Note"), page.get_by_role("dialog")
    note.fill("A thought")
    note.dispatch_event("keydown", {"key": "Escape", "isComposing": True, "bubbles": True})
    expect(dialog).to_have_count(0)
    note.press("Escape")
    dialog.get_by_role("button", name="Keep").click()
    expect(note).to_have_value("A thought")
    page.locator(".lines a").nth(8).press("Escape")
    dialog.get_by_role("button", name="Keep").click()
    note.fill("")
    note.press("Escape")
    expect(form).to_have_count(0)

    page.get_by_role("link", name="Clips", exact=True).click()
    clip = page.locator(".clip")
    expect(clip.locator("blockquote")).to_have_text("line 5 about the harbour line 6 about the harbour")
    page.get_by_label("Search clips").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_label("Search clips").fill("WHY harbours")
    page.keyboard.press("Enter")
    expect(clip).to_have_count(1)
    page.locator(".tags button", has_text="to read").click()
    expect(page.locator(".tags [aria-pressed=true]")).to_contain_text("to read")
    expect(clip).to_have_count(1)
    assert_accessible(page)
    screenshot(page, "clips")

    text = _export(page, "Markdown")
    assert "> line 5 about the harbour line 6 about the harbour" in text
    assert "#Harbours #to-read" in text
    youtube, ours = re.findall(r"\]\((http[^)]+)\)", text)
    assert youtube == f"https://www.youtube.com/watch?v={video_id}&t=20s"
    assert _export(page, "Spreadsheet").count(video_id) == 3
    page.goto(ours)
    expect(page.locator(".lines .kept")).to_have_count(2)
    expect(page.locator(".lines .kept").first).to_contain_text("line 5 ")
    expect(page.get_by_text("from 0:00:20")).to_be_visible()

    page.goto(f"{stack.url}/?clips")
    clip.get_by_role("button", name="Edit").click()
    clip.get_by_label("Note").fill("Because")
    clip.get_by_role("button", name="Save").click()
    expect(clip.locator(".clip-note")).to_have_text("Because")
    # The clip stays when its playlist is removed.
    assert stack.request("DELETE", f"/api/playlists/PLown-{user}", user).status_code == 204
    page.reload()
    expect(clip.locator(".note")).to_contain_text("not in your library any more")
    expect(clip.locator("h2 a")).to_have_count(0)
    clip.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(clip).to_have_count(0)


def test_lines_are_kept_on_a_phone(stack: Stack, open_page: Open, user: str) -> None:
    options: dict[str, Any] = {
        "viewport": {"width": 360, "height": 740},
        "has_touch": True,
        "color_scheme": "dark",
    }
    page, _ = _watch(stack, open_page, user, **options)
    page.get_by_role("button", name="Clip", exact=True).tap()
    form = page.get_by_role("region", name="New clip")
    expect(form).to_contain_text("Choose the first line")
    page.locator(".lines a").nth(1).tap()
    page.locator(".lines a").nth(2).tap()
    expect(form).to_contain_text("2 lines")
    expect(page.locator("iframe")).to_have_count(0)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    screenshot(page, "clip-form-phone")
    form.get_by_role("button", name="Save clip").tap()
    expect(form).to_have_count(0)
    page.goto(stack.url)
    page.get_by_role("link", name="Clips", exact=True).tap()
    expect(page.locator(".clip")).to_have_count(1)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
