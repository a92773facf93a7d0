"""The circuit breaker of one address: how fast it may ask YouTube, and whether at all.

The threads of a process share a :class:`shared.youtube.egress.pacer.Pacer`. The processes of an address
share its :class:`shared.youtube.egress.window.Window` through the document ``egress/NAME``. It is read and
written at most once a second while videos are fetched, and at once when the breaker moves. A single video
costs the database nothing.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from time import monotonic

from shared import clock, logs
from shared.errors import Conflict, Transient
from shared.gcp.firestore import Firestore
from shared.youtube.egress.pacer import Pacer, Ticket
from shared.youtube.egress.window import fields_of, window_from
from shared.youtube.player_key import PlayerKey

#: The reason why a video of a blocked address waits.
ADDRESS_BLOCKED = "YouTube refuses requests from this address."
#: Seconds between two syncs while videos are fetched.
SYNC_EVERY = 1.0
#: Attempts of one sync, if other processes write at the same time.
_ATTEMPTS = 4
#: Seconds until a video asks again while a probe is under way, and if its turn did not come.
_PROBE_DECIDES, _BUSY = 3.0, 5.0
#: A process that has not synced for so long does not count as alive.
_ALIVE = timedelta(seconds=30)


class RouteClosed(Exception):
    """No request may leave by this route now.

    ``until``: when to ask again. ``blocked``: YouTube has blocked the address; False if the video's turn did
    not come.
    """

    def __init__(self, until: datetime, *, blocked: bool = True) -> None:
        super().__init__(f"until {until:%H:%M:%S}")
        self.until = until
        self.blocked = blocked


def egress_path(name: str) -> str:
    return f"egress/{name}"


class Breaker:
    """Lets videos through by the route ``name``, at most ``capacity`` at once.

    Thread-safe. The database is never called while the lock is held.

    Args:
        rotating: each connection leaves from another address, so that a single refusal proves nothing.
        worker: the process pulls messages by itself, and so takes over those that others nack.
        sync_every: see SYNC_EVERY.
    """

    def __init__(
        self,
        db: Firestore,
        name: str,
        capacity: int,
        player_key: PlayerKey,
        *,
        rotating: bool = False,
        worker: bool = False,
        sync_every: float = SYNC_EVERY,
    ) -> None:
        self.name = name
        self.rotating = rotating
        self.worker = worker
        self._db = db
        self._player_key = player_key
        self._sync_every = sync_every
        self._pacer = Pacer(capacity)
        self._changed = threading.Condition()
        self._syncing = threading.RLock()
        self._synced_at = float("-inf")
        #: A thread waits for the next turn. The others wait until it has got that.
        self._timed = False
        self._bytes = 0

    def acquire(self, video_id: str, patience: float) -> Ticket:
        """Waits until the video has its turn, ``patience`` seconds at most.

        Raises:
            RouteClosed: the address is blocked, or the video's turn did not come.
            Transient: the database does not answer.
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
                    # There may be room for another one.
                    self._changed.notify()
                elif window.state != "closed":
                    probing = window.state == "half_open"
                    raise RouteClosed(_time(min(admitted, now + _PROBE_DECIDES) if probing else admitted))
                elif (left := deadline - monotonic()) <= 0:
                    # The one that notified this thread may have meant any that waits.
                    self._changed.notify()
                    raise RouteClosed(_time(max(admitted, now + _BUSY)), blocked=False)
                else:
                    self._wait_for_turn(min(left, self._sync_every), admitted - now)
                    continue
            if window.generation == generation:
                return admitted
            # The breaker has moved. If another process was first, the ticket is worth nothing.
            self.sync()
            with self._changed:
                if admitted.generation == self._pacer.window.generation:
                    return admitted
            self.release(admitted)

    def _wait_for_turn(self, left: float, due: float) -> None:
        """Waits for a ticket that is released or, if ``due`` > 0, until the bucket has tokens.

        One thread waits for tokens. If all did, all would wake up for one turn.
        """
        if due <= 0 or self._timed:
            self._changed.wait(left)
            return
        self._timed = True
        self._changed.wait(min(left, due))
        self._timed = False

    def may_send(self, ticket: Ticket, *, repeats_refused: bool = False) -> bool:
        """Counts a request that is about to be sent. False if it must not be, because it would be refused.

        ``repeats_refused``: it repeats a request that YouTube has perhaps refused.
        """
        with self._changed:
            return self._pacer.may_send(ticket, _now(), repeats_refused=repeats_refused)

    def succeeded(self, ticket: Ticket) -> None:
        """YouTube has answered, whatever it said about the video."""
        self._settle(ticket, refused=False)

    def refused(self, ticket: Ticket, *, weak: bool, unknown: bool = False) -> bool:
        """YouTube has refused. True if it refused the address, and not the video."""
        return self._settle(ticket, refused=True, weak=weak or self.rotating, unknown=unknown)

    def _settle(self, ticket: Ticket, *, refused: bool, weak: bool = False, unknown: bool = False) -> bool:
        with self._changed:
            now, before = _now(), self._pacer.window
            if not ticket.sent:
                self._pacer.may_send(ticket, now)
            of_address = refused and self._pacer.refused(ticket, now, weak=weak, unknown=unknown)
            if not refused:
                self._pacer.succeeded(ticket, now)
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
                requests=before.counted,
                seconds=round(now - before.began, 1),
                requests_per_second=after.rate,
            )
            self.sync()
        return of_address

    def release(self, ticket: Ticket, received: int = 0) -> None:
        """Returns a ticket. ``received``: the bytes that came through."""
        with self._changed:
            self._bytes += received
            self._pacer.release(ticket, _now())
            self._changed.notify()

    @property
    def opens_at(self) -> datetime:
        """When the next probe may be sent."""
        with self._changed:
            return _time(self._pacer.window.opens_at)

    def places(self) -> int:
        """The number of videos that may be at YouTube at once now: none while the breaker is open."""
        with self._changed:
            is_open = self._pacer.window.state != "closed" and self._pacer.window.opens_at > _now()
            return 0 if is_open else self._pacer.concurrency()

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
                self._changed.wait(min(left, self._sync_every, due if due > 0 else self._sync_every))

    def _sync_if_due(self) -> None:
        """All threads wait for the first sync, because before it nothing is known about the address."""
        first = self._pacer.last_synced is None
        if not first and monotonic() - self._synced_at < self._sync_every:
            return
        if self._syncing.acquire(blocking=first):
            try:
                if not first or self._pacer.last_synced is None:
                    self._sync()
            finally:
                self._syncing.release()

    def sync(self) -> None:
        """As :meth:`_sync`, but a failure is logged only."""
        try:
            self._sync()
        except Transient as error:
            logs.warning("an egress could not be synced", error, egress=self.name)

    def _sync(self) -> None:
        """Tells the other processes what happened here, and learns what happened there.

        Raises:
            Transient: the database does not answer the first time. Later this process goes on with its own
                view, and the failure is logged.
        """
        with self._syncing:
            try:
                for _ in range(_ATTEMPTS):
                    try:
                        self._exchange()
                        break
                    except Conflict:
                        continue
            except Transient as error:
                if self._pacer.last_synced is None:
                    raise
                logs.warning("an egress could not be synced", error, egress=self.name)
            finally:
                # After a failure, too: other threads need not try at once.
                self._synced_at = monotonic()

    def _exchange(self) -> None:
        snapshot = self._db.read(egress_path(self.name))[0]
        data = snapshot.data or {}
        self._player_key.adopt(data.get("player_key"))
        key = self._player_key.to_share()
        with self._changed:
            merged, received = self._pacer.sync(window_from(data)), self._bytes
            self._changed.notify_all()
        fields = fields_of(merged) | {"seen_at": clock.now(), "worker": self.worker}
        fields["bytes"] = data.get("bytes", 0) + received
        if key is not None:
            fields["player_key"] = key
        self._db.commit().put(snapshot, fields).run()
        with self._changed:
            self._pacer.last_synced = merged
            self._bytes -= received
        self._player_key.shared(key)


def another_worker_may_ask(db: Firestore, mine: Breaker) -> bool:
    """Whether a process with another address is alive, not blocked, and may get a message that is nacked.

    A worker leaves its messages to any other process. The cloud fetcher, which is sent all messages, leaves
    them to workers.

    Raises:
        Transient: the database does not answer.
    """
    now = clock.now()
    for snapshot in db.query("egress"):
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
