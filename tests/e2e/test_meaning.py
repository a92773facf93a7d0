"""Places with some words, search by meaning and related places, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.e2e.page import (
    Open,
    assert_accessible,
    hits,
    launched,
    player,
    player_time,
    screenshot,
    search,
    wait_until,
)
from tests.stack import Stack

pytestmark = pytest.mark.stack

#: None of these words is in the talk that answers.
QUESTION = "why does rotting garden waste become warm?"
COMPOST = "hNi6jQj9BOA"
_MEANING = re.compile(r"/api/search\?.*by=meaning")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for this file alone, because others that need no event loop to run may follow."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def meant(stack: Stack, reader: str) -> str:
    """The reader, when all videos can be searched by meaning."""

    def progress() -> tuple[int, int]:
        meaning = stack.search("talks", reader, by="meaning")["meaning"]
        return meaning["videos"], meaning["of"]

    stack.wait_for(
        lambda: (now := progress())[0] == now[1] > 0,
        500,
        lambda: f"all videos can be searched by meaning; now {progress()}",
        interval=0.5,
    )
    return reader


def _fits(page: Page, name: str) -> None:
    """Accessible, and on a phone no wider than the screen."""
    assert_accessible(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    screenshot(page, f"view-{name}-360")
    page.set_viewport_size({"width": 1280, "height": 860})


def test_places_with_some_words_name_what_is_missing_and_one_click_requires_it(
    stack: Stack, open_page: Open, reader: str
) -> None:
    q = "heap telescope xylophonic"
    answer = stack.search(q, reader)
    assert answer["match"] == "some_words"
    page = open_page(reader)
    search(page, q)
    expect(page.locator("#found-status")).to_contain_text("with some words")
    note = page.locator("#found-note")
    expect(note).to_contain_text("No video has all of your words")
    expect(note).to_contain_text("No place has “xylophonic”")
    for hit in answer["hits"]:
        shown = page.locator(f'.hit[data-video-id="{hit["video_id"]}"] .missing s')
        assert sorted(shown.all_inner_texts()) == sorted(hit["missing"])
    # Only videos that have all words are exported whole.
    page.locator("#export summary").click()
    choices = page.locator("#export").get_by_role("button")
    expect(choices).to_have_text(["Spreadsheet (CSV)", "JSON Lines"])
    page.locator("#export summary").click()
    _fits(page, "some-words")
    # With the keyboard: a missing word is reached as results are.
    first = page.locator("[data-require]").first
    word = first.get_attribute("data-require")
    page.get_by_role("combobox").first.press("ArrowDown")
    for _ in range(20):
        if page.evaluate("document.activeElement.dataset.require ?? ''"):
            break
        page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"&require={word}"))
    required = page.get_by_role("button", name=f"Remove the filter Required: {word}")
    expect(required).to_be_visible()
    expect(page.locator(f'[data-require="{word}"]')).to_have_count(0)
    expect(hits(page)).to_have_count(stack.search(q, reader, require=word)["total"])
    page.reload()
    required.click()
    expect(hits(page)).to_have_count(len(answer["hits"]))
    # A new query begins without required words.
    first.click()
    search(page, "compost")
    expect(page).to_have_url(f"{stack.url}/?q=compost")
    expect(note).to_be_hidden()


def test_a_question_gets_meaning_below_its_words_and_the_switch_shows_only_that(
    stack: Stack, open_page: Open, meant: str
) -> None:
    page = open_page(meant)
    held: list[Route] = []
    ended: list[Request] = []
    page.on("requestfailed", lambda request: ended.append(request))
    page.route(_MEANING, lambda route: held.append(route))
    # Words do not wait, and a new query ends what was asked for the last one.
    words = stack.search("why compost?", meant)["hits"]
    search(page, "why compost?")
    assert words
    wait_until(page, lambda: held, "the list by meaning is asked for")
    search(page, "compost")
    wait_until(page, lambda: any(_MEANING.search(each.url) for each in ended), "it is not asked for any more")
    expect(page.locator("#by-meaning")).to_be_hidden()
    page.unroute(_MEANING)

    search(page, QUESTION)
    section = page.get_by_role("region", name="By meaning")
    passage = section.locator(f'.hit[data-video-id="{COMPOST}"] .moments a').first
    expect(passage).to_be_visible()
    expect(passage.locator("mark")).not_to_have_count(0)
    expect(passage.locator(".strength")).to_have_text(re.compile("^(Strong|Good|Weak) match$"))
    assert page.locator("#results [tabindex='0']").count() == 1
    page.locator("#found-status").get_by_role("button").click()
    expect(section.get_by_role("heading", name="By meaning")).to_be_focused()
    _fits(page, "question")

    page.get_by_role("button", name="Meaning", exact=True).click()
    expect(page).to_have_url(re.compile("by=meaning"))
    expect(page.get_by_role("button", name="Meaning", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#found-end")).to_contain_text("English")
    first = page.locator("#hits .moments a").first
    expect(first).to_be_visible()
    address: dict[str, Any] = {"by": "meaning", "limit": 50}
    answer = stack.search(QUESTION, meant, **address)
    expect(page.locator("#found-status")).to_have_text(re.compile(rf"^{answer['total']} videos? by meaning"))
    expect(hits(page)).to_have_count(min(20, len(answer["hits"])))
    best = answer["hits"][0]
    start = best["passages"][0]["start"]
    page.get_by_role("combobox").first.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"v={best['video_id']}&t={re.escape(f'{start:.10g}')}&line="))
    expect(page.locator(".lines .kept")).not_to_have_count(0)
    wait_until(page, lambda: player_time(page) >= start, "the passage plays at its second")
    page.go_back()
    expect(first).to_be_focused()
    # Filters and the address work as for words.
    page.get_by_role("checkbox", name="English").check()
    english = stack.search(QUESTION, meant, language="en", **address)
    expect(hits(page)).to_have_count(min(20, len(english["hits"])))
    page.reload()
    expect(hits(page)).to_have_count(min(20, len(english["hits"])))
    expect(page.get_by_role("button", name="Remove the filter English")).to_be_visible()
    expect(page.get_by_role("group", name="Search in")).to_have_count(0)
    page.get_by_role("button", name="Words", exact=True).click()
    expect(page).not_to_have_url(re.compile("by="))
    for _ in range(3):
        page.go_back()
    expect(page).to_have_url(re.compile(r"\?q=why"))
    expect(section).to_be_visible()


def test_related_places_play_at_their_second_and_guests_have_none(
    stack: Stack, open_page: Open, meant: str
) -> None:
    page = open_page(meant, f"/?v={COMPOST}", color_scheme="dark")
    line = page.locator(".lines a").nth(5)
    line.focus()
    page.keyboard.press("r")
    start = stack.get(f"/api/videos/{COMPOST}", meant).json()["lines"][5]["start"]
    answer = stack.get(f"/api/videos/{COMPOST}/related", meant, params={"start": start, "limit": 8}).json()
    places = page.locator(".place")
    expect(places).to_have_count(len(answer["places"]))
    expect(page.get_by_role("heading", name="Related places")).to_be_focused()
    _fits(page, "related")
    second = answer["places"][1]
    places.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    at = re.escape(f"{second['start']:.10g}")
    expect(page).to_have_url(re.compile(rf"v={second['video_id']}&t={at}&"))
    expect(player(page).locator("#toggle")).to_have_text("Pause")
    wait_until(page, lambda: player_time(page) >= second["start"], "the place plays at its second")
    page.keyboard.press("Escape")
    expect(places).to_have_count(len(answer["places"]))
    page.get_by_role("button", name="Close related places").click()
    expect(page.get_by_role("button", name="Related places", exact=True)).to_be_focused()
    expect(places.first).to_be_hidden()

    link = stack.post("/api/links", meant, json={"playlist_id": "PLyts-sample-talks"}).json()["url"]
    guest = open_page(None)
    guest.goto(f"{stack.url}/?v={COMPOST}#{link.split('#')[1]}")
    guest.reload()
    expect(guest.locator(".lines a").first).to_be_visible()
    expect(guest.get_by_role("button", name="Related places")).to_have_count(0)
    guest.goto(f"{stack.url}/?q=rotting+waste&by=meaning")
    expect(hits(guest).first).to_be_visible()


def test_what_cannot_be_searched_by_meaning_yet_is_said(open_page: Open, meant: str) -> None:
    page = open_page(meant, "/?q=")
    states: dict[str, Any] = {"state": "preparing", "videos": 412, "of": 1000, "languages": ["de", "pt"]}

    def change(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        if "playlists" in body:
            body["playlists"][0]["indexed"]["by_meaning"] = {"videos": 412, "of": 1000}
        else:
            body["meaning"] |= states
            if states["state"] == "off" and _MEANING.search(route.request.url):
                body |= {"hits": [], "total": 0}
        route.fulfill(response=answer, json=body)

    page.route(re.compile(r"/api/(search\?|playlists)"), change)
    page.goto(page.url.split("?")[0] + "?q=warm&by=meaning")
    note = page.get_by_role("status").filter(
        has_text="412 of 1,000 videos can be searched by meaning so far."
    )
    expect(note).to_be_visible()
    expect(page.locator("#found-end")).to_contain_text("German and Portuguese")
    states["state"] = "off"
    page.get_by_role("button", name="Words", exact=True).click()
    expect(hits(page).first).to_be_visible()
    expect(page.locator("#by")).to_be_hidden()
    page.go_back()
    expect(page.locator("#found-status")).to_have_text("Not searched")
    expect(page.locator("#found-nothing")).not_to_contain_text("yts searched")
    page.get_by_role("link", name="Library", exact=True).click()
    expect(page.locator(".card").first).to_contain_text("412 of 1,000 also by meaning")


def test_where_search_by_meaning_is_off_there_are_no_related_places(open_page: Open, reader: str) -> None:
    page = open_page(reader)

    def switch_off(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "by_meaning": False})

    page.route(re.compile(r"/api/me$"), switch_off)
    page.goto(f"{page.url.split('?')[0]}?v={COMPOST}")
    expect(page.locator(".lines a").first).to_be_visible()
    expect(page.get_by_role("button", name="Related places")).to_have_count(0)
