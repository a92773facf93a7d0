"""What a stack knows about its address at YouTube."""

from __future__ import annotations

from uuid import uuid4

import requests

from tests.stack import Stack

_PATH = "/v1/projects/yts-local/databases/(default)/documents/egress/main"


def forget(stack: Stack) -> None:
    """Deletes what is known about the address. The fetcher forgets it at its next sync.

    With an address that is trusted, all videos of a test could be in flight when it is blocked. And after a
    block the fetcher would be slow in the tests that follow.
    """
    stack.fake_youtube.reset("faults", "latency", "addresses")
    _ask(stack, "DELETE").raise_for_status()

    def synced() -> bool:
        # A fetcher syncs when it fetches a video, at most once a second. Then it makes the document again.
        stack.finish(stack.index(f"PLgen-1-{uuid4().hex[:8]}-short", "forgetful"), "forgetful")
        return _ask(stack, "GET").ok

    stack.wait_for(synced, 30, "the fetcher writes what it knows of its address")
    stack.fake_youtube.reset("stats")


def _ask(stack: Stack, method: str) -> requests.Response:
    headers = {"Authorization": "Bearer owner"}
    return requests.request(method, f"http://{stack.firestore}{_PATH}", headers=headers, timeout=10)
