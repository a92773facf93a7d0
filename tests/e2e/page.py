"""What the tests of the page do with it again and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.stack import Stack

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
SAMPLE = "PLyts-sample-talks"

#: Opens the page as a user, or as nobody: ``(user, path="/", **options of the browser's context)``.
Open = Callable[..., Page]


def start(page: Page, playlist: str) -> None:
    page.get_by_label("Playlist URL or id").fill(playlist)
    page.get_by_role("button", name="Start indexing", exact=True).click()


def card(page: Page, playlist: str) -> Locator:
    return page.locator(f'.card[data-playlist-id="{playlist}"]')


def hits(page: Page) -> Locator:
    return page.locator(".hit")


def search(page: Page, query: str) -> None:
    """Types it, and waits until its answer is on the page."""
    with page.expect_response(lambda response: "/api/search?" in response.url):
        page.get_by_role("combobox").first.fill(query)
    expect(page.locator("#busy")).to_be_hidden()


def picture(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png")


def accessible(page: Page) -> None:
    """No violation of axe's rules."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def spoken(stack: Stack, user: str, count: int) -> list[str]:
    """A playlist of so many videos of this user's own, ``PL{user}``; their ids."""
    videos = [f"{user[-8:]:x<8}{number:03}" for number in range(count)]
    tracks = [{"language": "en", "lines": [[0, 2, "some words"]]}]
    stack.standin.define(
        videos=[{"id": each, "title": f"Spoken {each}", "tracks": tracks} for each in videos],
        playlists=[{"id": f"PL{user}", "title": f"Of {user}", "videos": videos}],
    )
    return videos
