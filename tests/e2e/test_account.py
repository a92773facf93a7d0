"""Signing in and out, and the settings, in Chromium on a whole local run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page import Open, card, hits, picture, search
from tests.stack import Stack

pytestmark = pytest.mark.stack


def _sign_in(page: Page, person: str) -> None:
    page.get_by_role("link", name="Sign in with Google").click()
    page.get_by_role("button", name=re.compile(person, re.IGNORECASE)).click()


def test_two_people_from_sign_in_to_sign_out(stack: Stack, open_page: Open) -> None:
    stack.standin.reset("oauth")
    pages = {}
    for person in ("demo", "other"):
        page = pages[person] = open_page(None, "/?q=evening")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Search everything said")
        _sign_in(page, person)
        # Back where one wanted to go.
        expect(page).to_have_url(f"{stack.url}/?q=evening")
        page.get_by_role("link", name="Library", exact=True).click()
        liked = page.locator(".card").first
        expect(liked).to_contain_text("Liked")
        expect(page.locator("#library-note")).to_contain_text("Watch")
    picture(pages["demo"], "library-signed-in")

    page = pages["demo"]
    mine = card(page, "PLdemo-evenings")
    expect(mine).to_contain_text("Private")
    mine.get_by_role("button", name=re.compile("Start indexing|Refresh")).click()
    expect(mine).to_contain_text("Indexed just now", timeout=60_000)
    mine.get_by_role("link", name="Search").click()
    title = hits(page).first.locator("h2").inner_text()
    hits(page).first.locator("h2 a").click()
    page.get_by_role("button", name="Play").click()
    expect(page.frame_locator(".player iframe").locator("#toggle")).to_have_text("Pause")
    # The other person has nothing of it.
    search(pages["other"], f'title:"{title}"')
    expect(pages["other"].get_by_text("No video has")).to_be_visible()

    for person, page in pages.items():
        page.get_by_role("link", name="Settings").click()
        expect(page.locator(".setting").first).to_contain_text("@")
        picture(page, f"settings-{person}")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in with Google")).to_be_visible()
        page.reload()
        expect(page.get_by_role("link", name="Sign in with Google")).to_be_visible()
        assert "__session" not in {each["name"] for each in page.context.cookies() if each.get("value")}


def test_a_sign_in_that_fails_says_why(stack: Stack, open_page: Open) -> None:
    page = open_page(None, "/?signin=denied")
    expect(page.get_by_text("Google was told no")).to_be_visible()
    expect(page).to_have_url(f"{stack.url}/")
    for kind, said in (
        ("missing_scope", "tick that box"),
        ("expired", "took too long"),
        ("failed", "did not work"),
    ):
        page.goto(f"{stack.url}/?signin={kind}")
        expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()


def test_a_session_that_ends_loses_nothing(stack: Stack, open_page: Open, reader: str) -> None:
    page = open_page(None)
    _sign_in(page, "other")
    expect(page.get_by_role("heading", name="Your playlists")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_role("combobox").first.fill("what I looked for")
    expect(page.get_by_role("alert").filter(has_text="Your session has ended")).to_be_visible()
    _sign_in(page, "other")
    expect(page.get_by_role("combobox").first).to_have_value("what I looked for")


def test_an_answer_from_before_signing_in_ends_nothing(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(None)
    held: list[Route] = []

    def answer(route: Route) -> None:
        # The first one is asked by nobody, and answered when somebody is here.
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/api/me", answer)
    with page.expect_request("**/api/me"):
        page.reload()
    page.goto(f"{stack.url}/#token={stack.token(user)}")
    expect(page.get_by_role("heading", name="Your playlists")).to_be_visible()
    with page.expect_response("**/api/me") as answered:
        held[0].continue_()
    assert answered.value.status == 401
    page.unroute("**/api/me")
    page.reload()
    expect(page.get_by_role("heading", name="Your playlists")).to_be_visible()


def test_tokens(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(None)
    page.get_by_text("Use an API token instead").click()
    field = page.get_by_label("API token", exact=True)
    field.fill("yts_not-a-token")
    field.press("Enter")
    expect(page.get_by_text("not, or no longer, valid")).to_be_visible()
    field.fill(f" {stack.token(user)} ")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your playlists")).to_be_visible()

    page.get_by_role("link", name="Settings").click()
    page.get_by_label("New token").fill("My <b>laptop</b>")
    page.get_by_role("button", name="Make a token").click()
    shown = page.locator(".made code")
    expect(shown).to_have_text(re.compile("^yts_"))
    headers = {"Authorization": f"Bearer {shown.inner_text()}"}
    assert stack.get("/api/me", None, headers=headers).json()["user_id"] == user
    row = page.locator(".tokens li").filter(has_text="My <b>laptop</b>")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert stack.get("/api/me", None, headers=headers).status_code == 401

    page.get_by_role("button", name="Delete my data").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Delete my data").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete everything").click()
    expect(page.get_by_text("Everything about you is deleted.")).to_be_visible()
    assert (
        stack.get("/api/me", None, headers={"Authorization": f"Bearer {stack.token(user)}"}).status_code
        == 401
    )
