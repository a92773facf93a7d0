"""The search view in Chromium."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page import Open, hits, screenshot, search
from tests.stack import Stack

pytestmark = pytest.mark.stack


def _ids(page: Page) -> list[str]:
    found: list[str] = hits(page).evaluate_all("hits => hits.map(hit => hit.dataset.videoId)")
    return found


def test_the_url_holds_the_whole_search(stack: Stack, open_page: Open, reader: str) -> None:
    page = open_page(reader)
    box = page.get_by_role("combobox").first
    expect(box).to_be_visible()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    # A query being typed is one entry in the history.
    for query in ("th", "the", "the OR der"):
        search(page, query)
    expect(page).to_have_url(f"{stack.url}/?q=the+OR+der")
    total = stack.search("the OR der", reader)["total"]
    expect(page.get_by_role("status").filter(has_text=f"{total} videos")).to_be_visible()
    # Escape would empty the box if there is no suggestion yet.
    box.blur()

    page.get_by_role("checkbox", name="English").check()
    expect(page).to_have_url(f"{stack.url}/?q=the+OR+der&language=en")
    expect(page.get_by_role("checkbox", name="English")).to_be_focused()
    english = stack.search("the OR der", reader, language="en")
    expect(page.locator("#found-status strong")).to_have_text(f"{english['total']} videos")
    page.get_by_label("Sort by").select_option("Oldest first")
    oldest = stack.search("the OR der", reader, language="en", sort="oldest")
    expect(page).to_have_url(re.compile("sort=oldest"))
    expect(page.locator("#found-status strong")).to_be_visible()
    expect(hits(page).first).to_have_attribute("data-video-id", oldest["hits"][0]["video_id"])
    screenshot(page, "search-filtered")

    # The URL alone restores the search.
    before = _ids(page)
    page.reload()
    expect(hits(page)).to_have_count(len(before))
    assert _ids(page) == before
    page.go_back()
    expect(page.get_by_label("Sort by")).to_have_value("relevance")
    page.go_back()
    expect(page.get_by_role("button", name="Remove the filter English")).to_be_hidden()
    expect(page.get_by_role("checkbox", name="English")).not_to_be_checked()
    page.go_back()
    expect(page.get_by_role("heading", name="Your playlists")).to_be_visible()
    page.go_forward()
    expect(box).to_have_value("the OR der")

    page.goto(f"{stack.url}/?q=the&after=2018-01-01&before=2019-01-01&max_minutes=10&in=transcript")
    expect(hits(page).first).to_be_visible()
    for chip in ("2018", "Up to 10 minutes", "Transcripts"):
        expect(page.get_by_role("button", name=f"Remove the filter {chip}")).to_be_visible()
    page.get_by_role("button", name="Remove the filter 2018").click()
    expect(page).to_have_url(f"{stack.url}/?q=the&max_minutes=10&in=transcript")
    page.get_by_role("button", name="Clear all").click()
    expect(page).to_have_url(f"{stack.url}/?q=the")


def test_suggestions_corrections_and_tips_start_a_new_search(open_page: Open, reader: str) -> None:
    page = open_page(reader, "/?q=")
    expect(page.get_by_role("heading", name="How to search")).to_be_visible()
    box = page.get_by_role("combobox").first
    # Filled at once, because typing would also bring suggestions for fewer letters.
    box.fill("sourd")
    options = page.locator("#suggestions li")
    expect(options.first).to_be_visible()
    screenshot(page, "suggestions")
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    text = options.first.inner_text()
    box.press("Enter")
    expect(box).to_have_value(text)
    expect(options).to_have_count(0)
    expect(hits(page).first).to_be_visible()

    search(page, "compst")
    page.locator("#found-note").get_by_role("button", name="compost").click()
    expect(hits(page).first).to_contain_text("Compost")

    search(page, "xylophonic zebra")
    expect(page.get_by_role("heading", name="No results for “xylophonic zebra”")).to_be_visible()
    screenshot(page, "nothing-found")
    page.get_by_role("button", name="xylophonic OR zebra").click()
    expect(box).to_have_value("xylophonic OR zebra")


def test_a_late_answer_to_an_earlier_search_is_not_shown(open_page: Open, reader: str) -> None:
    page = open_page(reader, "/?q=")
    expect(page.get_by_role("heading", name="How to search")).to_be_visible()
    requests: list[str] = []
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        requests.append(route.request.url)
        if len(requests) == 1:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/search?*", hold_the_first)
    box = page.get_by_role("combobox").first
    with page.expect_request("**/api/search?q=compost*"):
        box.fill("compost")
    box.fill("telescope")
    expect(hits(page)).not_to_have_count(0)
    (earlier,) = held
    # If the page showed this empty answer, the results would disappear.
    earlier.fulfill(json={"total": 0, "hits": [], "cursor": None})
    expect(page.locator(".hit mark").first).to_have_text(re.compile("telescope", re.IGNORECASE))
    assert len(requests) == 2


def test_more_results_load_on_scrolling_and_back_restores_the_position(
    stack: Stack, open_page: Open, reader: str
) -> None:
    total = stack.search("the", reader)["total"]
    assert total > 20
    page = open_page(reader, "/?q=the")
    expect(hits(page)).to_have_count(20)
    hits(page).nth(19).scroll_into_view_if_needed()
    expect(hits(page)).to_have_count(min(40, total))
    assert len(set(_ids(page))) == len(_ids(page))
    moment = hits(page).nth(22).locator("[data-key]").first
    moment.scroll_into_view_if_needed()
    expect(moment).to_be_in_viewport()
    moment.click()
    expect(page.locator("#view-watch h1")).to_be_visible()
    page.go_back()
    expect(moment).to_be_focused()
    expect(moment).to_be_in_viewport()
    page.reload()
    expect(hits(page)).to_have_count(min(40, total))
    expect(moment).to_be_in_viewport()


def test_html_in_titles_and_captions_stays_text_and_languages_are_marked(
    stack: Stack, open_page: Open, user: str
) -> None:
    evil = "<img src=x onerror=alert(1)>"
    video_id = f"{user[-8:]:y<8}htm"
    video: dict[str, Any] = {
        "id": video_id,
        "title": f"Markup {evil}",
        "channel": evil,
        "description": f"About {evil}",
        "tracks": [{"language": "ar", "lines": [[61, 4, "2 < 3 & zanzibarian مرحبا"]]}],
    }
    playlist = {"id": f"PLhtml-{user}", "title": f"List {evil}", "videos": [video_id]}
    stack.fake_youtube.define(videos=[video], playlists=[playlist])
    stack.finish(stack.index(f"PLhtml-{user}", user), user)
    page = open_page(user)
    page.on("dialog", lambda dialog: pytest.fail("a script from a title or caption ran"))
    expect(page.locator(".card h2")).to_have_text(f"List {evil}")
    search(page, "zanzibarian")
    hit = hits(page)
    expect(hit.locator("h2")).to_have_text(f"Markup {evil}")
    expect(hit.locator(".channel")).to_have_text(evil)
    snippet = hit.locator(".snippet")
    expect(snippet).to_have_text("2 < 3 & zanzibarian مرحبا")
    expect(snippet).to_have_attribute("lang", "ar")
    expect(snippet).to_have_attribute("dir", "rtl")
    expect(hit.locator("time").last).to_have_text("0:01:01")
    expect(hit.get_by_text("Arabic")).to_be_visible()
    hit.locator(".moments a").click()
    lines = page.locator(".lines")
    expect(lines).to_contain_text("2 < 3 & zanzibarian")
    expect(page.locator("#watch-title")).to_have_text(f"Markup {evil}")
    expect(lines).to_have_attribute("dir", "rtl")
    expect(lines).to_have_attribute("lang", "ar")
    screenshot(page, "watch-right-to-left")
    page.get_by_role("combobox").first.fill(evil)
    expect(page.get_by_role("status").filter(has_text=re.compile("video|Nothing"))).to_be_visible()
    assert page.locator("main img[src='x']").count() == 0


def test_an_exported_file_equals_the_answer_of_the_api(stack: Stack, open_page: Open, reader: str) -> None:
    page = open_page(reader, "/?q=the+OR+der")
    expect(hits(page).first).to_be_visible()
    for name, ending in (("Spreadsheet", "csv"), ("JSON Lines", "jsonl")):
        page.locator("#export summary").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        answer = stack.get("/api/search/export", reader, params={"q": "the OR der", "format": ending})
        assert download.value.suggested_filename == f"search.{ending}"
        assert download.value.path().read_bytes() == answer.content
