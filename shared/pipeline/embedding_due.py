"""Sends the videos that are due to the embedder, and makes old ones due: the part of the sweep for meaning.

While nothing is due and all old videos were looked at, it costs two reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta

from shared import clock, logs
from shared.config import Config
from shared.errors import Conflict
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import MAXIMUM_WRITES, Firestore
from shared.gcp.pubsub import Topics
from shared.meaning.embedder import Model, model_of
from shared.meaning.store import STATE, PassageStore, State, digest, state_from
from shared.messages import PassagesMessage
from shared.pipeline.embedding import any_works
from shared.pipeline.jobs import Job
from shared.search.index.passages import PassageIndex
from shared.transcripts.due import due_path, make_due
from shared.transcripts.store import TranscriptStore
from shared.transcripts.videos import VideoStore

#: The most videos that are on their way to the embedder. It needs a minute for them.
WINDOW = 200
#: While jobs run, so many of those that have waited for STALLED_AFTER_SECONDS go all the same.
FEW = 5
#: A message that has had no effect for so long is lost. Also how often a missing model is asked for.
_LOST = timedelta(minutes=10)
#: The longest wait of a video that cannot be embedded.
_LONGEST = timedelta(days=1)
#: In a message that only asks for the model.
_NO_VIDEO = "none"
#: Old videos that are looked at in one sweep.
_LOOKED_AT = 200


def postpone(db: Firestore, video_id: str) -> None:
    """Lets a video wait that the embedder could not embed: ten minutes, and each time four times as long.

    So one that the embedder dies of costs little, and an outage ends by itself. Raises Transient.
    """
    due = db.read(due_path(video_id))[0]
    if due.data is None:
        return
    tries = due.data.get("tries", 0)
    wait = min(_LOST * 4 ** min(tries, 9), _LONGEST)
    changes = {"since": clock.now() + wait, "sent_at": None, "tries": tries + 1}
    try:
        db.commit().update(due.path, changes, unchanged_since=due.update_time).run()
    except Conflict:
        # Embedded, or changed and due anew.
        return
    logs.warning("embedding postponed", video_id=video_id, tries=tries + 1, minutes=wait.total_seconds() / 60)


class EmbeddingDue:
    """One call a sweep."""

    def __init__(self, config: Config, db: Firestore, topics: Topics, index: PassageIndex) -> None:
        self._model = model_of(config.embedder)
        self._patience = timedelta(seconds=config.stalled_after_seconds)
        self._db = db
        self._topics = topics
        self._index = index
        self._store = PassageStore(db)
        self._videos = VideoStore(db)
        self._transcripts = TranscriptStore(db)

    def run(self, jobs: Iterable[Job], *, messages_lost: bool = False) -> int:
        """Returns the number of videos that were sent. ``jobs``: all that are active.

        Raises:
            Transient: the database, Pub/Sub or the search index does not answer. The next sweep goes on.
        """
        found = self._db.read(STATE)[0]
        state = state_from(found)
        if self._model is None:
            if state.wanted is not None:
                # What is stored from now on is not due. When it is on again, all are looked at.
                self._change(found, wanted=None, after=None, listed=False)
            return 0
        if state.wanted != self._model.name:
            self._begin(found, state, self._model)
            return 0
        working = any_works(jobs)
        due = self._due(state, working)
        if state.trouble and not due:
            # Nothing else would show that the model is there again.
            self._topics.publish("passages", [PassagesMessage(_NO_VIDEO, anyway=True)])
        if due or working:
            return self._send(found, state, due, working, messages_lost)
        if not state.listed:
            self._look_at_old(found, state, self._model)
        elif state.retired:
            self._forget(found, state.retired)
        elif state.serving != state.wanted:
            self._serve(found, state)
        return 0

    def _change(self, found: Snapshot, **changes: object) -> None:
        """Writes the state. Raises Conflict if it is not as it was read."""
        kept = {each.name: (found.data or {}).get(each.name, each.default) for each in fields(State)}
        self._db.commit().put(found, kept | changes).run()

    def _begin(self, found: Snapshot, state: State, model: Model) -> None:
        serving = state.serving or model.name
        # One that was wanted, and has never come to serve.
        retired = state.retired if state.wanted in (None, serving) else state.wanted
        self._change(
            found,
            wanted=model.name,
            serving=serving,
            retired=retired if retired != model.name else None,
            after=None,
            listed=False,
            # These videos were sent for another model, and perhaps wait for one that is missing.
            resend_after=clock.now(),
        )
        logs.info("all videos are looked at for search by meaning", model=model.name, serving=serving)

    def _due(self, state: State, working: bool) -> list[Snapshot]:
        """The oldest ones that may be on their way now."""
        until = clock.now() - self._patience if working else clock.now()
        most = 1 if state.trouble else FEW if working else WINDOW
        return list(self._db.query("passages_due", ("since", "<=", until), order_by="since", limit=most))

    def _send(
        self, found: Snapshot, state: State, due: list[Snapshot], working: bool, messages_lost: bool
    ) -> int:
        now = clock.now()
        lost_before = now if messages_lost else now - _LOST
        if state.held_back and not working:
            self._change(found, held_back=False, resend_after=now)
            lost_before = now
        elif state.resend_after is not None:
            lost_before = max(lost_before, state.resend_after)
        left = [each for each in due if _is_left(each, lost_before)]
        if not left:
            return 0
        commit = self._db.commit()
        for each in left:
            commit.update(each.path, {"sent_at": now})
        try:
            commit.run()
        except Conflict:
            # One was embedded meanwhile. The next sweep sends the others.
            return 0
        self._topics.publish("passages", [PassagesMessage(each.id, working) for each in left])
        return len(left)

    def _look_at_old(self, found: Snapshot, state: State, model: Model) -> None:
        """Makes due what the model has not embedded of the next old videos."""
        page = self._transcripts.next_page(state.after, _LOOKED_AT)
        video_ids = [each for each, outcome in page.items() if outcome and outcome.kind == "transcript"]
        metadata, digests = self._videos.read(video_ids), self._store.digests(model.name, video_ids)
        waiting = {
            each.id for each in self._db.read(*map(due_path, video_ids), fields=["since"]) if each.data
        }
        commit = self._db.commit()
        for video_id in video_ids:
            about, outcome = metadata.get(video_id), page[video_id]
            if about is None or outcome is None or video_id in waiting:
                continue
            if digests.get(video_id) != digest(about, outcome):
                make_due(commit, video_id, clock.now())
        if len(commit):
            commit.run()
        self._change(found, after=max(page, default=state.after), listed=len(page) < _LOOKED_AT)

    def _serve(self, found: Snapshot, state: State) -> None:
        self._change(found, serving=state.wanted, retired=state.serving)
        logs.info("another model serves", model=state.wanted, before=state.serving)

    def _forget(self, found: Snapshot, model: str) -> None:
        """Deletes the passages of a model that serves no more, some in each sweep, and last its index."""
        some = list(self._db.query(f"models/{model}/passages", limit=MAXIMUM_WRITES, fields=["digest"]))
        commit = self._db.commit()
        for each in some:
            commit.delete(each.path)
        if some:
            commit.run()
        if len(some) < MAXIMUM_WRITES:
            self._index.remove(model)
            self._change(found, retired=None)


def _is_left(due: Snapshot, lost_before: datetime) -> bool:
    sent_at = (due.data or {}).get("sent_at")
    return sent_at is None or sent_at < lost_before
