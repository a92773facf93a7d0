"""Blocks addresses that ask too much.

A budget is a number of requests or videos in a window of time. When it is spent, the address is blocked
until its window ends.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from infra.local.fake_youtube.endpoints import VIDEO_ENDPOINTS
from infra.local.fake_youtube.fields import ControlError, FieldTypes, check_choice, check_fields

#: How a blocked address is answered: by status 429, or by a player that refuses.
BLOCK_KINDS = ("429", "bot", "rate_limited", "sign_in", "not_on_this_app")


@dataclass(frozen=True, slots=True)
class Budget:
    """``address``: an IP, ``proxy:USERNAME``, or ``*`` to give each address a budget of its own.
    ``requests``: how many units a window has. ``window``: seconds."""

    address: str
    requests: int
    window: float
    kind: str = "429"
    unit: str = "requests"


@dataclass(slots=True)
class _Window:
    """``start``: by the clock, in seconds. ``spent``: requests, if the unit is requests."""

    start: float
    spent: int = 0
    videos: set[str] = field(default_factory=set)


_FIELDS: FieldTypes = {
    "address": str, "requests": int, "window": (int, float), "kind": str, "unit": str,
}  # fmt: skip


class Addresses:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._budgets: dict[str, Budget] = {}
        self._windows: dict[str, _Window] = {}

    def reset(self) -> None:
        self._budgets.clear()
        self._windows.clear()

    def limit(self, fields: Mapping[str, Any]) -> Budget:
        """Adds or replaces the budget of an address. All windows begin anew.

        Raises:
            ControlError
        """
        check_fields(fields, _FIELDS)
        for name in ("address", "requests", "window"):
            if name not in fields:
                raise ControlError(f"expected a field {name!r}; found {', '.join(sorted(fields)) or 'none'}")
        budget = Budget(**fields)
        check_choice("kind", budget.kind, BLOCK_KINDS)
        check_choice("unit", budget.unit, ("requests", "videos"))
        self._budgets[budget.address] = budget
        self._windows.clear()
        return budget

    def block_kind(self, endpoint: str, video_id: str, address: str) -> str | None:
        """Spends one unit of the address's budget. Returns one of BLOCK_KINDS if none was left."""
        if not self._budgets or endpoint not in VIDEO_ENDPOINTS:
            return None
        budget = self._budgets.get(address) or self._budgets.get("*")
        if budget is None:
            return None
        now = self._clock()
        window = self._windows.get(address)
        if window is None or now >= window.start + budget.window:
            window = self._windows[address] = _Window(now)
        if budget.unit == "videos":
            if video_id in window.videos:
                return None
            if len(window.videos) >= budget.requests:
                return budget.kind
            window.videos.add(video_id)
            return None
        window.spent += 1
        return budget.kind if window.spent > budget.requests else None

    def as_json(self) -> dict[str, Any]:
        now = self._clock()
        return {
            "budgets": [asdict(budget) for budget in self._budgets.values()],
            "windows": {
                address: {"spent": window.spent or len(window.videos), "age": round(now - window.start, 3)}
                for address, window in self._windows.items()
            },
        }


@dataclass(slots=True)
class ProxyUsers:
    """Who may use the forward proxy. ``passwords``: by user name; None admits every user."""

    passwords: dict[str, str] | None = None

    def user_of(self, header: str) -> str | None:
        """The user of a Proxy-Authorization header, ``anonymous`` without one. None if refused."""
        scheme, _, encoded = header.partition(" ")
        user, password = "anonymous", ""
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        if self.passwords is not None and (
            user not in self.passwords or self.passwords[user] not in ("", password)
        ):
            return None
        return user
