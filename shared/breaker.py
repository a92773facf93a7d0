"""The way to YouTube from one address: paced, and shared with the other processes of that address.

The threads of a process share a :class:`shared.pacer.Pacer`. The processes of an address share its
:class:`shared.window.Window` through the document ``egress/NAME``. It is read and written at most once a
second while videos are fetched, and at once when the breaker moves. A single video costs Firestore nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic

from shared import clock, config, documents, logs
from shared.documents import Commit, Conflict
from shared.egress import player_key
from shared.errors import Transient
from shared.pacer import Pacer, Ticket
from shared.window import fields_of, window_of

#: Seconds between two syncs while videos are fetched.
_SYNC_EVERY = 1.0
#: Attempts of one sync, if other processes write at the same time.
_ATTEMPTS = 4
#: Seconds until a video asks again: while a probe is under way, and if its turn did not come.
_PROBE_DECIDES, _BUSY = 3.0, 5.0
#: A process that has not synced for so long does not count as alive.
_ALIVE = timedelta(seconds=30)


class RouteClosed(Exception):
    """No request may leave now. ``until``: when to ask again. ``refused``: because the address is blocked."""

    def __init__(self, until: datetime, *, refused: bool = True) -> None:
        super().__init__(f"until {until:%H:%M:%S}")
        self.until = until
        self.refused = refused


def path(name: str) -> str:
    return f"egress/{name}"


class Breaker:
    """Lets videos through from the address ``name``, at most ``capacity`` at once.

    Thread-safe. Firestore is never called while the lock is held.

    Args:
        proxies: as requests takes them; None for the direct way.
        rotating: each connection leaves from another address, so that a single refusal proves nothing.
        worker: the process pulls messages by itself, and so takes over those that others give back.
    """

    def __init__(
        self,
        name: str,
        capacity: int,
        *,
        proxies: Mapping[str, str] | None = None,
        rotating: bool = False,
        worker: bool = False,
    ) -> None:
        self.name, self.proxies, self.rotating, self.worker = name, proxies, rotating, worker
        self._pacer = Pacer(capacity)
        self._changed = threading.Condition()
        self._syncing = threading.RLock()
        self._synced_at = float("-inf")
        #: A thread waits for the next turn. The others wait until it has got that.
        self._timed = False
        self._bytes = 0

    def enter(self, video_id: str, patience: float) -> Ticket:
        """Waits until the video has its turn, ``patience`` seconds at most.

        Raises:
            RouteClosed: the address is blocked, or its turn did not come.
            Transient: Firestore does not answer.
        """
        deadline = monotonic() + patience
        while True:
            self._sync_if_due()
            with self._changed:
                now = _now()
                generation = self._pacer.window.generation
                admitted = self._pacer.admit(video_id, now)
                window = self._pacer.window
                if isinstance(admitted, Ticket):
                    self._changed.notify()  # there may be room for another one
                elif window.state != "closed":
                    probing = window.state == "half_open"
                    raise RouteClosed(_time(min(admitted, now + _PROBE_DECIDES) if probing else admitted))
                elif (left := deadline - monotonic()) <= 0:
                    self._changed.notify()  # a thread that still waits may be meant
                    raise RouteClosed(_time(max(admitted, now + _BUSY)), refused=False)
                else:
                    self._wait_for_turn(min(left, _SYNC_EVERY), admitted - now)
                    continue
            if window.generation == generation:
                return admitted
            self.sync()
            with self._changed:
                if admitted.generation == self._pacer.window.generation:
                    return admitted
            self.leave(admitted)  # another process was first

    def _wait_for_turn(self, left: float, due: float) -> None:
        """Waits for a ticket that comes back or, if ``due`` > 0, until the bucket has tokens.

        One thread waits for tokens: if all did, all would wake up for one turn.
        """
        if due <= 0 or self._timed:
            self._changed.wait(left)
            return
        self._timed = True
        self._changed.wait(min(left, due))
        self._timed = False

    def sending(self, ticket: Ticket) -> bool:
        """Notes that a request is about to be sent. False if it must not be, because it would be refused."""
        with self._changed:
            return self._pacer.sending(ticket, _now())

    def passed(self, ticket: Ticket) -> None:
        """YouTube has answered, whatever it said of the video."""
        self._settle(ticket, refused=False, weak=False)

    def blocked(self, ticket: Ticket, *, weak: bool) -> bool:
        """YouTube has refused. Returns whether it refused the address, and not the video."""
        return self._settle(ticket, refused=True, weak=weak or self.rotating)

    def _settle(self, ticket: Ticket, *, refused: bool, weak: bool) -> bool:
        with self._changed:
            now, before = _now(), self._pacer.window
            if not ticket.sent:
                self._pacer.sending(ticket, now)
            of_address = refused and self._pacer.blocked(ticket, now, weak=weak)
            if not refused:
                self._pacer.passed(ticket, now)
            after = self._pacer.window
            moved = before.generation != after.generation
            if moved:
                self._changed.notify_all()
        if moved:
            logs.warning(
                "the breaker has moved",
                egress=self.name,
                state=after.state,
                was=before.state,
                opens_at=clock.rfc3339(_time(after.opens_at)),
                requests_borne=before.borne,
                seconds=round(now - before.began, 1),
                requests_per_second=after.rate,
            )
            self.sync()
        return of_address

    def leave(self, ticket: Ticket, received: int = 0) -> None:
        """Gives the ticket back; ``received`` bytes came through."""
        with self._changed:
            self._bytes += received
            self._pacer.release(ticket, _now())
            self._changed.notify()

    def outlook(self) -> tuple[datetime | None, int]:
        """When a probe may go, None while all may; and how many videos may be at YouTube at once."""
        with self._changed:
            window = self._pacer.window
            opens_at = None if window.state == "closed" else _time(window.opens_at)
            return opens_at, self._pacer.concurrency()

    def wait(self, until: datetime, patience: float) -> None:
        """Waits until then, or until the breaker closes, ``patience`` seconds at most."""
        deadline = monotonic() + patience
        while (left := deadline - monotonic()) > 0:
            self._sync_if_due()
            with self._changed:
                state = self._pacer.window.state
                due = (until - clock.now()).total_seconds()
                if state == "closed" or (state == "open" and due <= 0):
                    return
                self._changed.wait(min(left, _SYNC_EVERY, due if due > 0 else _SYNC_EVERY))

    def _sync_if_due(self) -> None:
        """The first sync is waited for by all threads: until then nothing is known of the address."""
        first = self._pacer.last_synced is None
        if not first and monotonic() - self._synced_at < _SYNC_EVERY:
            return
        if self._syncing.acquire(blocking=first):
            try:
                if not first or self._pacer.last_synced is None:
                    self.sync()
            finally:
                self._syncing.release()

    def sync(self) -> None:
        """Tells the other processes what happened here, and learns what happened there.

        Raises:
            Transient: Firestore does not answer the first time. Later this process goes on with its own view.
        """
        with self._syncing:
            try:
                for _ in range(_ATTEMPTS):
                    try:
                        self._sync()
                        break
                    except Conflict:
                        continue
            except Transient as error:
                if self._pacer.last_synced is None:
                    raise
                logs.warning("an egress could not be synced", egress=self.name, reason=str(error))
            finally:
                # After a failure, too: other threads need not try at once.
                self._synced_at = monotonic()

    def _sync(self) -> None:
        snapshot = documents.read(path(self.name))[0]
        data, youtube = snapshot.data or {}, config.load().youtube_base_url
        player_key.adopt(data.get("player_key"), youtube)
        learned = player_key.learned
        with self._changed:
            merged, received = self._pacer.sync(window_of(data)), self._bytes
            self._changed.notify_all()
        fields = fields_of(merged) | {"seen_at": clock.now(), "worker": self.worker}
        fields["bytes"] = data.get("bytes", 0) + received
        if learned is not None:
            fields["player_key"] = {"value": learned, "of": youtube}
        if snapshot.data is None:
            Commit().create(path(self.name), fields).run()
        else:
            Commit().update(path(self.name), fields, unchanged_since=snapshot.update_time).run()
        with self._changed:
            self._pacer.last_synced = merged
            self._bytes -= received
        player_key.told(learned)


def somebody_else_may(mine: Breaker) -> bool:
    """Whether a process with another address is alive, not blocked, and may get a message that is given back.

    A worker leaves its messages to any other process. The cloud fetcher, which is sent all of them, leaves
    them to workers.

    Raises:
        Transient: Firestore does not answer.
    """
    now = clock.now()
    for snapshot in documents.query("egress"):
        data = snapshot.data or {}
        if snapshot.id == mine.name or snapshot.id.startswith("proxy-") or data["seen_at"] < now - _ALIVE:
            continue
        is_open = data["state"] == "closed" or (data["state"] == "open" and data["opens_at"] <= now)
        if is_open and (data.get("worker") or mine.worker):
            return True
    return False


def _now() -> float:
    return clock.now().timestamp()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
