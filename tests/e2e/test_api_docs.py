"""The page of the API, in a browser that obeys its policy: see `open_page`, which fails at each violation."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.page import Open


def test_the_page_shows_the_api_and_tries_a_request(open_page: Open) -> None:
    page = open_page(None, "/api/docs")
    expect(page.locator("#operations-search-search_library")).to_contain_text(
        "Search your library, to the second."
    )
    health = page.locator("#operations-health-check_health")
    health.locator(".opblock-summary-control").click()
    health.get_by_role("button", name="Try it out").click()
    health.get_by_role("button", name="Execute").click()
    expect(health.locator(".live-responses-table")).to_contain_text('"status"')
