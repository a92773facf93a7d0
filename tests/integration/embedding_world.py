"""The part of the pipeline for search by meaning, on the real Firestore emulator and a real Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from shared import clock
from shared.config import Config
from shared.gcp.deliveries import Delivery
from shared.gcp.failpoints import Failpoints
from shared.gcp.firestore import Firestore
from shared.meaning.embedder import Embedder, open_embedder
from shared.meaning.store import PassageStore, State, read_state
from shared.messages import PassagesMessage
from shared.pipeline.embedding import Embedding
from shared.pipeline.embedding_due import EmbeddingDue
from shared.pipeline.jobs import Job, Jobs
from shared.search.index.passages import PassageIndex
from shared.search.server import SearchServer
from shared.transcripts.due import due_path
from shared.transcripts.store import Stored, TranscriptStore
from shared.transcripts.transcript import Answer, Line, Lines, Transcript
from shared.transcripts.videos import Metadata, VideoStore
from tests.integration.recorders import RecordingTopics

USE = "use-multilingual-3.1"
DELIVERY = Delivery("1", b"", {}, None)
_SENTENCE = "Today we look at the tides and ask why the sea rises twice a day in every harbour."
_MODEL = open_embedder("use")


class Killed(BaseException):
    """The process is gone. No handler of errors sees it."""


class Death(Failpoints):
    """Ends the process at the boundary of this number, of those around writes."""

    def __init__(self, number: int | None = None) -> None:
        super().__init__()
        self.left = number
        self.reached: list[str] = []

    def reach(self, name: str) -> None:
        self.reached.append(name)
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed(name)


@dataclass
class Other:
    """The default model under another name. ``before``: called once, before it is asked."""

    name: str = USE
    before: Callable[[], object] | None = None
    languages: frozenset[str] = _MODEL.languages if _MODEL else frozenset()
    dimensions: int = 512
    asked: int = 0

    def passages(self, texts: Sequence[str]) -> list[bytes]:
        self.asked += len(texts)
        if self.before is not None:
            before, self.before = self.before, None
            before()
        assert _MODEL is not None
        return _MODEL.passages(texts)

    def query(self, text: str) -> bytes:
        assert _MODEL is not None
        return _MODEL.query(text)


class EmbeddingWorld:
    """A database and indices of its own. Close it."""

    def __init__(self, config: Config, elasticsearch_url: str) -> None:
        self.config = replace(
            config,
            google_cloud_project=f"yts-{uuid4().hex[:8]}",
            elasticsearch_url=elasticsearch_url,
            elasticsearch_index_prefix=f"t{uuid4().hex[:8]}",
        )
        self.db = Firestore(self.config)
        self.server = SearchServer(self.config)
        self.index = PassageIndex(self.server)
        self.topics = RecordingTopics()
        self.store = PassageStore(self.db)
        self.jobs = Jobs(self.db)
        self.videos = VideoStore(self.db, passages=True)
        self.transcripts = TranscriptStore(self.db, passages=True)

    def close(self) -> None:
        indices = self.server.client.indices
        for name in indices.get(index=f"{self.config.elasticsearch_index_prefix}-*"):
            indices.delete(index=name)
        self.db.close()

    # -- what happens --------------------------------------------------------------------------------

    def save(
        self, video_id: str, sentences: int = 30, language: str = "en", title: str = "Tides", due: bool = True
    ) -> None:
        """YouTube has answered with so many sentences, of which eight or so are a passage."""
        now = clock.now()
        about = Metadata(video_id, title, "", "Harbour", "UC1", None, 600, 1, None, now, listed=True)
        self.videos.save([about])
        rows = [Line(4.0 * number, 4.0, _SENTENCE) for number in range(sentences)]
        spoken = Transcript(language, language, False, Lines.from_rows(rows))
        store = self.transcripts if due else TranscriptStore(self.db)
        known = store.read([video_id]).get(video_id) or Stored(None, None, None)
        with store.claim(video_id, known) as claim:
            claim.save(Answer("transcript", spoken), job_id=uuid4().hex, youtube_bytes=1)

    def want(self, model: str = USE, **fields: Any) -> None:
        """The state in which videos are embedded by this model."""
        self.db.commit().set(
            "meaning/state", {"serving": model, "wanted": model, "listed": True} | fields
        ).run()

    def embedding(self, embedder: Embedder | None = None, death: Death | None = None) -> Embedding:
        """A process of the embedder."""
        db = Firestore(self.config, death) if death else self.db
        index = PassageIndex(SearchServer(self.config, death)) if death else self.index
        return Embedding(db, index, lambda: embedder or Other(), remembered=0)

    def embed(self, video_id: str, embedder: Embedder | None = None, *, anyway: bool = False) -> None:
        self.embedding(embedder).embed(PassagesMessage(video_id, anyway), DELIVERY)

    def sweep(self, jobs: Sequence[Job] = (), *, embedder: str = "use", **options: Any) -> list[str]:
        """Returns the ids of the videos that were sent."""
        self.topics.forget()
        config = replace(self.config, embedder=embedder)
        EmbeddingDue(config, self.db, self.topics, self.index).run(jobs, **options)
        return [
            message.video_id
            for topic, message in self.topics.published
            if topic == "passages" and isinstance(message, PassagesMessage)
        ]

    # -- what is there -------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return read_state(self.db)

    def is_due(self, video_id: str) -> bool:
        return self.db.read(due_path(video_id))[0].data is not None

    def age(self, video_id: str, minutes: float, name: str = "since") -> None:
        """Lets a time of the document that says that a video is due be earlier."""
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        self.db.commit().update(due_path(video_id), {name: at}).run()

    def indexed(self, model: str = USE) -> dict[str, list[dict[str, Any]]]:
        """The passages of each video in the index."""
        client = self.server.client
        client.indices.refresh(index=self.server.passages(model))
        found = client.search(index=self.server.passages(model), size=1000)
        return {hit["_id"]: hit["_source"]["passages"] for hit in found["hits"]["hits"]}

    def check(self, video_id: str, model: str = USE) -> int:
        """The index has exactly the stored passages of what is stored now. Returns their number."""
        stored = self.store.read(model, [video_id])[video_id]
        places = [place._asdict() for place in stored.unpack_places()]
        assert self.indexed(model)[video_id] == places
        assert len(stored.vectors) == 512 * len(places)
        lines = len(self.transcripts.read([video_id], lines=True)[video_id].outcome.lines)  # type: ignore[union-attr]
        assert not places or places[-1]["last"] == lines - 1
        if places:
            found = self.server.client.search(
                index=self.server.passages(model),
                knn={
                    "field": "passages.vector",
                    "query_vector": stored.vector(0).hex(),
                    "k": 1,
                    "num_candidates": 5,
                    "filter": {"term": {"video_id": video_id}},
                },
            )
            assert found["hits"]["hits"][0]["_score"] > 0.999
        return len(places)
