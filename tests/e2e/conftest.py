"""Fixtures that start Chromium and open the page as a user."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.page import SAMPLE, Open, launched
from tests.stack import Stack

_user_numbers = itertools.count(1)
# Long, because a busy machine may slow everything down. It costs time only when a test fails anyway.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _youtube_without_faults(stack: Stack) -> Iterator[None]:
    stack.fake_youtube.reset("latency", "faults")
    yield
    stack.fake_youtube.reset("latency", "faults")


@pytest.fixture
def user() -> str:
    """A new user with an empty library."""
    return f"page-{os.getpid()}-{next(_user_numbers)}"


@pytest.fixture(scope="session")
def reader(stack: Stack) -> str:
    """A user with the indexed sample playlist, shared by tests that change nothing in it."""
    stack.finish(stack.index(SAMPLE, "reader"), "reader")
    return "reader"


@pytest.fixture
def open_page(chromium: Browser, stack: Stack) -> Iterator[Open]:
    """Opens the page as a user, or signed out with None.

    The test fails if the browser logs an error or a warning, such as a script error or a CSP violation.
    """
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(user: str | None, path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda message: _note_complaint(message.type, message.text, complaints))
        page.goto(stack.url + path + (f"#token={stack.token(user)}" if user else ""))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _note_complaint(kind: str, text: str, complaints: list[str]) -> None:
    # Chromium logs every 4xx and 5xx answer as a failed resource. Tests cause such answers on purpose.
    if kind in ("error", "warning") and "Failed to load resource" not in text:
        complaints.append(f"{kind}: {text}")
