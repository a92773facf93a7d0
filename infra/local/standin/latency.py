"""How long answers take, by endpoint class: seconds, and a jitter that is added evenly."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from infra.local.standin.faults import ControlError
from infra.local.standin.stats import ENDPOINTS


class Latency:
    """Zero unless told otherwise."""

    def __init__(self) -> None:
        self._delays: dict[str, tuple[float, float]] = {}
        self._random = random.Random(1)  # noqa: S311 - repeatable, and nothing to guess

    def reset(self) -> None:
        self._delays.clear()

    def change(self, fields: Mapping[str, Any]) -> None:
        """``{"player": 0.3, "watch": {"seconds": 0.5, "jitter": 0.2}}``

        Raises:
            ControlError: nothing is changed then.
        """
        changes: dict[str, tuple[float, float]] = {}
        for name, value in fields.items():
            if name not in ENDPOINTS:
                raise ControlError(f"expected endpoints of {list(ENDPOINTS)}, found {name!r}")
            match value:
                case {"seconds": int() | float() as seconds, "jitter": int() | float() as jitter}:
                    changes[name] = (seconds, jitter)
                case int() | float() | {"seconds": int() | float()}:
                    changes[name] = (value["seconds"] if isinstance(value, dict) else value, 0)
                case _:
                    raise ControlError(f"expected seconds for {name!r}, found {value!r:.80}")
        self._delays.update(changes)

    def of(self, endpoint: str) -> float:
        if not self._delays:
            return 0.0
        seconds, jitter = self._delays.get(endpoint, (0.0, 0.0))
        return seconds + (self._random.uniform(0, jitter) if jitter else 0.0)

    def as_json(self) -> dict[str, Any]:
        return {
            name: {"seconds": self._delays.get(name, (0, 0))[0], "jitter": self._delays.get(name, (0, 0))[1]}
            for name in ENDPOINTS
        }
