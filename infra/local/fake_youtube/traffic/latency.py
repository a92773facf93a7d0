"""Delays answers, by endpoint: by a number of seconds, plus a random part between zero and the jitter."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from infra.local.fake_youtube.endpoints import ENDPOINTS
from infra.local.fake_youtube.fields import ControlError, quote


class Latency:
    """Zero at the start."""

    def __init__(self) -> None:
        #: Seconds and jitter by endpoint.
        self._delays: dict[str, tuple[float, float]] = {}
        self._random = random.Random(1)  # noqa: S311 - it must repeat, and need not be unpredictable

    def reset(self) -> None:
        self._delays.clear()

    def change(self, fields: Mapping[str, Any]) -> None:
        """``{"player": 0.3, "watch": {"seconds": 0.5, "jitter": 0.2}}``

        Raises:
            ControlError: nothing has changed.
        """
        changes: dict[str, tuple[float, float]] = {}
        for name, value in fields.items():
            if name not in ENDPOINTS:
                raise ControlError(f"expected endpoints out of {', '.join(ENDPOINTS)}; found {quote(name)}")
            match value:
                case {"seconds": int() | float() as seconds, "jitter": int() | float() as jitter}:
                    changes[name] = (seconds, jitter)
                case int() | float() as seconds:
                    changes[name] = (seconds, 0)
                case {"seconds": int() | float() as seconds}:
                    changes[name] = (seconds, 0)
                case _:
                    raise ControlError(
                        f"expected {name!r} to be seconds, or an object with 'seconds' and 'jitter'; "
                        f"found {quote(value)}"
                    )
        self._delays.update(changes)

    def seconds(self, endpoint: str) -> float:
        """The delay of the next answer."""
        if not self._delays:
            return 0.0
        seconds, jitter = self._delays.get(endpoint, (0.0, 0.0))
        return seconds + (self._random.uniform(0, jitter) if jitter else 0.0)

    def as_json(self) -> dict[str, Any]:
        answer = {}
        for name in ENDPOINTS:
            seconds, jitter = self._delays.get(name, (0, 0))
            answer[name] = {"seconds": seconds, "jitter": jitter}
        return answer
