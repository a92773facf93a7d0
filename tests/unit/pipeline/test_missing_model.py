"""The embedder without its model: the state says it at once, the log once, and the video stays due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from shared import clock
from shared.config import Config
from shared.errors import ModelMissing
from shared.gcp.deliveries import Delivery
from shared.gcp.pubsub import Topics
from shared.meaning.embedder import USE, Embedder
from shared.meaning.store import STATE, by_meaning
from shared.messages import PassagesMessage
from shared.pipeline.embedding import Embedding
from shared.pipeline.embedding_due import EmbeddingDue
from shared.search.index.passages import PassageIndex
from shared.transcripts.due import due_path
from shared.transcripts.store import Stored, TranscriptStore
from shared.transcripts.transcript import Answer, Line, Lines, Transcript
from shared.transcripts.videos import Metadata, VideoStore
from tests.unit.in_memory import InMemory

TROUBLE = "Search by meaning is off, because its model is missing."
LOGGED = "the model cannot be used; nothing is embedded"


@dataclass
class Model:
    """The default model, without vectors of a meaning. ``gone``: its files are."""

    gone: bool = False
    name: str = USE.name
    dimensions: int = 4
    languages: frozenset[str] = field(default_factory=frozenset)

    def passages(self, texts: Sequence[str]) -> list[bytes]:
        if self.gone:
            raise ModelMissing("weights.npz is not there any more")
        return [b"\x01\x02\x03\x7f" for _ in texts]


class Written(PassageIndex):
    def __init__(self) -> None:
        self.videos: list[str] = []

    def write(self, model: str, videos: object) -> None:
        self.videos += list(cast(dict[str, object], videos))


@pytest.fixture
def db() -> InMemory:
    """One video is due."""
    made = InMemory()
    made[STATE] = {"serving": USE.name, "wanted": USE.name, "listed": True}
    about = Metadata("v", "Tides", "", "Harbour", "UC1", None, 600, 1, None, clock.now(), listed=True)
    VideoStore(made, passages=True).save([about])
    spoken = Transcript("en", "en", False, Lines.from_rows([Line(0.0, 4.0, "the sea rises twice a day")]))
    with TranscriptStore(made, passages=True).claim("v", Stored(None, None, None)) as claim:
        claim.save(Answer("transcript", spoken), job_id="j", youtube_bytes=1)
    return made


def embedding(db: InMemory, opens: Callable[[], object]) -> tuple[Embedding, Written]:
    index = Written()
    return Embedding(db, index, cast(Callable[[], Embedder | None], opens), remembered=0), index


def deliver(to: Embedding) -> None:
    to.embed(PassagesMessage("v", anyway=True), Delivery("1", b"", {}, None))


def missing() -> Embedder:
    raise ModelMissing("weights.npz is not there")


def test_the_start_says_it_before_any_delivery_and_the_log_says_it_once(
    db: InMemory, caplog: pytest.LogCaptureFixture
) -> None:
    use_case, index = embedding(db, missing)
    use_case.check_model()
    assert by_meaning(db, "use") == TROUBLE
    for _ in range(2):
        deliver(use_case)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [LOGGED]
    assert index.videos == []
    assert db.read(due_path("v"))[0].data is not None


def test_a_start_without_model_and_database_only_logs(db: InMemory, caplog: pytest.LogCaptureFixture) -> None:
    db.unavailable = True
    embedding(db, missing)[0].check_model()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_it_is_said_before_there_is_any_video_and_no_longer_when_the_model_is_there_again() -> None:
    empty, sent = InMemory(), list[PassagesMessage]()
    embedding(empty, missing)[0].check_model()

    class Sending(Topics):
        def publish(self, topic: object, messages: Sequence[object]) -> None:
            sent.extend(cast(Sequence[PassagesMessage], messages))

    config = Config(embedder="use")
    sweep = EmbeddingDue(config, empty, Sending(config), Written())
    for _ in range(3):
        sweep.run([])
        assert by_meaning(empty, "use") == TROUBLE
    assert len(sent) == 2
    for opens, said in ((missing, TROUBLE), (Model, "ok")):
        embedding(empty, opens)[0].embed(sent[0], Delivery("1", b"", {}, None))
        assert by_meaning(empty, "use") == said
    sweep.run([])
    assert len(sent) == 2


def test_files_that_are_gone_at_the_first_text_are_said_and_what_is_there_again_is_used(
    db: InMemory, caplog: pytest.LogCaptureFixture
) -> None:
    model = Model(gone=True)
    use_case, index = embedding(db, lambda: model)
    use_case.check_model()
    assert by_meaning(db, "use") == "ok"
    deliver(use_case)
    assert by_meaning(db, "use") == TROUBLE
    assert db.read(due_path("v"))[0].data is not None
    model.gone = False
    deliver(use_case)
    assert by_meaning(db, "use") == "ok"
    assert index.videos == ["v"]
    assert db.read(due_path("v"))[0].data is None
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [LOGGED]
