"""Whether the dependencies answer. All are asked at the same time, and within a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Literal, NotRequired, TypedDict

from shared import __version__, logs
from shared.config import ConfigError
from shared.errors import Full, Transient

#: Seconds that one dependency gets.
TIMEOUT = 4.0
#: Seconds for which an answer is remembered. An uptime check asks each minute.
KEPT = 5.0
#: Asks a dependency, and raises when it does not answer within so many seconds.
Probe = Callable[[float], None]


class HealthView(TypedDict):
    """`dependencies`: each is "ok", or a description of the error.

    `by_meaning`: how search by meaning is; missing while a dependency does not answer.
    """

    status: Literal["ok", "degraded"]
    dependencies: Mapping[str, str]
    version: str
    by_meaning: NotRequired[str]


class Health:
    """Asks all dependencies, and remembers the answer for some seconds.

    Anybody may ask for it, and each answer costs a request of each dependency. ``by_meaning``: says how
    search by meaning is. Everything else works without that, so it does not count for the status.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        by_meaning: Callable[[], str] = lambda: "off",
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probes = probes
        self._by_meaning = by_meaning
        self._monotonic = monotonic
        self._lock = Lock()
        self._known: tuple[float, HealthView] | None = None

    def check(self) -> HealthView:
        """As :func:`check`, with ``by_meaning``, KEPT seconds old at most.

        Callers at the same time wait for one answer.
        """
        with self._lock:
            if self._known is None or self._monotonic() - self._known[0] >= KEPT:
                found = check(self._probes)
                if found["status"] == "ok":
                    found["by_meaning"] = _said(self._by_meaning)
                self._known = self._monotonic(), found
            return self._known[1]


def check(probes: Mapping[str, Probe]) -> HealthView:
    """Asks each dependency once."""
    with ThreadPoolExecutor(len(probes)) as pool:
        found = dict(zip(probes, pool.map(_ask, probes, probes.values()), strict=True))
    all_well = set(found.values()) == {"ok"}
    return {"status": "ok" if all_well else "degraded", "dependencies": found, "version": __version__}


def _ask(name: str, probe: Probe) -> str:
    try:
        probe(TIMEOUT)
    except (ConfigError, Transient, Full) as error:
        return str(error)
    except Exception as error:  # any error of an SDK means the same
        logs.warning("a dependency does not answer", dependency=name, reason=repr(error))
        return "does not answer"
    return "ok"


def _said(by_meaning: Callable[[], str]) -> str:
    try:
        return by_meaning()
    except (ConfigError, Transient) as error:
        return str(error)
