"""Saved searches, their feeds, and read-only links, as people use them in the browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import feedparser
import requests
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.page import (
    Open,
    assert_accessible,
    card,
    define_playlist,
    hits,
    player_time,
    screenshot,
    search,
    wait_until,
)
from tests.stack import Stack

PHONE = {"viewport": {"width": 360, "height": 740}}


def define(stack: Stack, user: str, *names: str) -> list[str]:
    """The playlist ``PL{user}`` with these videos. In each, the lighthouse is mentioned after a minute."""
    lines = [
        [0, 3, "good evening"],
        [61.5, 3, "the lighthouse keeper lights the lamp"],
        [70, 3, "good night"],
    ]
    ids = {name: f"{user[-8:]:v<8}{name[:3]}" for name in names}
    stack.fake_youtube.define(
        videos=[
            {"id": ids[name], "title": f"A {name} evening", "tracks": [{"language": "en", "lines": lines}]}
            for name in names
        ],
        playlists=[
            {"id": f"PL{user}", "title": "Evenings", "videos": list(ids.values()), "privacy": "public"}
        ],
    )
    return list(ids.values())


def saved(page: Page) -> Locator:
    return page.locator("#saved-list li")


def choose(page: Page, action: str) -> None:
    page.get_by_label(re.compile("^Actions for ")).first.click()
    page.locator("#saved-list").get_by_role("button", name=action, exact=True).click()


def test_a_saved_search_tells_what_is_new(open_page: Open, stack: Stack, user: str) -> None:
    define(stack, user, "quiet", "rainy")
    stack.finish(stack.index(f"PL{user}", user), user)
    page = open_page(user)
    expect(page.locator("#saved")).to_be_hidden()
    search(page, "lighthouse")
    page.get_by_role("button", name="Save search").click()
    expect(page.locator("#toast")).to_contain_text("“lighthouse” is saved")
    expect(page.get_by_role("button", name="Saved", exact=True)).to_be_disabled()
    assert_accessible(page)
    page.get_by_role("link", name="Library", exact=True).click()
    expect(saved(page)).to_contain_text("2 videos, nothing new")

    choose(page, "Feed")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make an address").click()
    expect(dialog.locator("code").first).to_be_focused()
    address = dialog.locator("code").first.inner_text()
    dialog.get_by_label("Copy: Atom").click()
    expect(dialog.get_by_role("status")).to_have_text("It is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == address
    assert_accessible(page)
    screenshot(page, "saved-feed")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_label("Actions for lighthouse")).to_be_focused()

    (*_, late) = define(stack, user, "quiet", "rainy", "stormy")
    card(page, f"PL{user}").get_by_role("button", name="Refresh").click()
    badge = page.get_by_role("link", name="1 new", exact=True)
    expect(badge).to_be_visible()
    assert_accessible(page)
    screenshot(page, "saved-library")
    badge.click()
    expect(hits(page)).to_have_count(1)
    expect(hits(page)).to_have_attribute("data-video-id", late)
    expect(page.locator("#found-new")).to_contain_text("New in “lighthouse” since")
    assert_accessible(page)
    screenshot(page, "saved-new")
    new_in = page.url.removeprefix(stack.url)

    # The address is all that a feed reader needs, and the link in it plays at the second.
    answer = requests.get(address, timeout=30)
    again = requests.get(address, headers={"If-None-Match": answer.headers["ETag"]}, timeout=30)
    assert (again.status_code, again.content) == (304, b"")
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    (entry,) = feed.entries
    assert entry.title == "A stormy evening"
    assert "0:01:01 " in entry.content[0].value
    assert entry.link.startswith(stack.url)
    video = open_page(user, entry.link.removeprefix(stack.url))
    video.get_by_role("button", name="Play A stormy evening").click()
    expect(video.locator(".player iframe")).to_be_visible()
    wait_until(video, lambda: player_time(video) >= 61.5, "the video plays from the moment on")
    assert player_time(video) < 90

    # A list of saved searches that comes late delays nothing else.
    waiting: list[Route] = []
    slow = open_page(user, "/?settings")
    slow.route("**/api/searches", lambda route: waiting.append(route))
    slow.goto(stack.url)
    expect(card(slow, f"PL{user}")).to_be_visible()
    search(slow, "evening")
    expect(hits(slow)).to_have_count(3)
    waiting.clear()
    slow.evaluate(
        "url => { const a = document.createElement('a'); a.href = url; document.body.append(a); a.click(); }",
        new_in,
    )
    wait_until(slow, lambda: waiting, "the page asks for the saved searches")
    slow.go_back()
    expect(hits(slow)).to_have_count(3)
    asked: list[str] = []
    slow.on("request", lambda request: asked.append(request.url))
    with slow.expect_response("**/api/searches"):
        waiting.pop().continue_()
    slow.evaluate("fetch('/api/health').then((answer) => answer.text())")
    assert not [url for url in asked if "new_in" in url], "nobody wants that search any more"
    expect(hits(slow)).to_have_count(3)
    expect(slow.locator("#found-new")).to_be_hidden()

    page.get_by_role("button", name="Mark as seen").click()
    expect(hits(page)).to_have_count(3)
    page.get_by_role("link", name="Library", exact=True).click()
    expect(saved(page)).to_contain_text("3 videos, nothing new")


def test_a_saved_search_is_renamed_and_deleted_with_the_keyboard(
    open_page: Open, stack: Stack, user: str
) -> None:
    define_playlist(stack, user, 1)
    stack.finish(stack.index(f"PL{user}", user), user)
    stack.post("/api/searches", user, json={"query": "q=words"})
    page = open_page(user, **PHONE)
    expect(saved(page)).to_contain_text("words")
    screenshot(page, "saved-phone")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Actions for words").focus()
    page.keyboard.press("Enter")
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("What was said")
    page.keyboard.press("Enter")
    expect(saved(page)).to_contain_text("What was said")
    expect(page.get_by_role("heading", name="Saved searches")).to_be_focused()
    choose(page, "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#saved")).to_be_hidden()


def test_a_guest_searches_and_watches_one_source(open_page: Open, stack: Stack, user: str) -> None:
    (video, *_) = define(stack, user, "quiet", "rainy")
    stack.finish(stack.index(f"PL{user}", user), user)
    stack.finish(stack.index("PLyts-sample-talks", user), user)
    owner = open_page(user)
    card(owner, f"PL{user}").get_by_role("button", name="Share").click()
    dialog = owner.get_by_role("dialog")
    dialog.get_by_role("button", name="Make a link").click()
    address = dialog.locator("code").inner_text()
    assert_accessible(owner)
    screenshot(owner, "link-dialog")

    asked: list[str] = []
    guest = open_page(None, **PHONE)
    guest.on("request", lambda request: asked.append(urlsplit(request.url).path))
    guest.goto(address)
    # A change of the fragment alone does not load the page; the page takes the link all the same.
    expect(hits(guest)).to_have_count(2)
    assert "link" not in guest.evaluate("location.href")
    expect(guest.get_by_role("complementary", name="Guest")).to_contain_text("You are a guest in Evenings.")
    assert guest.locator("meta[name=robots]").get_attribute("content") == "noindex"
    assert_accessible(guest)
    screenshot(guest, "guest-phone")
    search(guest, "lighthouse")
    expect(hits(guest)).to_have_count(2)
    expect(guest.locator(".save")).to_have_count(0)
    for name in ("Save search", "Export", "Fetch again"):
        expect(guest.get_by_text(name, exact=True).filter(visible=True)).to_have_count(0)
    guest.locator(f'[data-video-id="{video}"] .moments a').first.click()
    expect(guest.get_by_role("heading", name="A quiet evening")).to_be_visible()
    expect(guest.locator(".player iframe")).to_be_visible()
    wait_until(guest, lambda: player_time(guest) >= 61.5, "the video plays from the moment on")
    for name in ("Fetch again", "Clip", "Save"):
        expect(guest.get_by_role("button", name=name, exact=True)).to_have_count(0)
    screenshot(guest, "guest-watch")
    guest.goto(f"{stack.url}/?settings")
    expect(hits(guest)).to_have_count(2)
    assert {each.partition("/api/")[2].split("/")[0] for each in asked if "/api/" in each} == {
        *("link", "search", "suggest", "videos")
    }

    owner.get_by_role("button", name="Revoke the link").click()
    expect(dialog.get_by_role("status")).to_contain_text("The link is revoked.")
    expect(dialog.get_by_role("heading")).to_be_focused()
    guest.reload()
    expect(guest.locator("#welcome-error")).to_contain_text("This link does not work any more.")
    expect(guest.get_by_role("complementary", name="Guest")).to_be_hidden()
