"""Collections, in a database in memory."""

from __future__ import annotations

from shared.library import memberships
from shared.library.collections import Collections
from shared.library.memberships import Listing, membership_path
from tests.unit.in_memory import InMemory

USER, VIDEO = "ann", "video000001"


def test_a_collection_that_is_renamed_during_a_job_keeps_its_new_title() -> None:
    db = InMemory()
    collections = Collections(db)
    made = collections.create(USER, "Old")
    collections.add(USER, made.collection_id, {VIDEO: None})
    listing = Listing("job1", "Old", None, "private", {VIDEO: None}, kind="collection")
    collections.rename(USER, made.collection_id, "New")
    known = db.read(membership_path(USER, made.collection_id))[0]
    commit = db.commit()
    noted = collections.note(commit, USER, known, listing, ())
    assert noted is not None
    memberships.put(commit, known, noted)
    commit.run()
    assert collections.read(USER, made.collection_id).title == "New"
    assert memberships.titles(db, USER) == {made.collection_id: "New"}
