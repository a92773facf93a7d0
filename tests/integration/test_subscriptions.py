"""Subscriptions: the channels that a person has subscribed to at YouTube, to pick from."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.fake_youtube.library.model import channel_named
from infra.local.fake_youtube.live_server import LiveServer
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.signin_support import Browser
from tests.integration.world import Clock, World


@pytest.fixture
def demo(google: LiveServer, functions: HttpFunctions) -> Browser:
    browser = Browser(functions)
    assert browser.sign_in("demo") == "/"
    return browser


def listed(browser: Browser) -> dict[str, Any]:
    answer = browser.at("library").get("/api/subscriptions")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def subscribe(google: LiveServer, titles: list[str]) -> None:
    google.control("playlists", {"subscriptions": {"demo": titles}})


def test_all_subscriptions_are_listed_by_name_and_stored_for_a_while(
    demo: Browser, google: LiveServer, world: World, clock_of_test: Clock
) -> None:
    titles = [f"<b>Channel</b> {number:03}" for number in range(120)]
    subscribe(google, titles[::-1])
    before = google.stats()["quota"]["used"]
    found = listed(demo)
    assert found["notices"] == []
    assert [each["title"] for each in found["subscriptions"]] == titles
    channel_id = channel_named(titles[7]).id
    picked = found["subscriptions"][7]
    assert (picked["channel_id"], picked["playlist_id"]) == (channel_id, f"UU{channel_id[2:]}")
    assert picked["in_library"] is False
    assert google.stats()["quota"]["used"] - before == 3
    # What is picked is in the library.
    started = demo.at("index").post(
        "/api/index", json={"playlist": channel_id}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert started.status_code == 202, started.text
    world.db.commit().set(
        f"users/demo/memberships/{picked['playlist_id']}", {"title": "x", "updated_at": clock_of_test()}
    ).run()
    assert listed(demo)["subscriptions"][7]["in_library"] is True
    assert google.stats()["quota"]["used"] - before == 3
    clock_of_test.forward(minutes=11)
    subscribe(google, titles[:1])
    assert len(listed(demo)["subscriptions"]) == 1


def test_what_keeps_the_list_from_coming_is_said(
    demo: Browser, google: LiveServer, clock_of_test: Clock
) -> None:
    subscribe(google, ["A channel"])
    assert len(listed(demo)["subscriptions"]) == 1
    clock_of_test.forward(minutes=11)
    google.control("faults", {"kind": "quota_exceeded", "endpoints": ["data_api"], "total": 1})
    found = listed(demo)
    assert [each["code"] for each in found["notices"]] == ["quota_exceeded"]
    assert len(found["subscriptions"]) == 1
    google.control("faults", {"kind": "auth_error", "endpoints": ["data_api"], "total": 1})
    found = listed(demo)
    assert (found["subscriptions"], found["notices"][0]["code"]) == ([], "grant_expired")


def test_who_did_not_sign_in_with_google_has_none(world: World, functions: HttpFunctions) -> None:
    answer = functions.client("library").get("/api/subscriptions", headers=bearer(world, "somebody"))
    assert answer.get_json() == {"subscriptions": [], "notices": []}
