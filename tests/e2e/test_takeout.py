"""Importing a Google Takeout in Chromium."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from tests import takeout
from tests.e2e.page import Open, assert_accessible, card, define_playlist, hits, screenshot, search
from tests.stack import Stack

pytestmark = pytest.mark.stack

_DROP = """(zone, files) => {
    const transfer = new DataTransfer();
    for (const [name, content] of Object.entries(files)) {
        const bytes = typeof content === "number"
            ? new Uint8Array(content).fill(48)
            : Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
    }
    zone.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def _drop(page: Page, files: Mapping[str, bytes | int]) -> None:
    """Each file has these bytes, or so many zeros: many bytes take long on their way to the browser."""
    encoded = {
        name: content if isinstance(content, int) else base64.b64encode(content).decode()
        for name, content in files.items()
    }
    page.locator(".drop").evaluate(_DROP, encoded)


def test_a_dropped_takeout_becomes_collections_that_are_found(
    stack: Stack, open_page: Open, user: str
) -> None:
    videos = define_playlist(stack, user, 5)
    watched = [(video, f"2024-03-{9 - number:02}T10:00:00") for number, video in enumerate(videos)]
    again = [(video, "2024-02-01T10:00:00") for video in videos[:2]]
    history = takeout.history_json([*watched, *again], removed=2, ads=1)
    texts = takeout.files({"Bread / Cake": watched[:2]}, watched[2:4], history, {f"UC{0:022}": "A channel"})
    page = open_page(user)
    page.get_by_role("link", name="Import from Google Takeout").click()
    expect(page.get_by_role("heading", name="Import from Google Takeout")).to_be_focused()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    _drop(page, {"takeout-001.zip": takeout.zipped(texts), "cat.jpg": b"\xff\xd8"})
    expect(page.get_by_text("Found 2 playlists, a history of 7 entries, 1 subscription.")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="cat.jpg has no playlists")).to_be_visible()
    expect(page.get_by_text("2 videos removed or private since, left out. 1 advertisement")).to_be_visible()
    # Reading sends nothing: the library is asked for, nothing more.
    assert set(sent) == {""}
    assert_accessible(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    screenshot(page, "takeout-found-360")
    page.set_viewport_size({"width": 1280, "height": 860})

    page.get_by_label("Name of the collection for Bread / Cake").fill("Baking")
    page.get_by_label("Import Watch history").check()
    page.get_by_label("At least").fill("2")
    history_row = page.locator(".list-row").filter(has=page.get_by_label("Import Watch history"))
    expect(history_row.locator(".amount")).to_have_text("2 videos")
    page.get_by_label("At least").fill("1")
    page.get_by_label("Watched since").fill("2024-03-06")
    expect(history_row.locator(".amount")).to_have_text("4 videos")
    screenshot(page, "takeout-found")
    page.get_by_role("button", name="Import 3 collections").click()
    expect(page.get_by_text(re.compile("^Imported"))).to_be_visible()
    for title, count in (("Watch later", 2), ("Baking", 2), ("Watch history", 4)):
        expect(page.locator(".lists li").filter(has_text=f"{title}: {count} videos added")).to_be_visible()

    page.get_by_role("link", name="Baking").click()
    expect(page.locator(".video")).to_have_count(2)
    page.get_by_role("link", name="Library").first.click()
    for collection in stack.get("/api/playlists", user).json()["playlists"]:
        expect(card(page, collection["playlist_id"])).to_contain_text("Indexed", timeout=60_000)
    search(page, "words")
    expect(hits(page)).to_have_count(4)

    # The same Takeout again adds nothing twice. Names are compared as the server compares them.
    page.go_back()
    page.get_by_role("link", name="Import from Google Takeout").click()
    page.get_by_label("Name of the collection for Bread / Cake").fill(" BAKING\u200b ")
    page.get_by_role("button", name=re.compile("^Import 3")).click()
    for text in ("Watch history: 0 videos added · 4 videos", "BAKING: 0 videos added · 2 videos"):
        expect(page.locator(".lists li").filter(has_text=f"{text} already there")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("takeout.zip", b"hello", "takeout.zip is damaged or not complete. Download it again."),
        ("takeout.zip", takeout.zipped({"Takeout/Google Photos/a.json": "{}"}), "choose all of them"),
        ("x-videos.csv", 21_000_000, "x-videos.csv is larger than 20 MB"),
    ],
    ids=["no zip", "another product", "too large"],
)
def test_a_bad_file_is_named_and_nothing_is_made(
    stack: Stack, open_page: Open, user: str, name: str, content: bytes | int, sentence: str
) -> None:
    page = open_page(user, "/?takeout")
    _drop(page, {name: content})
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    expect(page.get_by_text("Nothing to import was found.")).to_be_visible()
    assert stack.get("/api/playlists", user).json()["playlists"] == []
