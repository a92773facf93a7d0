"""Which model serves, whatever the database and the model's files do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from shared.errors import ModelMissing, Transient
from shared.gcp.firestore import Firestore
from shared.meaning.embedder import USE, model_of
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


class _Model:
    """Knows questions only."""

    name, dimensions, languages = USE.name, 512, USE.languages

    def __init__(self, gone: bool = False) -> None:
        self._gone = gone

    def passages(self, texts: Sequence[str]) -> list[bytes]:
        raise NotImplementedError

    def query(self, text: str) -> bytes:
        if self._gone:
            raise ModelMissing("weights.npz is not there any more")
        return text.encode()


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def serving(db: _Database, choice: str = "use", opens: Any = None) -> tuple[Serving, _Clock]:
    clock = _Clock()
    made = Serving(cast(Firestore, db), choice, opens=opens or (lambda *_: _Model()), monotonic=clock)
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
    model = _Model()

    def opens(choice: str, models: Path | None) -> _Model:
        opened.append(choice)
        if len(opened) == 1:
            raise ModelMissing("weights.npz is not there")
        return model

    found, clock = serving(_Database(serving=USE.name), opens=opens)
    for _ in range(2):
        with pytest.raises(ModelMissing, match="its model is missing"):
            found.ask(USE, "why")
    assert (found.now().state, len(opened)) == ("off", 1)
    clock.now += 61
    assert found.now().state == "on"
    for _ in range(2):
        embedder, vector = found.ask(USE, "why")
        assert embedder is model
        assert vector == b"why"
    assert opened == ["use", "use"]


def test_a_model_whose_files_are_gone_at_the_first_question_is_off() -> None:
    found, _ = serving(_Database(serving=USE.name), opens=lambda *_: _Model(gone=True))
    with pytest.raises(ModelMissing, match="its model is missing"):
        found.ask(USE, "why")
    assert found.now().state == "off"
