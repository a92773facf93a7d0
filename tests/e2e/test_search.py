"""The search view in Chromium."""

from __future__ import annotations

import re
import zipfile
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page import Open, assert_accessible, hits, index_video, screenshot, search, wait_until
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
    first = [hit["video_id"] for hit in oldest["hits"]]
    wait_until(page, lambda: _ids(page)[: len(first)] == first, "the hits are in the new order")
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
    expect(page.get_by_role("heading", name="Your library")).to_be_visible()
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
    library = open_page(reader)
    for each, menu, asked in ((page, "#export", {"q": "the OR der"}), (library, ".ways", {})):
        each.locator(f"{menu} summary").click()
        with each.expect_download() as download:
            each.get_by_role("button", name="Notes").click()
        assert download.value.suggested_filename == "yts-markdown.zip"
        rows = stack.get("/api/export", reader, params={"format": "jsonl", **asked}).text.splitlines()
        with zipfile.ZipFile(download.value.path()) as archive:
            # In both, the last one is of no video.
            assert len(archive.namelist()) == len(rows) > 1


def test_the_number_beside_a_language_is_what_ticking_it_gives(
    stack: Stack, open_page: Open, user: str
) -> None:
    languages = {"en": 2, "en-GB": 1, "pt-BR": 1, "pt": 1, "zh-Hant": 1, "de": 1}
    every = [language for language, count in languages.items() for _ in range(count)]
    videos = [
        {
            "id": f"{user[-8:]:l<8}{number:03}",
            "title": f"Video {number}",
            "tracks": [{"language": language, "lines": [[0, 2, "zanzibarian"]]}],
        }
        for number, language in enumerate(every)
    ]
    playlist = {"id": f"PLlanguages-{user}", "videos": [video["id"] for video in videos]}
    stack.fake_youtube.define(videos=videos, playlists=[playlist])
    stack.finish(stack.index(f"PLlanguages-{user}", user), user)
    page = open_page(user, "/?q=zanzibarian")
    expect(hits(page)).to_have_count(len(every))
    for language, count in (("English", 3), ("Portuguese", 2), ("Chinese", 1), ("German", 1)):
        choice = page.locator(".choice").filter(has_text=language)
        expect(choice.locator(".amount")).to_have_text(str(count))
        choice.get_by_role("checkbox").check()
        expect(page.locator("#found-status strong")).to_have_text(re.compile(rf"^{count} video"))
        expect(hits(page)).to_have_count(count)
        page.get_by_role("button", name=f"Remove the filter {language}").click()
        expect(hits(page)).to_have_count(len(every))
    # Somebody who types a region or script still finds only this one, or all of a language.
    for word, count in (("language:en-GB", 1), ("language:pt", 2), ("language:pt-BR", 1)):
        search(page, f"zanzibarian {word}")
        expect(hits(page)).to_have_count(count)


@pytest.mark.parametrize(
    ("published", "timezone", "day", "year"),
    [
        ("2024-12-31T23:30:00Z", "Europe/Berlin", "Dec 31, 2024", "2024"),
        ("2025-01-01T00:30:00Z", "America/Los_Angeles", "Jan 1, 2025", "2025"),
        ("2024-02-29T10:00:00Z", "Pacific/Kiritimati", "Feb 29, 2024", "2024"),
        ("2023-03-01T11:59:59Z", "Pacific/Pago_Pago", "Mar 1, 2023", "2023"),
    ],
)
def test_cards_filters_and_years_have_one_calendar(
    stack: Stack, open_page: Open, user: str, published: str, timezone: str, day: str, year: str
) -> None:
    index_video(stack, user, [[0, 2, "zanzibarian"]], published_at=published)
    page = open_page(user, "/?q=zanzibarian", timezone_id=timezone)
    expect(hits(page).locator(".facts time")).to_have_text(day)
    expect(page.get_by_role("radio", name=year)).to_be_visible()
    after, before = published[:10], f"{int(year) + 1}-01-01"
    for words, count in ((f"after:{after}", 1), (f"before:{after}", 0), (f"after:{before}", 0)):
        search(page, f"zanzibarian {words}")
        expect(hits(page)).to_have_count(count)


def test_a_live_stream_of_length_0_is_last_by_length(stack: Stack, open_page: Open, user: str) -> None:
    tracks = [{"language": "en", "lines": [[0, 2, "zanzibarian"]]}]
    ids = {length: f"{user[-8:]:d<8}{length:03}" for length in (0, 5, 90)}
    stack.fake_youtube.define(
        videos=[
            {"id": each, "title": f"{length} s", "duration": length, "tracks": tracks}
            for length, each in ids.items()
        ],
        playlists=[{"id": f"PLlive-{user}", "videos": list(ids.values())}],
    )
    stack.finish(stack.index(f"PLlive-{user}", user), user)
    for sort, order in (("shortest", [5, 90, 0]), ("longest", [90, 5, 0])):
        page = open_page(user, f"/?q=zanzibarian&sort={sort}")
        expect(hits(page)).to_have_count(3)
        assert _ids(page) == [ids[length] for length in order]
        expect(hits(page).last.locator(".duration")).to_have_count(0)
        expect(hits(page).first.locator(".duration")).to_be_visible()
    assert stack.search("zanzibarian shorter:1m", user)["total"] == 1


def test_notices_stand_above_the_results(open_page: Open, reader: str) -> None:
    page = open_page(reader, "/?q=heap")
    expect(hits(page).first).to_be_visible()
    note = page.get_by_role("status").filter(has_text="language")
    expect(note).to_have_count(0)
    notices = ["“language:xx-toolong” names no language.", "<b>after:yesterday</b> was searched as words."]

    def add_notices(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "notices": notices})

    page.route("**/api/search?*", add_notices)
    page.get_by_role("combobox").first.fill("telescope")
    expect(note.locator("p")).to_have_text(notices)
    expect(hits(page).first).to_contain_text("elescope")
    assert_accessible(page)
    page.unroute("**/api/search?*")
    page.get_by_role("combobox").first.fill("compost")
    expect(note).to_have_count(0)
