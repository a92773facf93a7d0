"""Chromium, and the page opened in it as somebody."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.e2e.page import SAMPLE, Open
from tests.stack import Stack

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_users = itertools.count(1)
# Other work on the machine may make everything slow; what fails fails anyway.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    installed = next((path for name in _CHROMIUMS if (path := shutil.which(name))), None)
    # Chromium's sandbox does not work for root, who runs tests in containers.
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


@pytest.fixture(autouse=True)
def _quiet_youtube(stack: Stack) -> Iterator[None]:
    stack.standin.reset("latency", "faults")
    yield
    stack.standin.reset("latency", "faults")


@pytest.fixture
def user() -> str:
    """Somebody whose library is empty."""
    return f"page-{os.getpid()}-{next(_users)}"


@pytest.fixture(scope="session")
def reader(stack: Stack) -> str:
    """Somebody whose library is the sample playlist; for tests that change nothing in it."""
    stack.finish(stack.index(SAMPLE, "reader"), "reader")
    return "reader"


@pytest.fixture
def open_page(chromium: Browser, stack: Stack) -> Iterator[Open]:
    """Opens the page as a user, or as nobody. What the browser complains about fails the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(user: str | None, path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda message: _complaint(message.type, message.text, complaints))
        page.goto(stack.url + path + (f"#token={stack.token(user)}" if user else ""))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _complaint(kind: str, text: str, complaints: list[str]) -> None:
    # That an answer was a 4xx is what those tests are about; a broken policy or script is not.
    if kind in ("error", "warning") and "Failed to load resource" not in text:
        complaints.append(f"{kind}: {text}")
