"""The database of a local run: what it is asked while it has no room, or has not loaded its documents yet."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared import clock
from shared.config import Config
from shared.errors import Full, Transient
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.gcp.room import Room
from shared.lazy import Lazy
from shared.pipeline.jobs import Jobs, job_path
from shared.pipeline.ledger import entry_path
from shared.pipeline.retry import Retry
from shared.search.index.writer import SearchIndex
from tests.unit.in_memory import InMemory

EMULATOR = "127.0.0.1:1"


def test_a_retry_without_room_changes_nothing(tmp_path: Path) -> None:
    db, full = InMemory(), tmp_path / "full"
    db.room = Room(full)
    about = {"user_id": "ann", "playlist_id": "PLx", "state": "done", "created_at": clock.now(), "total": 1}
    failed = {"state": "failed", "title": "", "position": 0, "attempts": 5}
    db[job_path("job1")], db[entry_path("job1", "video000001")] = about, failed
    job = Jobs(db).read("job1")
    assert job is not None
    full.write_text("The library fills 80 of 100 MB of memory.\n")
    with pytest.raises(Full, match=r"^The library fills 80 of 100 MB of memory\.$"):
        Retry(db, cast(Topics, None), cast(SearchIndex, None)).retry(job)
    assert (db[job_path("job1")], db[entry_path("job1", "video000001")]) == (about, failed)


class Client:
    """Answers at once that there is nothing. ``meanwhile`` is called before the answer."""

    def __init__(self) -> None:
        self.meanwhile: Any = lambda: None

    def document(self, path: str) -> Any:
        return SimpleNamespace(path=path)

    def collection(self, _: str) -> Any:
        return SimpleNamespace(stream=lambda **_: iter(self._answer()))

    def batch(self) -> Any:
        result = SimpleNamespace(update_time=None, transform_results=[])
        return SimpleNamespace(delete=lambda *_: None, commit=lambda **_: [*self._answer(), result])

    def write_option(self, **_: Any) -> None:
        return None

    def get_all(self, references: Any, **_: Any) -> Any:
        found = [
            SimpleNamespace(reference=each, to_dict=lambda: None, update_time=None) for each in references
        ]
        self.meanwhile()
        return found

    def _answer(self) -> list[Any]:
        self.meanwhile()
        return []


CALLS = {
    "read": lambda db: db.read("jobs/a"),
    "query": lambda db: list(db.query("jobs")),
    "write": lambda db: db.commit().delete("jobs/a").run(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_a_database_says_that_is_being_loaded_is_no_answer(call: Any, tmp_path: Path) -> None:
    loading = tmp_path / "loading"
    db = Firestore(Config(firestore_emulator_host=EMULATOR, storage_loading_file=loading))
    client: Any = Client()
    db._client = Lazy(lambda: client)
    call(db)
    # The emulator ended after the call had begun, and answers it while it is empty.
    client.meanwhile = loading.touch
    with pytest.raises(Transient, match=r"^The library is being loaded\.$"):
        call(db)
    client.meanwhile = lambda: pytest.fail("it was asked")
    with pytest.raises(Transient, match="being loaded"):
        call(db)
    loading.unlink()
    client.meanwhile = lambda: None
    call(db)


def test_a_deployment_has_no_such_files(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("full")
    room = Room.from_config(Config(storage_full_file=file, storage_loading_file=file))
    room.require()
    room.require_loaded()
