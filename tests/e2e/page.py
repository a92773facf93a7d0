"""Helpers that several browser tests use."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, FrameLocator, Locator, Page, expect, sync_playwright

from tests.stack import Stack

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
SAMPLE = "PLyts-sample-talks"
_WAIT_SECONDS = 30
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Opens the page as a user, or signed out: ``(user or None, path="/", **options of the browser context)``.
Open = Callable[..., Page]


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium. Until it ends, Playwright's event loop runs in this thread."""
    installed = next((path for name in _CHROMIUM_NAMES if (path := shutil.which(name))), None)
    # Chromium refuses to run its sandbox as root, which tests in containers often are.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=arguments)
        except Error as error:
            if installed is None and os.environ.get("CI") != "true":
                pytest.skip(f"no Chromium: {error.message.splitlines()[0]}")
            raise
        yield browser
        browser.close()


def source_box(page: Page) -> Locator:
    """The box of the library, which takes playlists, channels and videos."""
    return page.get_by_label("Playlists, channels or videos")


def start_indexing(page: Page, playlist: str) -> None:
    source_box(page).fill(playlist)
    page.get_by_role("button", name="Add", exact=True).click()


def sign_in(page: Page, person: str) -> None:
    """Signs in at the fake Google, as `demo` or `other`."""
    page.get_by_role("link", name="Sign in with Google").click()
    page.get_by_role("button", name=re.compile(person, re.IGNORECASE)).click()


def card(page: Page, playlist: str) -> Locator:
    return page.locator(f'.card[data-playlist-id="{playlist}"]')


def hits(page: Page) -> Locator:
    return page.locator(".hit")


def search(page: Page, query: str) -> None:
    """Fills the search box and waits until the page shows the answer to this query."""
    request = re.compile(rf"/api/search\?(.*&)?{re.escape(urlencode({'q': query}))}&")
    with page.expect_response(request) as answer:
        page.get_by_role("combobox").first.fill(query)
    found = answer.value.json()["hits"]
    if found:
        expect(hits(page).first).to_have_attribute("data-video-id", found[0]["video_id"])
    else:
        expect(page.locator("#found-status")).to_have_text("Nothing found")


def wait_until(page: Page, condition: Callable[[], object], description: str) -> None:
    """Polls from Python: page.wait_for_function evaluates a string, which the page's CSP forbids."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"expected within {_WAIT_SECONDS} s: {description}"
        page.wait_for_timeout(50)


def screenshot(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png")


def assert_accessible(page: Page) -> None:
    """Fails if axe finds a violation of an accessibility rule."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def define_playlist(stack: Stack, user: str, count: int) -> list[str]:
    """Defines the playlist ``PL{user}`` with this many new videos, and returns the video ids."""
    videos = [f"{user[-8:]:x<8}{number:03}" for number in range(count)]
    tracks = [{"language": "en", "lines": [[0, 2, "some words"]]}]
    stack.fake_youtube.define(
        videos=[{"id": each, "title": f"Title of {each}", "tracks": tracks} for each in videos],
        playlists=[{"id": f"PL{user}", "title": f"Playlist of {user}", "videos": videos}],
    )
    return videos


def index_video(stack: Stack, user: str, lines: Sequence[Sequence[object]], **fields: object) -> str:
    """Indexes a new video with these English lines, ``[start, duration, text]``. Returns its id."""
    video_id = f"{user[-8:]:v<8}own"
    video = {"id": video_id, "title": f"Video of {user}", "tracks": [{"language": "en", "lines": lines}]}
    playlist = f"PLown-{user}"
    stack.fake_youtube.define(
        videos=[{**video, **fields}], playlists=[{"id": playlist, "videos": [video_id]}]
    )
    stack.finish(stack.index(playlist, user), user)
    return video_id


def player(page: Page) -> FrameLocator:
    """The inside of the player."""
    return page.frame_locator(".player iframe")


def player_time(page: Page) -> float:
    """The seconds at which the fake player is."""
    frame = next((each for each in page.frames if "/embed/" in each.url), None)
    # The frame may still be loading.
    return float(frame.evaluate("typeof now === 'function' ? now() : -1")) if frame else -1


def expect_quote(page: Page, text: str) -> None:
    """Fails if the quote that the page copies does not begin with this text."""
    page.evaluate("navigator.clipboard.writeText('')")
    page.get_by_role("button", name="Copy quote").click()
    wait_until(page, lambda: page.evaluate("navigator.clipboard.readText()"), "the quote is copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"“{text}")
