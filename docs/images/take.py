"""Takes the pictures of README.md from a local run (`./emulators.sh up`).

    .venv/bin/python docs/images/take.py

It needs Chromium, which `./emulators.sh test` installs. The port is that of the variable PORT.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
URL = f"http://localhost:{os.environ.get('PORT', '8080')}"
#: A generated playlist, large enough to be still indexing when its picture is taken.
GENERATED = "PLgen-1000-readme"


def take(page: Page, name: str) -> None:
    """Saves what the page shows as NAME.jpg beside this file."""
    page.evaluate("document.fonts.ready")
    page.screenshot(path=HERE / f"{name}.jpg", type="jpeg", quality=80)


def library(page: Page) -> None:
    """The library while a playlist is being indexed. The playlist is removed afterwards."""
    page.goto(URL)
    page.get_by_label("Playlists, channels or videos").fill(GENERATED)
    page.keyboard.press("Enter")
    card = page.locator(f'.card[data-playlist-id="{GENERATED}"]')
    expect(card).to_contain_text("videos/s", timeout=60_000)
    expect(page.locator("#toast")).to_be_empty(timeout=10_000)
    take(page, "library")
    page.evaluate(
        "id => fetch(`/api/playlists/${id}`, {method: 'DELETE',"
        " headers: {Authorization: `Bearer ${sessionStorage.getItem('yts-token')}`}})",
        GENERATED,
    )


def search(page: Page) -> None:
    """The hits of a search in several languages."""
    page.goto(f"{URL}/?q=fire+OR+telescope+OR+茶")
    expect(page.locator(".hit").nth(2)).to_be_visible()
    take(page, "search")


def meaning(page: Page) -> None:
    """Passages that answer a question in other words, in several languages."""
    page.goto(f"{URL}/?q=why+does+rotting+garden+waste+become+warm%3F&by=meaning")
    expect(page.locator(".hit mark").first).to_be_visible(timeout=60_000)
    take(page, "meaning")


def watch(page: Page) -> None:
    """A video that plays at a match, with the present line of its transcript marked."""
    page.goto(f"{URL}/?q=compost+OR+heap")
    page.locator(".moments a", has_text="a fire that happens to be wet").first.click()
    expect(page.frame_locator(".player iframe").locator("#toggle")).to_have_text("Pause")
    expect(page.locator(".lines [aria-current]")).to_be_visible()
    take(page, "watch")


def main() -> None:
    token = subprocess.run(
        [ROOT / "emulators.sh", "token"], check=True, capture_output=True, text=True
    ).stdout
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1120, "height": 700}, reduced_motion="reduce")
        page.goto(f"{URL}/#token={token.strip()}")
        expect(page.locator(".card").first).to_be_visible()
        for picture in (library, search, meaning, watch):
            picture(page)
        browser.close()


if __name__ == "__main__":
    main()
