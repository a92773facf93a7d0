"""The HTTP functions in the test's process, with the database and the recorders of a world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from shared.accounts.erasure import Erasure
from shared.accounts.signin import SignIn
from shared.accounts.tokens import Tokens
from shared.config import Config
from shared.gcp.firestore import Firestore
from shared.library.subscriptions import Subscriptions
from shared.pipeline.channels import Channels
from shared.pipeline.collecting import Collecting
from shared.pipeline.removal import Removal
from shared.pipeline.retry import Retry
from shared.pipeline.sources import WORKS_FOR, Sources
from shared.pipeline.start import Start
from tests.integration.world import World
from tests.unit.functions import load


def _channels_of(world: World) -> Channels:
    return Channels(world.config, world.db, world.youtube)


def _start_of(world: World) -> Start:
    return Start(world.config, world.db, world.topics, _channels_of(world))


def sources_of(world: World, *, works_for: float = WORKS_FOR) -> Sources:
    return Sources(_start_of(world), _channels_of(world), works_for=works_for)


#: For each function, the objects of its main module that are replaced by those of a world.
_OBJECTS: dict[str, Callable[[World], dict[str, object]]] = {
    "account": lambda world: {
        "erasure": Erasure(world.db, world.search_index, world.grants),
        "sign_in": SignIn(world.config, world.db, world.search_index, world.google, world.grants),
    },
    "index": lambda world: {"use_case": _start_of(world), "sources": sources_of(world)},
    "jobs": lambda world: {"retry": Retry(world.db, world.topics, world.search_index)},
    "library": lambda world: {
        "dashboard": world.dashboard(),
        "subscriptions": Subscriptions(world.db, world.grants, world.youtube),
        "removal": Removal(world.db, world.search_index),
        "collecting": Collecting(world.db, world.search_index, _start_of(world)),
    },
    "search": lambda world: {},
}


class HttpFunctions:
    """Starts each function when a test first asks for it."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: The Flask app and the main module of each function.
        self._started: dict[str, tuple[Any, Any]] = {}

    def client(self, name: str) -> Any:
        """A test client with cookies of its own."""
        if name not in self._started:
            self._started[name] = self._start(name)
        return self._started[name][0].test_client()

    def _start(self, name: str) -> tuple[Any, Any]:
        with pytest.MonkeyPatch.context() as patch:
            for field in fields(Config):
                patch.delenv(field.name.upper(), raising=False)
            for variable, value in variables(self._world.config).items():
                patch.setenv(variable, value)
            web, main = load(name)
        for each, replacement in _OBJECTS[name](self._world).items():
            assert hasattr(main, each), f"{name} has no object {each}"
            setattr(main, each, replacement)
        return web.application, main

    def databases(self) -> list[Firestore]:
        """The database of each function that was started."""
        return [main.db for _, main in self._started.values()]

    def close(self) -> None:
        for db in self.databases():
            db.close()


def variables(config: Config) -> dict[str, str]:
    """The environment of which this is the configuration."""
    found: dict[str, str] = {}
    for each in fields(config):
        value = getattr(config, each.name)
        if value is not None and value != ():
            found[each.name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return found


def bearer(world: World, user_id: str) -> dict[str, str]:
    """The header of a request in the name of a user."""
    return {"Authorization": f"Bearer {Tokens(world.db).mint(user_id, 'laptop')['token']}"}
