"""The Firestore emulator, and the pipeline that tests of this folder run against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer, live_server
from infra.local.servers.tools import Missing
from shared.accounts.erasure import Erasure
from shared.config import Config
from shared.gcp.firestore import Firestore
from tests.integration.firestore_emulator import PROJECT, FirestoreEmulator, connected
from tests.integration.http_functions import HttpFunctions
from tests.integration.keeping import keeper, keeping_site, new_keeper
from tests.integration.recorders import RecordingIndex, RecordingTopics
from tests.integration.signin_support import with_sign_in
from tests.integration.world import Clock, World

__all__ = ["keeper", "keeping_site", "new_keeper"]


@pytest.fixture(scope="session")
def firestore_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT. Without an emulator, tests are skipped; where CI is set, they fail."""
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


@pytest.fixture(scope="session")
def db(firestore_emulator: str) -> Iterator[Firestore]:
    with connected(firestore_emulator) as db:
        yield db


@pytest.fixture(scope="session")
def served_youtube() -> Iterator[LiveServer]:
    with live_server() as fake_youtube:
        yield fake_youtube


@pytest.fixture
def youtube(served_youtube: LiveServer) -> LiveServer:
    """The fake YouTube, as it is at its start."""
    served_youtube.control("reset", {})
    return served_youtube


@pytest.fixture
def config(firestore_emulator: str, served_youtube: LiveServer) -> Config:
    """The emulator, and the fake YouTube and Google, which know nothing of our address."""
    config = Config(
        google_cloud_project=PROJECT,
        firestore_emulator_host=firestore_emulator,
        youtube_api_endpoint=served_youtube.url,
        youtube_api_key="a-key-for-tests",
        youtube_base_url=served_youtube.url,
        egress_name=f"test-{uuid4().hex[:8]}",
    )
    return with_sign_in(config, served_youtube.url)


@pytest.fixture
def world(config: Config, db: Firestore) -> Iterator[World]:
    made = World(config, db)
    yield made
    made.close()


@pytest.fixture
def topics(world: World) -> RecordingTopics:
    return world.topics


@pytest.fixture
def index(world: World) -> RecordingIndex:
    return world.search_index


@pytest.fixture
def functions(world: World) -> Iterator[HttpFunctions]:
    made = HttpFunctions(world)
    yield made
    made.close()


@pytest.fixture
def google(youtube: LiveServer, world: World) -> LiveServer:
    """The fake YouTube as an authorization server, as it is at its start. No user has signed in."""
    erasure = Erasure(world.db, world.search_index, world.grants)
    for user in ("demo", "other"):
        erasure.erase(user)
    for collection in ("sign_in_attempts", "sessions"):
        for left_over in world.db.query(collection):
            world.db.commit().delete(left_over.path).run()
    return youtube


@pytest.fixture
def clock_of_test(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    made.install(monkeypatch)
    return made
