"""Signing in and out, and the settings view, in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.page import Open, card, hits, screenshot, search, sign_in
from tests.stack import Stack

pytestmark = pytest.mark.stack


def _status_of(stack: Stack, token: str) -> int:
    """The status of an API request with this token: 200 if the token is valid, otherwise 401."""
    return stack.get("/api/me", None, headers={"Authorization": f"Bearer {token}"}).status_code


def test_two_users_sign_in_see_only_their_own_videos_and_sign_out(stack: Stack, open_page: Open) -> None:
    stack.fake_youtube.reset("oauth")
    pages = {}
    for person in ("demo", "other"):
        page = pages[person] = open_page(None, "/?q=evening")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Search everything said")
        sign_in(page, person)
        # Google's answer leads back to the URL that the user asked for.
        expect(page).to_have_url(f"{stack.url}/?q=evening")
        with page.expect_response("**/api/playlists") as answer:
            page.get_by_role("link", name="Library", exact=True).click()
        expect(page.locator(".card").first).to_contain_text("Liked")
        (watch_later,) = [
            each["detail"] for each in answer.value.json()["notices"] if each["code"] == "watch_later"
        ]
        expect(page.locator("#library-note")).to_have_text(watch_later)
    screenshot(pages["demo"], "library-signed-in")

    page = pages["demo"]
    private = card(page, "PLdemo-evenings")
    expect(private).to_contain_text("Private")
    private.get_by_role("button", name=re.compile("Start indexing|Refresh")).click()
    expect(private).to_contain_text("Indexed just now", timeout=60_000)
    private.get_by_role("link", name="Search").click()
    title = hits(page).first.locator("h2").inner_text()
    hits(page).first.locator("h2 a").click()
    page.get_by_role("button", name="Play").click()
    expect(page.frame_locator(".player iframe").locator("#toggle")).to_have_text("Pause")
    # The other user does not find the private video.
    search(pages["other"], f'title:"{title}"')
    expect(pages["other"].get_by_text("No results for")).to_be_visible()

    for person, page in pages.items():
        page.get_by_role("link", name="Settings").click()
        expect(page.locator(".setting").first).to_contain_text("@")
        screenshot(page, f"settings-{person}")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in with Google")).to_be_visible()
        page.reload()
        expect(page.get_by_role("link", name="Sign in with Google")).to_be_visible()
        assert "__session" not in {each["name"] for each in page.context.cookies() if each.get("value")}


def test_a_failed_sign_in_shows_its_reason(stack: Stack, open_page: Open) -> None:
    page = open_page(None, "/?signin=denied")
    expect(page.get_by_text("You did not allow access")).to_be_visible()
    expect(page).to_have_url(f"{stack.url}/")
    for code, message in (
        ("missing_scope", "tick that box"),
        ("expired", "took too long"),
        ("failed", "did not work"),
    ):
        page.goto(f"{stack.url}/?signin={code}")
        expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()


def test_the_search_survives_the_end_of_a_session(stack: Stack, open_page: Open, reader: str) -> None:
    page = open_page(None)
    sign_in(page, "other")
    expect(page.get_by_role("heading", name="Your library")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_role("combobox").first.fill("what I looked for")
    expect(page.get_by_role("alert").filter(has_text="Your session has ended")).to_be_visible()
    sign_in(page, "other")
    expect(page.get_by_role("combobox").first).to_have_value("what I looked for")


def test_a_late_401_from_before_signing_in_does_not_sign_the_user_out(
    stack: Stack, open_page: Open, user: str
) -> None:
    page = open_page(None)
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        # The first request has no token. It is answered only after the user has signed in.
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/api/me", hold_the_first)
    with page.expect_request("**/api/me"):
        page.reload()
    page.goto(f"{stack.url}/#token={stack.token(user)}")
    expect(page.get_by_role("heading", name="Your library")).to_be_visible()
    with page.expect_response("**/api/me") as late_answer:
        held[0].continue_()
    assert late_answer.value.status == 401
    page.unroute("**/api/me")
    page.reload()
    expect(page.get_by_role("heading", name="Your library")).to_be_visible()


def test_an_invalid_token_is_refused_and_a_valid_one_signs_in(
    stack: Stack, open_page: Open, user: str
) -> None:
    page = open_page(None)
    page.get_by_text("Use an API token instead").click()
    field = page.get_by_label("API token", exact=True)
    field.fill("yts_not-a-token")
    field.press("Enter")
    expect(page.get_by_text("This token is not valid")).to_be_visible()
    field.fill(f" {stack.token(user)} ")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your library")).to_be_visible()


def test_a_created_token_works_until_it_is_revoked(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(user, "/?settings")
    page.get_by_label("New token").fill("My <b>laptop</b>")
    page.get_by_role("button", name="Create a token").click()
    shown = page.locator(".made code")
    expect(shown).to_have_text(re.compile("^yts_"))
    token = shown.inner_text()
    owner = stack.get("/api/me", None, headers={"Authorization": f"Bearer {token}"}).json()["user_id"]
    assert owner == user
    row = page.locator(".tokens li").filter(has_text="My <b>laptop</b>")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert _status_of(stack, token) == 401


def test_deleting_my_data_asks_first_and_revokes_the_token(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(user, "/?settings")
    page.get_by_role("button", name="Delete my data").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    assert _status_of(stack, stack.token(user)) == 200
    page.get_by_role("button", name="Delete my data").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete everything").click()
    expect(page.get_by_text("All your data is deleted.")).to_be_visible()
    assert _status_of(stack, stack.token(user)) == 401
