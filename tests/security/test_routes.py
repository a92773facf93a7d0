"""Every route, called by nobody, by another user, by a guest and by the owner.

A route without a row fails the test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.gateway.proxy import routes_of
from infra.pipeline import load_pipeline
from shared.config import Config
from tests.security.visitors import ALONE, LENT, LENT_VIDEO, PLAYLIST, SAID, Visitor, World
from tests.unit.functions import endpoints

PIPELINE = load_pipeline(Config.from_env({}))


@dataclass(frozen=True, slots=True)
class Row:
    """One route. ``path``, ``body``: of the request. ``owner``: the status of the owner's request.

    ``stranger``: the status for another user. None for a route that ends the caller's own session or account.
    ``guest``: the status for somebody with the owner's read-only link.
    """

    path: Callable[[World], str]
    stranger: int | None
    owner: int
    body: Callable[[World], dict[str, Any]] | None = None
    public: bool = False
    #: Another status, which a busy machine may answer.
    also: int = 0
    guest: int = 403

    def ask(self, method: str, world: World, visitor: Visitor, **headers: str) -> tuple[int, str]:
        body = self.body(world) if self.body else None
        answer = visitor.ask(method, self.path(world), json=body, headers=headers)
        return answer.status_code, answer.text


#: Routes that end or remove something of the owner come last.
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/api/health"): Row(lambda w: "/api/health", 200, 200, public=True, also=503),
    ("GET", "/api/login"): Row(lambda w: "/api/login?next=//evil.example", 302, 302, public=True),
    ("GET", "/api/login/callback"): Row(
        lambda w: "/api/login/callback?state=x&code=y", 302, 302, public=True
    ),
    ("GET", "/api/me"): Row(lambda w: "/api/me", 200, 200),
    ("GET", "/api/jobs"): Row(lambda w: "/api/jobs?limit=100", 200, 200),
    ("GET", "/api/jobs/<job_id>"): Row(lambda w: f"/api/jobs/{w.job_id}", 404, 200),
    ("GET", "/api/jobs/<job_id>/videos"): Row(lambda w: f"/api/jobs/{w.job_id}/videos", 404, 200),
    ("GET", "/api/playlists"): Row(lambda w: "/api/playlists", 200, 200),
    ("GET", "/api/search"): Row(lambda w: f"/api/search?q={SAID}", 200, 200, guest=200),
    ("GET", "/api/search/export"): Row(lambda w: f"/api/search/export?q={SAID}", 200, 200),
    ("GET", "/api/export"): Row(lambda w: "/api/export?format=jsonl", 200, 200),
    ("GET", "/api/suggest"): Row(lambda w: f"/api/suggest?q={SAID[:4]}", 200, 200, guest=200),
    ("GET", "/api/videos/<video_id>"): Row(lambda w: f"/api/videos/{ALONE}", 404, 200, guest=404),
    ("GET", "/api/videos/<video_id>/related"): Row(
        lambda w: f"/api/videos/{ALONE}/related?start=0", 404, 200
    ),
    ("GET", "/api/link"): Row(lambda w: "/api/link", 404, 404, guest=200),
    ("GET", "/api/searches"): Row(lambda w: "/api/searches", 200, 200),
    ("GET", "/api/links"): Row(lambda w: "/api/links", 200, 200),
    ("GET", "/api/clips"): Row(lambda w: f"/api/clips?q={SAID}&video={ALONE}", 200, 200),
    ("GET", "/api/clips/export"): Row(lambda w: "/api/clips/export?format=json", 200, 200),
    ("GET", "/api/feeds/<token>.atom"): Row(lambda w: f"/api/feeds/{w.feed}.atom", 200, 200, public=True),
    ("GET", "/api/feeds/<token>.json"): Row(lambda w: f"/api/feeds/{w.feed}.json", 200, 200, public=True),
    ("GET", "/api/tokens"): Row(lambda w: "/api/tokens", 200, 200),
    # Nobody in this world is an operator. tests/integration/test_access.py has one.
    ("GET", "/api/operator/users"): Row(lambda w: "/api/operator/users", 404, 404),
    ("POST", "/api/operator/users/<user_id>/suspend"): Row(
        lambda w: "/api/operator/users/other/suspend", 404, 404, lambda w: {"suspended": True}
    ),
    ("DELETE", "/api/operator/users/<user_id>"): Row(lambda w: "/api/operator/users/other", 404, 404),
    ("POST", "/api/tokens"): Row(lambda w: "/api/tokens", 201, 201, lambda w: {"name": "x", "user": "other"}),
    ("POST", "/api/jobs/<job_id>/retry"): Row(lambda w: f"/api/jobs/{w.job_id}/retry", 404, 200),
    ("POST", "/api/jobs/<job_id>/cancel"): Row(lambda w: f"/api/jobs/{w.job_id}/cancel", 404, 200),
    ("POST", "/api/videos/<video_id>/fetch"): Row(lambda w: f"/api/videos/{ALONE}/fetch", 404, 202),
    ("POST", "/api/searches"): Row(lambda w: "/api/searches", 201, 201, lambda w: {"query": "q=elsewhere"}),
    ("PATCH", "/api/searches/<search_id>"): Row(
        lambda w: f"/api/searches/{w.search_id}", 404, 200, lambda w: {"title": "Mine"}
    ),
    ("POST", "/api/searches/<search_id>/seen"): Row(lambda w: f"/api/searches/{w.search_id}/seen", 404, 200),
    ("POST", "/api/searches/<search_id>/feed"): Row(lambda w: f"/api/searches/{w.search_id}/feed", 404, 201),
    ("DELETE", "/api/searches/<search_id>/feed"): Row(
        lambda w: f"/api/searches/{w.search_id}/feed", 404, 204
    ),
    ("DELETE", "/api/searches/<search_id>"): Row(lambda w: f"/api/searches/{w.search_id}", 404, 204),
    ("POST", "/api/clips"): Row(
        lambda w: "/api/clips", 404, 201, lambda w: {"video_id": ALONE, "from_line": 0, "to_line": 0}
    ),
    ("PATCH", "/api/clips/<clip_id>"): Row(
        lambda w: f"/api/clips/{w.clip_id}", 404, 200, lambda w: {"note": "Mine"}
    ),
    ("DELETE", "/api/clips/<clip_id>"): Row(lambda w: f"/api/clips/{w.clip_id}", 404, 204),
    # The stranger has no such playlist.
    ("POST", "/api/links"): Row(lambda w: "/api/links", 404, 201, lambda w: {"playlist_id": LENT}),
    ("DELETE", "/api/links/<link_id>"): Row(lambda w: f"/api/links/{w.link_id}", 404, 204),
    ("DELETE", "/api/tokens/<token_id>"): Row(lambda w: f"/api/tokens/{w.token_id}", 404, 204),
    ("PATCH", "/api/playlists/<playlist_id>"): Row(
        lambda w: f"/api/playlists/{PLAYLIST}", 404, 200, lambda w: {"refresh": "weekly"}
    ),
    ("DELETE", "/api/playlists/<playlist_id>"): Row(lambda w: f"/api/playlists/{PLAYLIST}", 404, 204),
    # After the route above, because this one starts a job of the stranger.
    ("POST", "/api/index"): Row(lambda w: "/api/index", 202, 202, lambda w: {"playlist": PLAYLIST}),
    ("GET", "/api/subscriptions"): Row(lambda w: "/api/subscriptions", 200, 200),
    ("POST", "/api/collections"): Row(lambda w: "/api/collections", 201, 201, lambda w: {"title": "Talks"}),
    ("POST", "/api/collections/<collection_id>/videos"): Row(
        lambda w: f"/api/collections/{w.collection_id}/videos",
        404,
        202,
        lambda w: {"videos": ["dQw4w9WgXcQ"]},
    ),
    ("PATCH", "/api/collections/<collection_id>"): Row(
        lambda w: f"/api/collections/{w.collection_id}", 404, 200, lambda w: {"title": "Films"}
    ),
    ("GET", "/api/collections/<collection_id>/videos"): Row(
        lambda w: f"/api/collections/{w.collection_id}/videos", 404, 200
    ),
    ("DELETE", "/api/collections/<collection_id>/videos/<video_id>"): Row(
        lambda w: f"/api/collections/{w.collection_id}/videos/dQw4w9WgXcQ", 404, 204
    ),
    # Tools send the token on, so a cookie is not enough. What they find is tested in test_mcp.py.
    ("POST", "/mcp"): Row(
        lambda w: "/mcp", 401, 401, lambda w: {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    ),
    ("POST", "/api/sources"): Row(lambda w: "/api/sources", 200, 200, lambda w: {"text": PLAYLIST}),
    ("POST", "/api/logout"): Row(lambda w: "/api/logout", None, 204),
    ("DELETE", "/api/me"): Row(lambda w: "/api/me", None, 204),
}
_IDS = [f"{method} {rule}" for method, rule in TABLE]
_CLOSED = [(key, row) for key, row in TABLE.items() if not row.public]


def test_every_route_has_a_row() -> None:
    found = {
        (method, rule): public
        for function in PIPELINE.functions
        if function.routes
        for method, rule, public in endpoints(function.name)
    }
    assert found == {key: row.public for key, row in TABLE.items()}


@pytest.mark.parametrize("function", [each.name for each in PIPELINE.functions if each.trigger == "http"])
def test_the_gateway_reaches_every_route(function: str) -> None:
    """A function without routes in the pipeline (the sweep, the reindex) has none below /api/."""
    prefixes = next(each.routes for each in PIPELINE.functions if each.name == function)
    routes = routes_of(PIPELINE, {each.name: "http://127.0.0.1" for each in PIPELINE.functions})
    for _, rule, _ in endpoints(function):
        reached = next((route.function for route in routes if route.matches(rule)), None)
        assert reached == (function if prefixes else None), rule
        assert prefixes or not rule.startswith(("/api", "/mcp"))


@pytest.mark.parametrize(("key", "row"), _CLOSED, ids=[" ".join(key) for key, _ in _CLOSED])
def test_an_unknown_caller_is_asked_to_sign_in(key: tuple[str, str], row: Row, world: World) -> None:
    forged = f"__session=yts_session_{'A' * 43}"
    for headers in (
        {},
        {"Cookie": forged},
        {"Authorization": "Bearer yts_nobody"},
        {"Cookie": "__session=~"},
    ):
        status, text = row.ask(key[0], world, world.nobody, **headers)
        assert status == 401, (headers, text)
        assert '"sign_in":"/api/login"' in text
        assert not world.reveals(text)


@pytest.mark.parametrize(("key", "row"), list(TABLE.items()), ids=_IDS)
def test_another_user_finds_nothing(key: tuple[str, str], row: Row, world: World) -> None:
    if row.stranger is None:
        # Its path names nothing, so it acts on the caller alone. test_traces.py calls it as the owner.
        assert "<" not in key[1]
        return
    visitor = world.nobody if row.public else world.stranger
    status, text = row.ask(key[0], world, visitor)
    world.nobody.forget()
    assert status in (row.stranger, row.also), text
    assert not world.reveals(text), text


@pytest.mark.parametrize(("key", "row"), _CLOSED, ids=[" ".join(key) for key, _ in _CLOSED])
def test_a_guest_is_refused_everything_but_one_source(key: tuple[str, str], row: Row, world: World) -> None:
    status, text = row.ask(key[0], world, world.nobody, Authorization=f"Bearer {world.link}")
    assert status == row.guest, text
    assert not world.reveals(text)
    assert SAID not in text


@pytest.mark.parametrize(
    "asked",
    [
        *(
            f"playlist={PLAYLIST}",
            f"q={SAID}",
            "q=cellar",
            f"new_in={'0' * 16}",
            f"q={ALONE}",
            "q=title:shared",
        ),
        f"q={SAID}+cellar+lies+zanzibar",
        "q=a+script+with+an+alert+in+the+cellar&by=meaning&limit=50",
        f"q=cellar&by=meaning&playlist={PLAYLIST}",
    ],
)
def test_no_search_of_a_guest_finds_another_source(asked: str, world: World) -> None:
    answer = world.nobody.ask(
        "GET", f"/api/search?{asked}", headers={"Authorization": f"Bearer {world.link}"}
    )
    assert answer.status_code == (404 if "new_in" in asked else 200)
    assert {hit["video_id"] for hit in answer.json().get("hits", ())} <= {LENT_VIDEO}
    assert "by=meaning" in asked or "zanzibar" in asked or not answer.json().get("total")
    assert not world.reveals(answer.text)


def test_a_guest_searches_and_reads_the_source_of_the_link(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.link}"}
    assert world.nobody.get("/api/link", headers=headers)["title"] == "Lent"
    found = world.nobody.get("/api/search?q=", headers=headers)
    assert [hit["video_id"] for hit in found["hits"]] == [LENT_VIDEO]
    assert found["facets"]["playlists"] == [{"value": LENT, "title": "Lent", "count": 1}]
    video = world.nobody.get(f"/api/videos/{LENT_VIDEO}?q=ladder", headers=headers)
    assert video["lines"][0]["text"] == "a ladder for everybody"
    # The header decides, whatever cookie comes with it: the owner who tries the link sees what guests see.
    mine = world.owner.get("/api/search?q=", headers=headers)
    assert (mine["total"], mine["facets"]) == (1, found["facets"])
    assert (
        world.owner.ask("GET", f"/api/searches?new_in={world.search_id}", headers=headers).status_code == 403
    )


def test_a_user_makes_tokens_for_nobody_else(world: World) -> None:
    made = world.stranger.ask("POST", "/api/tokens", json={"name": "x", "user": "other", "user_id": "other"})
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    assert world.nobody.get("/api/me", headers=headers)["user_id"] == "demo"
    world.secrets.append(made.json()["token"])


def test_the_attempts_of_another_user_have_changed_nothing(world: World) -> None:
    assert world.owner.get(f"/api/jobs/{world.job_id}")["state"] == "done"
    assert world.owner.get(f"/api/search?q={SAID}")["total"] == 2
    assert world.token_id in str(world.owner.get("/api/tokens"))


@pytest.mark.parametrize("key", [key for key in TABLE if key[0] != "GET"], ids=" ".join)
def test_a_page_of_another_origin_changes_nothing(key: tuple[str, str], world: World) -> None:
    row = TABLE[key]
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "none"},
    ):
        status, text = row.ask(key[0], world, world.owner, **headers)
        assert status == 403, (headers, text)


@pytest.mark.parametrize(
    "key", [key for key in TABLE if key[1] not in ("/api/me", "/api/logout")], ids=" ".join
)
def test_the_owner_is_served(key: tuple[str, str], world: World) -> None:
    row = TABLE[key]
    if row.public:
        visitor = Visitor(world.stack)
        assert row.ask(key[0], world, visitor)[0] in (row.owner, row.also)
        visitor.close()
        return
    status, text = row.ask(key[0], world, world.owner)
    assert status == row.owner, text
