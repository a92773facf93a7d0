"""Which model serves, whatever the database and the model's files do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from shared.errors import ModelMissing, Transient
from shared.gcp.firestore import Firestore
from shared.meaning.embedder import USE, Embedder, model_of
from shared.meaning.store import STATE
from shared.search.serving import Now, Serving


class _Database:
    def __init__(self, **state: Any) -> None:
        self.state: dict[str, Any] = state
        self.down = False
        self.reads = 0

    def read(self, *paths: str, **_: Any) -> list[Any]:
        assert paths == (STATE,)
        self.reads += 1
        if self.down:
            raise Transient("down")
        return [self]

    def read_as(self, kind: Any) -> Any:
        return kind(**self.state) if self.state else None


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def serving(db: _Database, choice: str = "use", opens: Any = None) -> tuple[Serving, _Clock]:
    clock = _Clock()
    made = Serving(
        cast(Firestore, db), choice, opens=opens or (lambda *_: cast(Embedder, object())), monotonic=clock
    )
    return made, clock


@pytest.mark.parametrize(
    ("choice", "state", "now"),
    [
        ("use", {"serving": USE.name}, Now("on", USE)),
        ("use", {}, Now("preparing")),
        ("use", {"serving": None, "wanted": USE.name}, Now("preparing")),
        ("use", {"serving": "fastembed-old"}, Now("preparing")),
        ("fastembed:a/b", {"serving": USE.name}, Now("on", USE)),
        ("fastembed:a/b", {"serving": "fastembed-a-b"}, Now("on", model_of("fastembed:a/b"))),
        ("off", {"serving": USE.name}, Now("off")),
    ],
)
def test_which_model_serves(choice: str, state: dict[str, Any], now: Now) -> None:
    assert serving(_Database(**state), choice)[0].now() == now


def test_it_is_asked_again_after_some_seconds_and_remembered_while_the_database_is_down() -> None:
    db = _Database()
    found, clock = serving(db)
    assert found.now().state == "preparing"
    db.state = {"serving": USE.name}
    assert (found.now().state, db.reads) == ("preparing", 1)
    clock.now += 6
    assert found.now().state == "on"
    db.down = True
    clock.now += 6
    assert (found.now().state, db.reads) == ("on", 3)


def test_a_missing_model_is_off_for_a_minute() -> None:
    opened = []
    model = cast(Embedder, object())

    def opens(choice: str, models: Path | None) -> Embedder:
        opened.append(choice)
        if len(opened) == 1:
            raise ModelMissing("weights.npz is not there")
        return model

    found, clock = serving(_Database(serving=USE.name), opens=opens)
    for _ in range(2):
        with pytest.raises(ModelMissing, match="its model is missing"):
            found.embedder(USE)
    assert (found.now().state, len(opened)) == ("off", 1)
    clock.now += 61
    assert found.now().state == "on"
    assert found.embedder(USE) is found.embedder(USE) is model
    assert opened == ["use", "use"]
