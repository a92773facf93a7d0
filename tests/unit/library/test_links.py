"""Read-only links: which sources may be shared."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.errors import BadRequest
from shared.library.collections import Collections
from shared.library.links import Links, find, suspend
from shared.library.memberships import membership_path
from tests.unit.in_memory import InMemory


def test_a_collection_is_shared_as_its_owner_made_it() -> None:
    db = InMemory()
    made = Collections(db).create("ada", "Bread")
    _, token = Links(db).make("ada", made.collection_id)
    found = find(db, token)
    assert found is not None
    assert (found.playlist_id, found.title) == (made.collection_id, "Bread")


@pytest.mark.parametrize(
    ("playlist_id", "privacy", "refusal"),
    [
        ("PLlent", "private", "private at YouTube"),
        ("PLlent", None, "not known"),
        ("LLliked", "public", "private at YouTube"),
    ],
)
def test_what_others_may_not_see_is_not_shared(playlist_id: str, privacy: str | None, refusal: str) -> None:
    db = InMemory()
    db[membership_path("ada", playlist_id)] = {"title": "A", "privacy": privacy, "updated_at": None}
    with pytest.raises(BadRequest, match=refusal):
        Links(db).make("ada", playlist_id)


@pytest.mark.parametrize(("privacy", "then"), [("public", None), ("unlisted", None), ("private", "private")])
def test_a_link_ends_when_youtube_hides_its_source(privacy: str, then: str | None) -> None:
    db = InMemory()
    path = membership_path("ada", "PLlent")
    db[path] = {"title": "Lent", "privacy": "public", "updated_at": datetime(2024, 1, 31, tzinfo=UTC)}
    _, token = Links(db).make("ada", "PLlent")
    assert find(db, token) is not None
    db[path] = {**db[path], "privacy": privacy}
    suspend(db, "ada", "PLlent")
    assert find(db, token) is None
    assert db[path]["privacy"] == then, "a private playlist is still the owner's"
    suspend(db, "ada", "PLremoved")
