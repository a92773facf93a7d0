"""Embedding: the passages of one video get vectors, and can be found by meaning.

Words never wait for this. It pauses while jobs run, and what it leaves stays due: the sweep sends it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from shared import clock, logs
from shared.config import ConfigError
from shared.errors import Conflict, ModelMissing, RequestError, Transient
from shared.gcp.deliveries import Delivery
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore
from shared.meaning.embedder import Embedder, in_context, knows
from shared.meaning.passages import cut, embedded_text
from shared.meaning.store import (
    STATE,
    STATE_FIELDS,
    PassageStore,
    VideoPassages,
    digest,
    pack_places,
    passages_path,
    state_from,
)
from shared.messages import PassagesMessage
from shared.pipeline.jobs import Job, Jobs
from shared.search.index.passages import PassageIndex
from shared.transcripts.due import due_path
from shared.transcripts.store import Outcome, stored_from, transcript_path, version
from shared.transcripts.videos import Metadata, metadata_from, video_path

#: Seconds for which it is remembered whether a job runs.
REMEMBERED = 3.0
#: Seconds that a delivery waits for the one before it. A function has a little more than twice that.
_PATIENCE = 240.0
#: Passages that the model gets at once: memory grows with them.
_AT_ONCE = 16


def any_works(jobs: Iterable[Job]) -> bool:
    """Whether one of these active jobs has something to do now. Others wait, perhaps for a day."""
    now = clock.now()
    return any(
        not any(until and until > now for until in (job.blocked_until, job.paused_until)) for job in jobs
    )


class Embedding:
    """The use case behind topic ``passages``.

    ``open_embedder``: see shared.meaning.embedder; it is tried again at each delivery until it succeeds.
    ``remembered``: see REMEMBERED.
    """

    def __init__(
        self,
        db: Firestore,
        index: PassageIndex,
        open_embedder: Callable[[], Embedder | None],
        *,
        remembered: float = REMEMBERED,
    ) -> None:
        self._db = db
        self._index = index
        self._store = PassageStore(db)
        self._jobs = Jobs(db)
        self._open = open_embedder
        self._embedder: Embedder | None = None
        #: The reason why the model was missing, as it was logged last.
        self._missing: str | None = None
        self._remembered = remembered
        self._job_seen_at = float("-inf")
        self._turn = Lock()

    def embed(self, message: PassagesMessage, delivery: Delivery) -> None:
        """Stores the vectors of a video, writes them into the index of passages, and ends that it is due.

        The order matters. A video is due until the index has its passages; from the store they can be written
        again without the model. If anything has changed meanwhile, the video stays due.

        Raises:
            Transient: the database or the search index does not answer, or the video has changed.
        """
        with logs.context(video_id=message.video_id), self._in_turn():
            if not message.anyway and self._job_runs():
                self._note(held_back=True)
                return
            try:
                if (embedder := self._opened()) is not None:
                    self._embed(embedder, message.video_id)
                    self._missing = None
            except ModelMissing as error:
                self._embedder = None
                self._say_missing(error)

    def check_model(self) -> None:
        """Opens the model, so that log and state say at the start if it cannot be used. Raises nothing."""
        try:
            self._opened()
        except ModelMissing as error:
            try:
                self._say_missing(error)
            except (ConfigError, RequestError, Transient) as failed:
                logs.warning("that the model is missing could not be written", failed)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """One video at a time: there is one processor."""
        if not self._turn.acquire(timeout=_PATIENCE):
            raise Transient("Other videos come first.")
        try:
            yield
        finally:
            self._turn.release()

    def _job_runs(self) -> bool:
        now = monotonic()
        if now - self._job_seen_at < self._remembered:
            return True
        if runs := any_works(self._jobs.active()):
            self._job_seen_at = now
        return runs

    def _opened(self) -> Embedder | None:
        """None if search by meaning is off. Raises ModelMissing."""
        if self._embedder is None:
            self._embedder = self._open()
        return self._embedder

    def _say_missing(self, error: ModelMissing) -> None:
        """Says in the log and in the state that the model cannot be used. The log says it once."""
        if error.detail != self._missing:
            logs.error("the model cannot be used; nothing is embedded", error)
            self._missing = error.detail
        self._note(trouble=str(error))

    def _note(self, **fields: object) -> None:
        """Changes the state, if these fields are others there."""
        known = self._db.read(STATE, fields=STATE_FIELDS)[0].data or {}
        if any(known.get(name) != value for name, value in fields.items()):
            self._db.commit().set(STATE, fields, merge=True).run()

    def _embed(self, embedder: Embedder, video_id: str) -> None:
        kept_path = passages_path(embedder.name, video_id)
        kept, due, found = self._db.read(
            kept_path, due_path(video_id), STATE, fields=["digest", "since", *STATE_FIELDS]
        )
        state = state_from(found)
        if state.wanted != embedder.name:
            return  # another version of this function is to do it
        if state.trouble is not None:
            self._note(trouble=None, held_back=True)
        if due.data is None:
            return  # done already; or the message only asks for the model
        # After the others, so that what was read before can only be older.
        video, transcript = self._db.read(video_path(video_id), transcript_path(video_id))
        metadata, outcome = metadata_from(video), stored_from(transcript).outcome
        if metadata is not None and outcome is not None and outcome.kind == "transcript":
            self._index.write(embedder.name, {video_id: self._kept(embedder, kept, metadata, outcome)})
        try:
            self._db.commit().delete(due.path, unchanged_since=due.update_time).run()
        except Conflict:
            logs.info("still due: the video has changed")

    def _kept(
        self, embedder: Embedder, kept: Snapshot, metadata: Metadata, outcome: Outcome
    ) -> VideoPassages:
        """The stored passages of a video. They are made if they are missing or of another text."""
        now = digest(metadata, outcome)
        if kept.data is not None and kept.data["digest"] == now:
            stored = self._store.read(embedder.name, [metadata.video_id]).get(metadata.video_id)
            if stored is not None:
                return stored
        began = monotonic()
        made = _passages(embedder, metadata, outcome, now)
        commit = self._db.commit()
        self._store.put(commit, kept, made)
        commit.run()
        seconds = round(monotonic() - began, 3)
        logs.info("embedded", passages=len(made.unpack_places()), known=made.known, seconds=seconds)
        return made


def _passages(embedder: Embedder, metadata: Metadata, outcome: Outcome, digest: str) -> VideoPassages:
    known = knows(embedder, outcome.language)
    passages = cut(outcome.lines) if known else []
    texts = [embedded_text(metadata.title, each) for each in passages]
    vectors = [
        vector
        for at in range(0, len(texts), _AT_ONCE)
        for vector in embedder.passages(texts[at : at + _AT_ONCE])
    ]
    return VideoPassages(
        digest=digest,
        version=version(metadata, outcome),
        known=known,
        dimensions=embedder.dimensions,
        places=pack_places(passages),
        vectors=b"".join(in_context(vectors)),
    )
