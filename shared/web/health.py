"""Whether the dependencies answer. All are asked at the same time, and within a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from shared import logs
from shared.config import ConfigError
from shared.errors import Transient

#: Seconds that one dependency gets.
TIMEOUT = 4.0
#: Seconds for which an answer is remembered. An uptime check asks each minute.
KEPT = 5.0
#: Asks a dependency, and raises when it does not answer within so many seconds.
Probe = Callable[[float], None]


class Health:
    """Asks all dependencies, and remembers the answer for some seconds.

    Anybody may ask for it, and each answer costs a request of each dependency. ``by_meaning``: says how
    search by meaning is. Everything else works without that, so it does not count for the status.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        by_meaning: Callable[[], str] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probes = probes
        self._by_meaning = by_meaning
        self._monotonic = monotonic
        self._lock = Lock()
        self._known: tuple[float, dict[str, Any]] | None = None

    def check(self) -> dict[str, Any]:
        """As :func:`check`, with ``by_meaning``, KEPT seconds old at most.

        Callers at the same time wait for one answer.
        """
        with self._lock:
            if self._known is None or self._monotonic() - self._known[0] >= KEPT:
                found = check(self._probes) | self._said_by_meaning()
                self._known = self._monotonic(), found
            return self._known[1]

    def _said_by_meaning(self) -> dict[str, str]:
        if self._by_meaning is None:
            return {}
        try:
            return {"by_meaning": self._by_meaning()}
        except Transient as error:
            return {"by_meaning": str(error)}


def check(probes: Mapping[str, Probe]) -> dict[str, Any]:
    """``{"status": "ok" | "degraded", "dependencies": {name: "ok" | a description of the error}}``."""
    with ThreadPoolExecutor(len(probes)) as pool:
        found = dict(zip(probes, pool.map(_ask, probes, probes.values()), strict=True))
    status = "ok" if set(found.values()) == {"ok"} else "degraded"
    return {"status": status, "dependencies": found}


def _ask(name: str, probe: Probe) -> str:
    try:
        probe(TIMEOUT)
    except (ConfigError, Transient) as error:
        return str(error)
    except Exception as error:  # any error of an SDK means the same
        logs.warning("a dependency does not answer", dependency=name, reason=repr(error))
        return "does not answer"
    return "ok"
