"""Guests: who comes with a read-only link, and which routes are open to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Request

from shared.accounts.asking import asked, searchable
from shared.accounts.auth import Auth, Caller
from shared.accounts.profiles import profile_path
from shared.config import Config
from shared.declared import Parameters
from shared.errors import Unauthenticated
from shared.keep.saved import Arguments
from shared.library.links import Link
from shared.library.packing import pack_ids, pack_times
from shared.random_secrets import hash_secret
from shared.search.params import Asked
from shared.web.routing import Routes
from tests.unit.functions import SAMPLE, client
from tests.unit.in_memory import InMemory

TOKEN = f"yts_link_{'x' * 43}"
SOURCE = "users/ada/memberships/PLlent"
DAY = datetime(2024, 1, 31, tzinfo=UTC)
PROFILE = {"email": "ada@example.com", "email_verified": True, "hosted_domain": "example.com"}


@pytest.fixture
def db() -> InMemory:
    """Ada's library has two playlists. There is a link to one of them."""
    made = InMemory()
    made[f"links/{hash_secret(TOKEN)}"] = {"user_id": "ada", "playlist_id": "PLlent"}
    made[SOURCE] = {"title": "Lent", "privacy": "public", "updated_at": datetime(2024, 1, 31, tzinfo=UTC)}
    made["users/ada/memberships/PLmine"] = {"title": "Mine"}
    made[profile_path("ada")] = PROFILE
    return made


def caller(db: InMemory, config: Config | None = None, token: str = TOKEN) -> Caller:
    return Auth(config or Config(), db).authenticate(f"Bearer {token}")


def test_a_guest_may_search_one_source_of_the_owner(db: InMemory) -> None:
    guest = caller(db)
    assert guest.link == Link(hash_secret(TOKEN)[:16], "ada", "PLlent", "Lent")
    assert guest == Caller("ada", link=guest.link), "neither an operator nor in a session"
    assert searchable(db, guest) == {"PLlent": "Lent"}
    assert searchable(db, Caller("ada")) == {"PLlent": "Lent", "PLmine": "Mine"}


def test_a_guest_of_an_operator_is_no_operator(db: InMemory) -> None:
    assert caller(db, Config(operators=("ada@example.com",))).manages is False


@pytest.mark.parametrize(("playlist_id", "shown"), [("PLlent", [DAY]), ("collection-0123456789abcdef", [])])
def test_a_guest_does_not_see_when_the_owner_collected_a_video(
    playlist_id: str, shown: list[datetime], db: InMemory
) -> None:
    held = {"video_ids": pack_ids(["boats"]), "added": pack_times([DAY]), "updated_at": DAY}
    db[f"users/ada/memberships/{playlist_id}"] = {"title": "Lent", "privacy": "public", **held}
    guest = Caller("ada", link=Link("a-link", "ada", playlist_id, "Lent"))
    for query in ("sort=added", f"sort=playlist&playlist={playlist_id}", "added_after=2020-01-01"):
        _, placed = asked(db, guest, Parameters(Asked).read(Arguments(query)))
        assert placed is not None
        assert (list(placed.order), list(placed.added.values())) == (["boats"], shown)


ENDS: list[tuple[str, dict[str, Any]]] = [
    (f"links/{hash_secret(TOKEN)}", {"user_id": "ada", "playlist_id": "PLelsewhere"}),
    (f"links/{hash_secret(TOKEN)}", {"user_id": "eve", "playlist_id": "PLlent"}),
    (SOURCE, {"title": "Lent", "privacy": "private", "updated_at": None}),
    (SOURCE, {"title": "Lent", "privacy": None, "updated_at": None}),
    (profile_path("ada"), {**PROFILE, "suspended": True}),
    (profile_path("ada"), {**PROFILE, "email": "ada@elsewhere.example"}),
    (profile_path("ada"), {}),
]


@pytest.mark.parametrize(("path", "data"), ENDS)
def test_a_dead_link_does_not_say_why(path: str, data: dict[str, Any], db: InMemory) -> None:
    allowing = Config(allowed_users=("example.com",))
    assert caller(db, allowing).link is not None
    db[path] = data
    with pytest.raises(Unauthenticated, match="This link does not work any more"):
        caller(db, allowing)


def test_a_user_who_is_not_allowed_any_more_is_not_admitted(db: InMemory) -> None:
    assert Auth(Config(allowed_users=("example.com",)), db).admits("ada")
    assert not Auth(Config(allowed_users=("elsewhere.example",)), db).admits("ada")


@pytest.mark.parametrize("token", ["yts_link_", "yts_link_x", TOKEN + "x", TOKEN[:-1], TOKEN.upper()])
def test_a_token_that_is_nearly_right_is_wrong(token: str, db: InMemory) -> None:
    with pytest.raises(Unauthenticated):
        caller(db, token=token)


def test_routes_are_closed_to_guests_unless_they_say_otherwise(db: InMemory) -> None:
    routes = Routes(Config(), db)

    def answer(request: Request, caller: Caller) -> Mapping[str, bool]:
        """Whether a guest is calling."""
        return {"guest": caller.link is not None}

    routes.get("/api/open", guests=True)(answer)
    routes.get("/api/closed")(answer)
    routes.get("/api/public", public=True)(answer)
    for add in (routes.post, routes.patch, routes.delete):
        add("/api/open")(answer)
    web = client("sample", SAMPLE, routes=routes)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    asked = {
        (method, path): web.open(path, method=method, headers=headers).status_code
        for method, path in [
            *(("GET", f"/api/{name}") for name in ("open", "closed", "public")),
            *((method, "/api/open") for method in ("HEAD", "POST", "PATCH", "DELETE")),
        ]
    }
    assert [key for key, status in asked.items() if status == 200] == [
        ("GET", "/api/open"),
        ("GET", "/api/public"),
        ("HEAD", "/api/open"),
    ]
    assert {status for status in asked.values() if status != 200} == {403}
    assert web.get("/api/public", headers=headers).get_json() == {"guest": False}
