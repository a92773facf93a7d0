"""Whether the dependencies answer. All are asked at the same time, and within a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared import logs
from shared.config import ConfigError
from shared.errors import Transient

#: Seconds that one dependency gets.
TIMEOUT = 4.0
#: Asks a dependency, and raises when it does not answer within so many seconds.
Probe = Callable[[float], None]


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
