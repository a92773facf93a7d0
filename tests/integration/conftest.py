"""The Firestore emulator by itself, for tests of what needs nothing else."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from infra.local.servers.tools import Missing
from infra.local.standin.inprocess import InProcess, running
from shared import clients, config, documents, erasure, routes
from shared.documents import Commit
from tests.integration.firestore_support import PROJECT, Clock, FirestoreEmulator, Seams
from tests.integration.signin_support import signing_in


@pytest.fixture(scope="session")
def firestore_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT. Without one, tests are skipped; where CI is set, they fail."""
    try:
        emulator = FirestoreEmulator(tmp_path_factory.mktemp("firestore"))
    except Missing as missing:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            raise
        pytest.skip(str(missing))
    try:
        emulator.wait()
        yield emulator.address
    finally:
        emulator.stop()


@pytest.fixture(scope="module")
def firestore_alone(firestore_emulator: str) -> Iterator[None]:
    """This process's own configuration and client are those of the emulator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
        patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        config.load.cache_clear()
        clients.firestore.cache_clear()
        yield
        clients.firestore().close()  # type: ignore[no-untyped-call]
    config.load.cache_clear()
    clients.firestore.cache_clear()


@pytest.fixture(scope="module")
def shared_youtube(firestore_alone: None) -> Iterator[InProcess]:
    """A stand-in YouTube that this process's own clients ask."""
    with running() as standin, pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOUTUBE_API_ENDPOINT", standin.url)
        patch.setenv("YOUTUBE_API_KEY", "a-key-for-tests")
        patch.setenv("YOUTUBE_BASE_URL", standin.url)
        patch.setattr(clients, "_thread", threading.local())
        config.load.cache_clear()
        yield standin
        clients.close_of_thread()
    config.load.cache_clear()


@pytest.fixture
def youtube(shared_youtube: InProcess) -> InProcess:
    """As it is at its start."""
    shared_youtube.control("reset", {})
    return shared_youtube


@pytest.fixture
def seams(firestore_alone: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seams]:
    made = Seams()
    made.install(monkeypatch)
    # What the address of one test bears is nothing to the next.
    monkeypatch.setenv("EGRESS_NAME", f"test-{uuid4().hex[:8]}")
    config.load.cache_clear()
    routes.gates.cache_clear()
    yield made
    config.load.cache_clear()
    routes.gates.cache_clear()


@pytest.fixture
def clock_of_test(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    made.install(monkeypatch)
    return made


@pytest.fixture
def google(youtube: InProcess, seams: Seams) -> Iterator[InProcess]:
    """The stand-in as an authorization server too, as it is at its start; nobody has signed in."""
    with signing_in(youtube):
        for user in ("demo", "other"):
            erasure.erase(user)
        for collection in ("sign_in_attempts", "sessions"):
            for left_over in documents.query(collection):
                Commit().delete(left_over.path).run()
        yield youtube
