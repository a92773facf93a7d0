"""The page in Chromium, on a whole local run: whether everybody can use it, on any screen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page import SAMPLE, Open, accessible, picture, start
from tests.stack import Stack

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 860), (360, 740)])
def test_it_is_accessible_and_fits(
    stack: Stack, open_page: Open, user: str, scheme: str, width: int, height: int
) -> None:
    options: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": {"width": width, "height": height},
        "reduced_motion": "reduce",
    }

    def examine(page: Page, name: str) -> None:
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture(page, f"{name}-{scheme}-{width}")

    locked = open_page(None, **options)
    expect(locked.get_by_label("API token")).to_be_visible()
    examine(locked, "locked")
    page = open_page(user, **options)
    expect(page.get_by_text("Nothing to search yet")).to_be_visible()
    examine(page, "empty")
    start(page, "nonsense")
    expect(page.locator("#start-error")).not_to_be_empty()
    start(page, SAMPLE)
    expect(page.locator(".job")).to_contain_text("Done", timeout=60_000)
    page.locator(".job summary").click()
    expect(page.locator(".problems li").first).to_be_visible()
    examine(page, "home")
    page.get_by_role("searchbox").fill("fire OR 茶 OR chess OR telescope")
    expect(page.locator(".hit").nth(2)).to_be_visible()
    for image in page.locator("img:not([loading=lazy])").all():
        expect(image).to_have_js_property("complete", True)
    examine(page, "found")
    page.get_by_role("searchbox").fill("xylophonic zebra")
    expect(page.get_by_text("Nothing found for")).to_be_visible()
    examine(page, "nothing-found")


def test_nothing_jumps_when_pictures_arrive(stack: Stack, open_page: Open, user: str) -> None:
    stack.finish(stack.index(SAMPLE, user), user)
    page = open_page(None)
    pictures: list[Route] = []
    page.route("**/vi/**", lambda route: pictures.append(route))
    page.goto(f"{stack.url}/?q=the#token={stack.token(user)}")
    expect(page.locator(".hit")).to_have_count(10)
    expect(page.locator(".thumbnail img")).to_have_count(10)
    before = page.locator(".hit").evaluate_all("hits => hits.map(hit => hit.getBoundingClientRect().top)")
    assert pictures
    for route in pictures:
        route.continue_()
    # Not wait_for_function: it evaluates a string, which the page's own policy forbids.
    expect(page.locator(".thumbnail img").first).to_have_js_property("complete", True)
    after = page.locator(".hit").evaluate_all("hits => hits.map(hit => hit.getBoundingClientRect().top)")
    assert before == after
