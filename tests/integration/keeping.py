"""People with saved searches, feeds and links, on the real Elasticsearch and the Firestore emulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import feedparser
import pytest

from shared.accounts.tokens import Tokens
from shared.gcp.firestore import Firestore
from shared.library import memberships
from tests.integration.firestore_emulator import PROJECT
from tests.integration.search_library import SearchLibrary, filled_library
from tests.unit.functions import load


@dataclass(frozen=True, slots=True)
class Site:
    """The functions `keep` and `search` on one database and one index."""

    library: SearchLibrary
    db: Firestore
    keep: Any
    search: Any


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a library of their own."""

    site: Site
    user_id: str
    token: str

    def put(self, *video_ids: str, playlist: str = "PLmine") -> None:
        """Makes these the videos of a playlist, as a job does."""
        commit = self.site.db.commit()
        about: dict[str, Any] = {"title": "Mine", "thumbnail_url": None, "privacy": "public"}
        memberships.put(commit, self.user_id, playlist, **about, video_ids=video_ids)
        commit.run()
        stored = memberships.read(self.site.db, self.user_id, playlist)
        assert stored is not None
        self.site.library.index.write_membership(self.user_id, playlist, video_ids, stored.version)

    def ask(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        web = self.site.search if path.startswith("/api/search?") else self.site.keep
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = web.open(path, method=method, data=data, headers=headers)
        assert answer.status_code == status, answer.data
        return answer.get_json()

    def save(self, query: str, **more: object) -> dict[str, Any]:
        made: dict[str, Any] = self.ask("POST", "/api/searches", {"query": query, **more}, 201)
        return made

    def saved(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", "/api/searches")["searches"]
        return found

    def the_saved(self) -> dict[str, Any]:
        (found,) = self.saved()
        return found

    def new_in(self, search: dict[str, Any], more: str = "") -> list[str]:
        found = self.ask("GET", f"/api/search?{search['query']}&new_in={search['id']}{more}")
        return sorted(hit["video_id"] for hit in found["hits"])


@pytest.fixture(scope="session")
def keeping_site(elasticsearch_url: str, firestore_emulator: str, db: Firestore) -> Iterator[Site]:
    with filled_library(elasticsearch_url) as library, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
        patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        patch.setenv("ELASTICSEARCH_URL", elasticsearch_url)
        patch.setenv("ELASTICSEARCH_INDEX_PREFIX", library.prefix)
        keep, keep_main = load("keep")
        search, search_main = load("search")
        yield Site(library, db, keep, search)
        keep_main.db.close()
        search_main.db.close()


@pytest.fixture
def new_keeper(keeping_site: Site) -> Callable[[], Person]:
    def make() -> Person:
        user = f"keeper-{uuid4().hex[:8]}"
        return Person(keeping_site, user, Tokens(keeping_site.db).mint(user, "test")["token"])

    return make


@pytest.fixture
def keeper(new_keeper: Callable[[], Person]) -> Person:
    person = new_keeper()
    person.put("tides", "foret")
    return person


def get(site: Site, url: str, **headers: str) -> Any:
    parts = urlsplit(url)
    return site.keep.get(parts.path, headers=headers)


def feed_of(person: Person, search: dict[str, Any]) -> Any:
    """The feed of a search as an independent parser reads it."""
    made = person.ask("POST", f"/api/searches/{search['id']}/feed", status=201)
    answer = get(person.site, made["url"])
    assert (answer.status_code, answer.content_type) == (200, "application/atom+xml; charset=utf-8")
    parsed = feedparser.parse(answer.data, response_headers={"content-type": answer.content_type})
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.version == "atom10"
    return parsed
