"""Downloads in Chromium that take long, or that break off."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page import Open, hits, index_video
from tests.stack import Stack

pytestmark = pytest.mark.stack

#: Seconds. Other requests of the page end after thirty.
_LONG = 33


class _FileHandler(BaseHTTPRequestHandler):
    """``/slow`` sends a piece a second; ``/broken`` announces more than it sends."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        pieces = _LONG if self.path == "/slow" else 2
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(6 * _LONG))
        self.end_headers()
        for _ in range(pieces):
            time.sleep(1)
            self.wfile.write(b"piece\n")
            self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def file_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _FileHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _ask_for_an_export(page: Page) -> None:
    page.locator("#export summary").click()
    page.get_by_role("button", name="Spreadsheet").click()


def _ask_for_a_transcript(page: Page) -> None:
    page.locator(".tools summary").click()
    page.get_by_role("button", name="Markdown").click()


def _open_both(open_page: Open, reader: str, url: str) -> tuple[Page, Page]:
    """A search whose export, and a video whose transcript comes from another server."""
    search = open_page(reader, "/?q=heap")
    search.route("**/api/search/export?*", lambda route: route.continue_(url=url))
    expect(hits(search).first).to_be_visible()
    video = open_page(reader, "/?v=hNi6jQj9BOA")
    video.route("**/api/videos/*?format=*", lambda route: route.continue_(url=url))
    expect(video.locator(".lines a").first).to_be_visible()
    return search, video


def test_subtitles_of_lines_that_overlap_follow_each_other(stack: Stack, open_page: Open, user: str) -> None:
    video_id = index_video(stack, user, [[0, 4.97, "one"], [2.5, 5, "two"], [5, 3, "three"]])
    page = open_page(user, f"/?v={video_id}")
    expect(page.locator(".lines a")).to_have_count(3)
    for name in ("Subtitles (SRT)", "Subtitles (WebVTT)"):
        page.locator(".tools summary").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        text = download.value.path().read_text(encoding="utf-8").replace(",", ".")
        assert re.findall(r"00:00:(\S+) --> 00:00:(\S+)", text) == [
            ("00.000", "02.500"),
            ("02.500", "05.000"),
            ("05.000", "08.000"),
        ]


def test_a_file_that_takes_long_arrives_whole(open_page: Open, reader: str, file_server: str) -> None:
    search, video = _open_both(open_page, reader, f"{file_server}/slow")
    patient = 4_000 * _LONG
    with (
        search.expect_download(timeout=patient) as table,
        video.expect_download(timeout=patient) as transcript,
    ):
        _ask_for_an_export(search)
        _ask_for_a_transcript(video)
        # The page shows that something is going on.
        expect(search.locator("#busy")).to_be_visible()
    for download in (table, transcript):
        assert download.value.path().read_text() == "piece\n" * _LONG
    expect(search.locator("#toast")).to_contain_text("The export is saved")
    expect(search.locator("#busy")).to_be_hidden()


def test_a_file_that_breaks_off_is_not_saved_and_the_page_says_so(
    open_page: Open, reader: str, file_server: str
) -> None:
    search, video = _open_both(open_page, reader, f"{file_server}/broken")
    saved: list[str] = []
    for page, ask in ((search, _ask_for_an_export), (video, _ask_for_a_transcript)):
        page.on("download", lambda download: saved.append(download.suggested_filename))
        ask(page)
        expect(page.locator("#toast")).to_have_text("The server's answer broke off. Try again.")
        expect(page.locator("#busy")).to_be_hidden()
    search.route("**/api/search/export?*", lambda route: route.abort())
    _ask_for_an_export(search)
    expect(search.locator("#toast")).to_have_text("The server cannot be reached.")
    assert saved == []
