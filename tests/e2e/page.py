"""What the tests of the page do with it again and again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.stack import Stack

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
SAMPLE = "PLyts-sample-talks"
_PATIENCE = 30

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
    asked = re.compile(rf"/api/search\?(.*&)?{re.escape(urlencode({'q': query}))}&")
    with page.expect_response(asked) as answer:
        page.get_by_role("combobox").first.fill(query)
    found = answer.value.json()["hits"]
    if found:
        expect(hits(page).first).to_have_attribute("data-video-id", found[0]["video_id"])
    else:
        expect(page.locator("#found-status")).to_have_text("Nothing found")


def until(page: Page, condition: Callable[[], object], what: str) -> None:
    """Waits while the page goes on; a condition in the page would be a string that its policy forbids."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {_PATIENCE} s in vain until {what}"
        page.wait_for_timeout(50)


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
