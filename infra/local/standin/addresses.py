"""Addresses and what they may ask: so many requests or videos a window, then blocked until it ends."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.standin.faults import ControlError, check_fields
from infra.local.standin.stats import OF_A_VIDEO

#: Kinds of block that a budget can end in.
BLOCKS = ("429", "bot", "rate_limited")


@dataclass(frozen=True, slots=True)
class Budget:
    """`address`: an IP, ``proxy:USER``, or ``*`` for every address by itself. `window`: seconds."""

    address: str
    requests: int
    window: float
    kind: str = "429"
    unit: str = "requests"


@dataclass(slots=True)
class _Window:
    began: float
    spent: int = 0
    videos: set[str] = field(default_factory=set)


_FIELDS: dict[str, type | tuple[type, ...]] = {
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
        """
        Raises:
            ControlError
        """
        check_fields(fields, _FIELDS)
        for name in ("address", "requests", "window"):
            if name not in fields:
                raise ControlError(f"expected a field {name!r}, found {sorted(fields)}")
        budget = Budget(**fields)
        if budget.kind not in BLOCKS:
            raise ControlError(f"expected a kind of {BLOCKS}, found {budget.kind!r}")
        if budget.unit not in ("requests", "videos"):
            raise ControlError(f"expected a unit of requests or videos, found {budget.unit!r}")
        self._budgets[budget.address] = budget
        self._windows.clear()
        return budget

    def blocked(self, endpoint: str, video_id: str, address: str) -> str | None:
        """Spends from the address's budget; the kind of block if there is none left."""
        if not self._budgets or endpoint not in OF_A_VIDEO:
            return None
        budget = self._budgets.get(address) or self._budgets.get("*")
        if budget is None:
            return None
        now = self._clock()
        window = self._windows.get(address)
        if window is None or now >= window.began + budget.window:
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
            "budgets": [
                {
                    "address": each.address,
                    "requests": each.requests,
                    "window": each.window,
                    "kind": each.kind,
                    "unit": each.unit,
                }
                for each in self._budgets.values()
            ],
            "windows": {
                address: {"spent": window.spent or len(window.videos), "age": round(now - window.began, 3)}
                for address, window in self._windows.items()
            },
        }


@dataclass(slots=True)
class ProxyUsers:
    """Who may use the forward proxy; None: everybody, by whatever name."""

    passwords: dict[str, str] | None = None

    def name(self, header: str) -> str | None:
        """The user of a Proxy-Authorization header, ``anonymous`` without one; None if refused."""
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
