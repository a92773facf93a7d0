"""Which model answers searches by meaning, and the model itself, which is loaded when the first one comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from shared import logs
from shared.errors import ModelMissing, Transient
from shared.gcp.firestore import Firestore
from shared.lazy import Lazy
from shared.meaning.embedder import Embedder, Model, model_of, open_embedder
from shared.meaning.store import read_state

#: Seconds for which it is remembered which model serves, and that a model cannot be opened.
_REMEMBERED, _MISSING = 5.0, 60.0
#: Opens a model that is forgotten after half an hour without a question. A person waits a second for it.
_open = partial(open_embedder, kept=1800.0)

#: ``on``: some model serves. ``preparing``: none has all passages yet. ``off``: there is none.
State = Literal["on", "preparing", "off"]


@dataclass(frozen=True, slots=True)
class Now:
    """``model``: the one that serves; None unless ``state`` is on."""

    state: State
    model: Model | None = None


class Serving:
    """Thread-safe; one object a process. ``choice``, ``models``: as of ``open_embedder``."""

    def __init__(
        self,
        db: Firestore,
        choice: str,
        models: Path | None = None,
        *,
        opens: Callable[[str, Path | None], Embedder | None] = _open,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._choice = choice
        self._monotonic = monotonic
        self._embedders = {each: Lazy(partial(opens, each, models)) for each in (choice, "use")}
        self._asked = (float("-inf"), Now("preparing"))
        self._missing: tuple[float, ModelMissing] | None = None

    def now(self) -> Now:
        """It never fails: without an answer of the database, it is what it was."""
        if self._choice == "off" or self._is_missing():
            return Now("off")
        asked_at, found = self._asked
        now = self._monotonic()
        if now - asked_at >= _REMEMBERED:
            try:
                found = self._read()
            except Transient as error:
                logs.warning("the state of search by meaning could not be read", error)
            self._asked = (now, found)
        return found

    def ask(self, model: Model, question: str) -> tuple[Embedder, bytes]:
        """The model, and the vector of a question.

        Raises ModelMissing, whose text is for the user. The model is loaded at the first question.
        """
        if (missing := self._missing) is not None and self._is_missing():
            raise missing[1]
        try:
            embedder = self._embedders[self._choice_of(model.name) or self._choice]()
            assert embedder is not None
            return embedder, embedder.query(question)
        except ModelMissing as error:
            logs.error("the model of search by meaning cannot be used", error, detail=error.detail)
            self._missing = (self._monotonic(), error)
            raise

    def _is_missing(self) -> bool:
        return self._missing is not None and self._monotonic() - self._missing[0] < _MISSING

    def _read(self) -> Now:
        serving = read_state(self._db).serving
        choice = self._choice_of(serving)
        return Now("on", model_of(choice)) if choice else Now("preparing")

    def _choice_of(self, name: str | None) -> str | None:
        """The choice that has this model. None for one that cannot be opened any more."""
        models = {each: model_of(each) for each in self._embedders}
        return next((each for each, model in models.items() if model and model.name == name), None)
