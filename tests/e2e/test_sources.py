"""The box that takes anything, collections, subscriptions and what changes by itself, in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from shared import clock
from tests.e2e.page import (
    Open,
    assert_accessible,
    card,
    define_playlist,
    hits,
    screenshot,
    search,
    sign_in,
    source_box,
    start_indexing,
)
from tests.stack import Stack

pytestmark = pytest.mark.stack


def _assert_good_view(page: Page, name: str) -> None:
    """Fails if axe finds a violation or a phone has to scroll sideways."""
    assert_accessible(page)
    for width, height in ((360, 740), (1280, 860)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        screenshot(page, f"{name}-{width}")


def test_a_video_and_mixed_lines_say_what_they_were_taken_for(
    stack: Stack, open_page: Open, user: str
) -> None:
    videos = define_playlist(stack, user, 4)
    page = open_page(user)
    # One video goes into the collection of single videos.
    start_indexing(page, f"https://youtu.be/{videos[0]}?t=5")
    answers = page.locator("#answers")
    expect(answers).to_contain_text("1 of 1 line taken. 1 video added to Saved videos.")
    expect(source_box(page)).to_have_value("")
    page.get_by_role("button", name="Close").click()
    expect(answers).to_be_hidden()

    channel = f"Channel of {user}"
    stack.fake_youtube.define(videos=[{"id": videos[3], "channel": channel}])
    lines = (
        f"@channelof{user}",
        f"https://www.youtube.com/watch?v={videos[1]}",
        f"PL{user}",
        "https://www.youtube.com/playlist?list=WL",
        videos[2],
        "https://vimeo.com/12345",
    )
    source_box(page).fill("\n".join(lines))
    expect(source_box(page)).to_have_attribute("rows", "6")
    source_box(page).press("Enter")
    rows = answers.locator("li")
    kinds = ["Channel", "Video", "Playlist", "Not added", "Video", "Not added"]
    expect(rows.locator(".kind")).to_have_text(kinds)
    expect(rows.first).to_contain_text(channel)
    expect(answers).to_contain_text("4 of 6 lines taken. 2 videos added to Saved videos.")
    # What cannot be taken says why, and stays in the box.
    expect(rows.nth(3).locator(".quiet")).not_to_be_empty()
    expect(source_box(page)).to_have_value(f"{lines[3]}\n{lines[5]}")
    _assert_good_view(page, "library-answers")
    saved = page.locator(".card").filter(has_text="Saved videos")
    expect(saved).to_contain_text("Indexed", timeout=60_000)
    expect(card(page, f"PL{user}")).to_contain_text("Indexed", timeout=60_000)
    expect(page.locator(".card").filter(has_text=channel)).to_contain_text(
        "1 video · Channel", timeout=60_000
    )
    saved.get_by_role("link", name="Search").click()
    expect(hits(page)).to_have_count(3)


def test_a_collection_can_be_filled_moved_renamed_and_removed(
    stack: Stack, open_page: Open, user: str
) -> None:
    videos = define_playlist(stack, user, 3)
    page = open_page(user)
    page.get_by_role("button", name="New collection").click()
    _assert_good_view(page, "collection-new")
    page.get_by_role("textbox", name="Name").fill("Bread <b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bread <b>")).to_be_visible()
    box = page.get_by_label("Videos to add")
    box.fill("\n".join([*videos, "no video"]))
    page.get_by_role("button", name="Add videos").click()
    expect(page.get_by_role("alert").filter(has_text="no video:")).to_be_visible()
    expect(box).to_have_value("no video")
    rows = page.locator(".video")
    expect(rows).to_have_count(3)
    # The titles are there as soon as a job has listed the videos.
    stack.finish(stack.get("/api/jobs", user).json()["jobs"][0]["job_id"], user)
    page.reload()
    expect(rows.first).to_contain_text(f"Title of {videos[2]}")
    _assert_good_view(page, "collection")

    # With the keyboard alone: the focus goes on to the next video.
    rows.first.get_by_role("button", name=re.compile("^Move")).press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New collection").fill("Cake")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(rows.first.locator("a[data-key]")).to_be_focused()
    rows.first.get_by_role("button", name=re.compile("^Remove")).press("Enter")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("Rye")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rye")).to_be_visible()

    page.get_by_role("link", name="Library").first.click()
    for title, state in (("Rye", "Indexed"), ("Cake", "Searchable")):
        expect(page.locator(".card").filter(has_text=title)).to_contain_text(state, timeout=60_000)
    search(page, "words")
    expect(hits(page)).to_have_count(2)
    page.go_back()
    page.locator(".card").filter(has_text="Rye").get_by_role("link", name="Videos").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".card")).to_have_count(1)
    search(page, "words")
    expect(hits(page)).to_have_count(1)


def test_a_hit_and_an_open_video_are_saved_to_a_collection(stack: Stack, open_page: Open, user: str) -> None:
    videos = define_playlist(stack, user, 2)
    stack.finish(stack.index(f"PL{user}", user), user)
    page = open_page(user, "/?q=words")
    expect(hits(page)).to_have_count(2)
    hits(page).first.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Save “Title of")
    _assert_good_view(page, "save")
    dialog.get_by_role("button", name="Saved videos").click()
    expect(page.get_by_role("status").filter(has_text="Saved to “Saved videos”.")).to_be_visible()
    # The dialog gives the focus back, and Escape closes it.
    first = str(hits(page).first.get_attribute("data-video-id"))
    hits(page).first.locator("h2 a").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    dialog.get_by_label("New collection").fill("To read")
    dialog.get_by_role("button", name="Create and save").click()
    expect(dialog).to_have_count(0)
    assert first in videos
    for playlist in stack.get("/api/playlists", user).json()["playlists"]:
        if playlist["kind"] == "collection":
            path = f"/api/collections/{playlist['playlist_id']}/videos"
            assert [each["video_id"] for each in stack.get(path, user).json()["videos"]] == [first]


def test_an_order_of_one_playlist_is_offered_only_for_one(stack: Stack, open_page: Open, reader: str) -> None:
    page = open_page(reader, "/?q=the")
    expect(hits(page).first).to_be_visible()
    order = page.get_by_label("Sort by")
    expect(order.locator("option[value=playlist]")).to_have_count(0)
    page.goto(f"{stack.url}/?q=the&playlist=PLyts-sample-talks&sort=playlist")
    expect(order).to_have_value("playlist")
    wanted = stack.search("the", reader, playlist="PLyts-sample-talks", sort="playlist")["hits"]
    expect(hits(page).first).to_have_attribute("data-video-id", wanted[0]["video_id"])
    # Without the playlist, that order means nothing.
    page.get_by_role("button", name=re.compile("Remove the filter")).first.click()
    expect(page).to_have_url(f"{stack.url}/?q=the")
    expect(order).to_have_value("relevance")
    order.select_option("Recently added")
    expect(hits(page).first).to_contain_text("added")


def test_what_is_new_leads_to_exactly_these_and_the_refresh_can_be_chosen(
    stack: Stack, open_page: Open, user: str
) -> None:
    videos = define_playlist(stack, user, 4)
    playlist = f"PL{user}"
    stack.fake_youtube.define(playlists=[{"id": playlist, "videos": videos[:2]}])
    stack.finish(stack.index(playlist, user), user)
    now = clock.rfc3339(clock.now())
    later = [{"id": each, "added_at": now} for each in videos[2:]]
    stack.fake_youtube.define(playlists=[{"id": playlist, "videos": [videos[1], *later]}])
    stack.finish(stack.index(playlist, user), user)
    page = open_page(user)
    shown = card(page, playlist)
    expect(shown).to_contain_text("1 removed")
    screenshot(page, "library-changes")
    menu = shown.get_by_label("How often to refresh")
    expect(menu).to_have_value("auto")
    menu.select_option("Off")
    expect(shown.locator(".refresh")).to_have_text(re.compile("Off$"))
    page.reload()
    expect(menu).to_have_value("off")
    menu.select_option("Weekly")
    expect(shown.locator(".refresh")).to_have_text(re.compile(r"in \d days|tomorrow|hour|next week"))

    shown.get_by_role("link", name="2 new since").click()
    expect(hits(page)).to_have_count(2)
    assert {hits(page).nth(each).get_attribute("data-video-id") for each in (0, 1)} == set(videos[2:])
    page.get_by_role("button", name="Remove the filter Added since").click()
    expect(hits(page)).to_have_count(3)


def test_a_large_channel_is_a_choice(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(user)
    start_indexing(page, f"https://www.youtube.com/@gen-600-{user.replace('-', '')[-8:]}-short")
    part = page.locator("#answers fieldset")
    expect(part).to_contain_text("has 600 videos")
    expect(part).to_contain_text(re.compile(r"About \d+ minutes, and \d+ units of YouTube's daily quota"))
    assert stack.get("/api/jobs", user).json()["jobs"] == []
    part.get_by_label("Since", exact=True).check()
    part.get_by_role("button", name="Start indexing").click()
    expect(part.get_by_role("alert")).to_have_text("Choose a date.")
    # A number also presses its button.
    part.get_by_label("How many of the newest").fill("3")
    _assert_good_view(page, "library-choice")
    part.get_by_role("button", name="Start indexing").click()
    expect(page.locator("#answers")).to_contain_text("Indexing has started.")
    shown = page.locator(".card")
    expect(shown).to_contain_text("Indexed", timeout=60_000)
    expect(shown).to_contain_text("Channel · the newest 3")
    shown.get_by_role("link", name="Search").click()
    expect(hits(page)).to_have_count(3)
    # Another choice replaces it.
    page.go_back()
    shown.get_by_role("button", name="Choose videos").click()
    shown.get_by_label("How many of the newest").fill("2")
    shown.get_by_role("button", name="Start indexing").click()
    expect(shown).to_contain_text("Channel · the newest 2", timeout=60_000)


def test_channels_are_picked_from_the_subscriptions(stack: Stack, open_page: Open, user: str) -> None:
    title = f"Channel of {user}"
    (video,) = define_playlist(stack, user, 1)
    stack.fake_youtube.define(videos=[{"id": video, "channel": title}], subscriptions={"other": [title]})
    page = open_page(user)
    expect(page.get_by_role("heading", name="Your library")).to_be_visible()
    # Only Google knows subscriptions.
    expect(page.get_by_role("link", name="Subscriptions")).to_be_hidden()
    page = open_page(None)
    sign_in(page, "other")
    page.get_by_role("link", name="Subscriptions").click()
    page.get_by_label("Filter the channels").fill(user)
    boxes = page.locator(".picker li:visible")
    expect(boxes).to_have_count(1)
    _assert_good_view(page, "subscriptions")
    page.get_by_role("button", name="Pick all shown").press("Enter")
    page.get_by_role("button", name="Index 1 channel").press("Enter")
    expect(page.locator("#view-subscriptions .answers")).to_contain_text(title)
    page.get_by_role("link", name="Library", exact=True).first.click()
    shown = page.locator(".card").filter(has_text=title)
    expect(shown).to_contain_text("Indexed", timeout=60_000)
    page.get_by_role("link", name="Subscriptions").click()
    expect(page.get_by_role("checkbox", name=title)).to_be_disabled()
    page.go_back()
    shown.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(shown).to_have_count(0)
