"""The way to YouTube from one address: paced, and in step with the other processes of that address.

The threads of a process share a :class:`shared.pacing.Pacer`; the processes share what it knows through
the document ``egress/NAME``. It is read and written once a second while videos are fetched, and at
once when the breaker moves: a video in good weather costs Firestore nothing.
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
from shared.known import fields_of, known_of
from shared.pacing import Pacer, Ticket

#: Seconds between two looks at what the other processes know.
_EXCHANGE_EVERY = 1.0
#: Seconds after which what they know is looked at before anything else.
_IDLE = 3.0
#: Seconds in which a probe that is under way tells whether the breaker closes.
_PROBE_DECIDES = 3.0
#: Attempts to write it against the others; the next look comes soon.
_ATTEMPTS = 4
#: A worker that was not seen for so long takes nothing over.
_ALIVE = timedelta(seconds=30)


class Shut(Exception):
    """No request may leave now. ``until``: when to ask again; ``refused``: because YouTube blocks."""

    def __init__(self, until: datetime, *, refused: bool = True) -> None:
        super().__init__(f"until {until:%H:%M:%S}")
        self.until = until
        self.refused = refused


def path(name: str) -> str:
    return f"egress/{name}"


class Gate:
    """``proxies``: as requests takes them; None for the direct way. ``rotating``: each connection leaves
    from another address, so that one refusal is no proof against all. ``worker``: of a process
    that takes messages by itself, and so takes over those that others cannot fetch.

    Thread-safe. Firestore is never asked while the lock is held.
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
        self._exchanging = threading.Lock()
        self._looked_at = float("-inf")
        self._bytes = 0

    def enter(self, video_id: str, patience: float) -> Ticket:
        """Waits until the video has its turn, ``patience`` seconds at most.

        Raises:
            Shut: the address is blocked, has used up its budget, or is too busy.
            Transient: Firestore does not answer.
        """
        deadline = monotonic() + patience
        self._look(first=True)
        while True:
            with self._changed:
                now = clock.now().timestamp()
                generation = self._pacer.known.generation
                admitted = self._pacer.admit(video_id, now)
                moved = self._pacer.known.generation != generation
                if not moved and isinstance(admitted, float):
                    if admitted > now:
                        probing = self._pacer.known.state == "half_open"
                        raise Shut(_time(min(admitted, now + _PROBE_DECIDES) if probing else admitted))
                    left = deadline - monotonic()
                    if left <= 0:
                        self._changed.notify()  # whoever woke it meant it for one that takes the place
                        raise Shut(_time(now + 5), refused=False)
                    self._changed.wait(min(left, _EXCHANGE_EVERY))
            if moved:
                self.exchange()
            else:
                self._look()
            if isinstance(admitted, Ticket):
                if not moved or self._is_ours(admitted):
                    return admitted
                # Another process was first.
                self.leave(admitted)

    def _is_ours(self, ticket: Ticket) -> bool:
        with self._changed:
            return ticket.generation == self._pacer.known.generation

    def sending(self, ticket: Ticket) -> bool:
        """Counts a request; False if it would be wasted."""
        with self._changed:
            return self._pacer.sending(ticket, clock.now().timestamp())

    def passed(self, ticket: Ticket) -> None:
        """YouTube has answered, whatever it said of the video."""
        self._settle(ticket, refused=False, weak=False)

    def blocked(self, ticket: Ticket, *, weak: bool) -> bool:
        """YouTube refused; whether that is of the address, and not of the video."""
        return self._settle(ticket, refused=True, weak=weak or self.rotating)

    def _settle(self, ticket: Ticket, *, refused: bool, weak: bool) -> bool:
        with self._changed:
            now = clock.now().timestamp()
            before = self._pacer.known
            if not ticket.sent:
                self._pacer.sending(ticket, now)
            of_address = refused and self._pacer.blocked(ticket, now, weak=weak)
            if not refused:
                self._pacer.passed(ticket, now)
            after = self._pacer.known
            if before.state == after.state:
                self._wake()
            else:
                self._changed.notify_all()
        if before.state != after.state:
            logs.warning(
                "the breaker has moved",
                egress=self.name,
                state=after.state,
                was=before.state,
                opens_at=clock.rfc3339(_time(after.opens_at)),
                requests_borne=after.limit,
                window_seconds=after.length,
            )
        if before.generation != after.generation:
            self.exchange()
        return of_address

    def leave(self, ticket: Ticket, received: int = 0) -> None:
        """Gives the ticket back; ``received`` bytes came through."""
        with self._changed:
            self._bytes += received
            self._pacer.release(ticket, clock.now().timestamp())
            self._wake()

    def _wake(self) -> None:
        """As many as there are places for: dozens of threads need not wake up to see one of them take it."""
        free = self._pacer.concurrency(clock.now().timestamp()) - len(self._pacer.tickets)
        self._changed.notify(max(1, free))

    def outlook(self) -> tuple[datetime | None, int]:
        """When a probe may go, None while all may; and how many videos may be at YouTube at once."""
        with self._changed:
            known = self._pacer.known
            if known.state == "closed":
                return None, self._pacer.concurrency(clock.now().timestamp())
            return _time(known.opens_at), 1

    def wait(self, until: datetime, patience: float) -> None:
        """Until then, or until the breaker closes, or for ``patience`` seconds."""
        deadline = monotonic() + patience
        while (left := deadline - monotonic()) > 0:
            with self._changed:
                known = self._pacer.known
                due = (until - clock.now()).total_seconds()
                if known.state == "closed" or (known.state == "open" and due <= 0):
                    return
                self._changed.wait(min(left, _EXCHANGE_EVERY, due if due > 0 else _EXCHANGE_EVERY))
            self._look()

    def _look(self, *, first: bool = False) -> None:
        """An exchange, if it is time for one; nobody waits for somebody else's, but for the ``first``.

        That is of a process that is new, or was idle: it knows nothing of what the others ask.
        """
        if first and (self._pacer.told is None or self._age() > _IDLE):
            with self._exchanging:
                if self._pacer.told is None:
                    self._exchange_against_others()
                elif self._age() > _IDLE:
                    self._exchange_or_warn()
        elif self._age() >= _EXCHANGE_EVERY and self._exchanging.acquire(blocking=False):
            try:
                self._exchange_or_warn()
            finally:
                self._exchanging.release()

    def _age(self) -> float:
        return monotonic() - self._looked_at

    def exchange(self) -> None:
        """Tells the others what happened here, and learns what happened there, if Firestore answers."""
        with self._exchanging:
            self._exchange_or_warn()

    def _exchange_or_warn(self) -> None:
        try:
            self._exchange_against_others()
        except Transient as error:
            # What this process knows by itself has to do for the moment.
            logs.warning("what is known of an egress could not be exchanged", reason=str(error))

    def _exchange_against_others(self) -> None:
        try:
            for _ in range(_ATTEMPTS):
                try:
                    return self._exchange()
                except Conflict:
                    continue
        finally:
            # Those that wait for it need not try as well.
            self._looked_at = monotonic()
        return None

    def _exchange(self) -> None:
        snapshot = documents.read(path(self.name))[0]
        data, youtube = snapshot.data or {}, config.load().youtube_base_url
        player_key.adopt(data.get("player_key"), youtube)
        learned = player_key.learned
        with self._changed:
            agreed, received = self._pacer.exchange(known_of(data)), self._bytes
            self._changed.notify_all()
        fields = fields_of(agreed) | {"seen_at": clock.now(), "worker": self.worker}
        fields["bytes"] = data.get("bytes", 0) + received
        if learned is not None:
            fields["player_key"] = {"value": learned, "of": youtube}
        if snapshot.data is None:
            Commit().create(path(self.name), fields).run()
        else:
            Commit().update(path(self.name), fields, unchanged_since=snapshot.update_time).run()
        with self._changed:
            self._pacer.told = agreed
            self._bytes -= received
        player_key.told(learned)


def somebody_else_may(mine: Gate) -> bool:
    """Whether a process with another address lives, is not blocked, and may come to a message given back.

    A worker leaves its messages to any other; the cloud fetcher, which is sent all of them, to workers.

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


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
