"""The operator's page in Chromium. The server's side of it is in tests/integration/test_access.py."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page import Open, screenshot
from tests.stack import Stack

pytestmark = pytest.mark.stack


def _user(user_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "email": f"{user_id}@example.org",
        "name": "<b>A name</b>",
        "signed_in_at": "2026-01-31T23:30:00.000Z",
        "operator": False,
        "suspended": False,
        "playlists": 1,
        "videos": 1234,
        "month": {"jobs": 3, "active_jobs": 1, "youtube_bytes": 25_000_000, "quota_units": 41},
        **fields,
    }


class _Server:
    """Answers for the operator's routes. ``changes``: method, path and body of what was sent."""

    def __init__(self, page: Page) -> None:
        self.users = {each: _user(each) for each in ("ada", "bea")}
        self.users["root"] = _user("root", operator=True)
        self.changes: list[tuple[str, str, Any]] = []
        page.route("**/api/me", self._me)
        page.route("**/api/operator/**", self._answer)

    @staticmethod
    def _me(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "operator": True})

    def _answer(self, route: Route) -> None:
        request = route.request
        if request.method == "GET":
            first = request.url.endswith("cursor=")
            names = ["ada", "bea"] if first else ["root"]
            found = [self.users[name] for name in names if name in self.users]
            route.fulfill(json={"users": found, "cursor": "bea" if first else None})
            return
        path = request.url.split("/users/")[1]
        self.changes.append((request.method, path, json.loads(request.post_data or "null")))
        user = path.split("/")[0]
        if request.method == "DELETE":
            del self.users[user]
            route.fulfill(status=204)
        else:
            self.users[user]["suspended"] = json.loads(request.post_data or "")["suspended"]
            route.fulfill(json=self.users[user])


def test_an_operator_sees_suspends_and_erases_users(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(None)
    server = _Server(page)
    page.goto(f"{stack.url}/?settings#token={stack.token(user)}")
    page.get_by_role("link", name="Users of this site").click()
    expect(page.get_by_role("heading", name="Users", exact=True)).to_be_visible()
    row = page.locator(".users li").filter(has_text="ada@example.org")
    expect(row).to_contain_text(
        "1 playlist, 1,234 videos. This month: 3 jobs, 1 active, 25 MB from YouTube, at most 41 units of quota."  # noqa: E501
    )
    expect(row).to_contain_text("Last sign-in: Jan 31, 2026.")
    screenshot(page, "operator")

    row.get_by_role("button", name="Suspend ada@example.org").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    assert server.changes == []
    row.get_by_role("button", name="Suspend ada@example.org").click()
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    expect(row).to_contain_text("Suspended.")
    row.get_by_role("button", name="Admit again ada@example.org").click()
    expect(row).not_to_contain_text("Suspended.")

    page.get_by_role("button", name="Show more").click()
    operator = page.locator(".users li").filter(has_text="root@example.org")
    expect(operator).to_contain_text("Operator.")
    expect(operator.get_by_role("button", name=re.compile("Suspend"))).to_have_count(0)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)

    page.get_by_role("button", name="Erase bea@example.org").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    expect(page.locator(".users li")).to_have_count(2)
    assert server.changes == [
        ("POST", "ada/suspend", {"suspended": True}),
        ("POST", "ada/suspend", {"suspended": False}),
        ("DELETE", "bea", None),
    ]


def test_the_page_is_loaded_only_for_who_opens_it(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(None)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(f"{stack.url}/?settings#token={stack.token(user)}")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(page.get_by_role("link", name="Users of this site")).to_have_count(0)
    assert not any("operator" in url for url in loaded)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("not_allowed", "may not use this site"),
        ("nobody_allowed", "ALLOWED_USERS"),
        ("suspended", "has suspended this account"),
    ],
)
def test_who_is_turned_away_reads_why(kind: str, message: str, stack: Stack, open_page: Open) -> None:
    page = open_page(None, f"/?signin={kind}")
    expect(page.get_by_role("alert").filter(has_text=message)).to_be_visible()
    expect(page).to_have_url(f"{stack.url}/")
    expect(page.get_by_role("link", name="Sign in with Google")).to_be_visible()


def test_who_is_shut_out_while_signed_in_reads_why(stack: Stack, open_page: Open, user: str) -> None:
    page = open_page(None)
    detail = "The operator has suspended this account. Ask the operator why."
    problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": detail}
    page.route("**/api/me", lambda route: route.fulfill(status=403, json=problem))
    page.goto(f"{stack.url}/?q=x#token={stack.token(user)}")
    expect(page.get_by_role("alert").filter(has_text=detail)).to_be_visible()
    expect(page.get_by_role("link", name="Sign in with Google")).to_be_visible()
