"""Read-only links: what a guest finds, and when a link ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.accounts.erasure import Erasure
from shared.accounts.profiles import profile_path
from shared.pipeline.removal import Removal
from tests.integration.keeping import Person
from tests.integration.world import World


def link_to(person: Person, playlist: str, status: int = 201) -> Any:
    return person.ask("POST", "/api/links", {"playlist_id": playlist}, status)


def as_guest(person: Person, link: dict[str, Any]) -> Person:
    return Person(person.site, person.user_id, link["url"].partition("/#link=")[2])


def test_a_guest_finds_what_is_in_the_source_and_nothing_else(keeper: Person) -> None:
    keeper.put("ropes", "quiet", playlist="PLother")
    guest = as_guest(keeper, link_to(keeper, "PLother"))
    found = guest.ask("GET", "/api/search?q=sea")
    assert sorted(hit["video_id"] for hit in found["hits"]) == ["quiet", "ropes"]
    assert [each["value"] for each in found["facets"]["playlists"]] == ["PLother"]
    assert guest.ask("GET", "/api/search?q=sea&playlist=PLmine")["total"] == 0
    guest.ask("GET", "/api/searches", status=403)
    keeper.put("ropes", playlist="PLother")
    assert guest.ask("GET", "/api/search?q=sea")["total"] == 1


def test_a_link_is_listed_without_its_address_and_revoked(
    keeper: Person, new_keeper: Callable[[], Person]
) -> None:
    links = [link_to(keeper, "PLmine") for _ in range(2)]
    listed = keeper.ask("GET", "/api/links")["links"]
    assert {each["id"] for each in listed} == {each["id"] for each in links}
    assert set(listed[0]) == {"id", "playlist_id", "created_at"}
    new_keeper().ask("DELETE", f"/api/links/{links[0]['id']}", status=404)
    keeper.ask("DELETE", f"/api/links/{links[0]['id']}", status=204)
    keeper.ask("DELETE", f"/api/links/{links[0]['id']}", status=404)
    assert (
        as_guest(keeper, links[0])
        .ask("GET", "/api/search?q=sea", status=401)["detail"]
        .startswith("This link does not work any more.")
    )
    as_guest(keeper, links[1]).ask("GET", "/api/search?q=sea")


@pytest.mark.parametrize("end", ["removed", "private", "suspended", "erased"])
def test_a_link_ends_with_what_it_stands_on(end: str, keeper: Person, world: World) -> None:
    link = link_to(keeper, "PLmine")
    guest = as_guest(keeper, link)
    guest.ask("GET", "/api/search?q=sea")
    path = f"users/{keeper.user_id}/memberships/PLmine"
    match end:
        case "removed":
            Removal(keeper.site.db, keeper.site.library.index).remove(keeper.user_id, "PLmine")
            keeper.put("tides")  # added again: the old link stays dead
        case "private":
            keeper.site.db.commit().update(path, {"privacy": "private"}).run()
        case "suspended":
            keeper.site.db.commit().set(profile_path(keeper.user_id), {"suspended": True}).run()
        case _:
            Erasure(keeper.site.db, keeper.site.library.index, world.grants).erase(keeper.user_id)
    guest.ask("GET", "/api/search?q=sea", status=401)


def test_only_what_others_may_see_is_shared(keeper: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for privacy, playlist, status in (
        ("unlisted", "PLmine", 201),
        ("private", "PLmine", 400),
        (None, "PLmine", 400),
        (None, "collection-0123456789abcdef", 201),
        (None, "UUofachannel", 201),
        ("public", "LLliked", 400),
        (None, "PLnowhere", 404),
        (None, "../x", 404),
    ):
        if status != 404:
            keeper.put("tides", playlist=playlist)
            path = f"users/{keeper.user_id}/memberships/{playlist}"
            keeper.site.db.commit().update(path, {"privacy": privacy}).run()
        link_to(keeper, playlist, status)
    for body in ({}, {"playlist_id": 7}, {"playlist_id": None}, {"playlist_id": ["PLmine"]}):
        assert "expected the id" in keeper.ask("POST", "/api/links", body, 400)["detail"]
    monkeypatch.setattr("shared.library.links.MAXIMUM", 3)
    keeper.ask("GET", "/api/links")
    assert "Revoke one first" in link_to(keeper, "UUofachannel", 409)["detail"]


def test_guests_of_one_link_are_slowed_down_together(keeper: Person) -> None:
    guest = as_guest(keeper, link_to(keeper, "PLmine"))
    statuses = set()
    with ThreadPoolExecutor(4) as pool:

        def asks(_: int) -> None:
            headers = {"Authorization": f"Bearer {guest.token}"}
            statuses.add(
                keeper.site.search.application.test_client().get("/api/link", headers=headers).status_code
            )

        list(pool.map(asks, range(700)))
    assert statuses == {200, 429}
