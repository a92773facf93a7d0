"""Faults, as tests want them: which requests they strike, and how often.

A rule strikes the requests that match all of what it names; the first rule that strikes decides.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.standin.playability import UNPLAYABLE
from infra.local.standin.stats import ENDPOINTS, OF_A_VIDEO

_VIDEO = frozenset(OF_A_VIDEO)
#: Kinds of fault, and the endpoints they strike unless the rule says others.
KINDS: dict[str, frozenset[str]] = {
    **dict.fromkeys(UNPLAYABLE, frozenset({"player"})),
    **dict.fromkeys(("429", "5xx", "hang", "reset", "slow", "cut", "huge", "garbage"), _VIDEO),
    **dict.fromkeys(("captions_disabled", "po_token"), frozenset({"player"})),
    **dict.fromkeys(("recaptcha", "consent"), frozenset({"watch"})),
    **dict.fromkeys(("empty", "truncated"), frozenset({"timedtext"})),
    **dict.fromkeys(
        (
            "quota_exceeded", "rate_limit_exceeded", "key_invalid", "auth_error", "forbidden",
            "insufficient_scope", "access_not_configured", "backend_error", "playlist_not_found",
        ),
        frozenset({"data_api"}),
    ),
}  # fmt: skip


class ControlError(ValueError):
    """What was asked of the control API cannot be understood; says what was expected and found."""


@dataclass(slots=True)
class Rule:
    """`videos`, `addresses`: None for all. `times`: the first so many requests of each video, `total`:
    of all. `rate`: probability; `sticky`: it is the video's, not the request's."""

    id: str
    kind: str
    endpoints: frozenset[str]
    videos: frozenset[str] | None = None
    addresses: frozenset[str] | None = None
    rate: float = 1.0
    seed: str = ""
    sticky: bool = False
    times: int | None = None
    total: int | None = None
    status: int | None = None
    reason: str | None = None
    subreason: str | None = None
    seconds: float | None = None
    megabytes: int = 100
    forever: bool = False
    struck: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def strikes(self, endpoint: str, video_id: str, address: str) -> bool:
        """Is this request struck? Counts it, if so."""
        if endpoint not in self.endpoints:
            return False
        if self.videos is not None and video_id not in self.videos:
            return False
        if self.addresses is not None and address not in self.addresses:
            return False
        if self.total is not None and self.struck >= self.total:
            return False
        # Rates depend on what is asked and how often, not on who happens to come first.
        self.seen[f"{endpoint}/{video_id}"] += 1
        if self.rate < 1 and self._chance(endpoint, video_id) >= self.rate:
            return False
        if self.times is not None:
            if self.seen[video_id] >= self.times:
                return False
            self.seen[video_id] += 1
        self.struck += 1
        return True

    def _chance(self, endpoint: str, video_id: str) -> float:
        number = 0 if self.sticky else self.seen[f"{endpoint}/{video_id}"]
        label = f"{self.seed}/{video_id}" if self.sticky else f"{self.seed}/{endpoint}/{video_id}/{number}"
        return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=4).digest(), "big") / 2**32

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "endpoints": sorted(self.endpoints),
            "videos": None if self.videos is None else len(self.videos),
            "addresses": None if self.addresses is None else sorted(self.addresses),
            "rate": self.rate,
            "times": self.times,
            "total": self.total,
            "struck": self.struck,
        }


class Faults:
    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._made = 0

    def reset(self) -> None:
        self._rules.clear()

    def add(self, fields: Mapping[str, Any]) -> Rule:
        """
        Raises:
            ControlError
        """
        self._made += 1
        rule = _rule(fields, f"fault-{self._made}")
        self._rules[rule.id] = rule
        return rule

    def remove(self, rule_id: str) -> bool:
        return self._rules.pop(rule_id, None) is not None

    def rules(self) -> Iterable[Rule]:
        return self._rules.values()

    def striking(self, endpoint: str, video_id: str, address: str) -> Rule | None:
        for rule in self._rules.values():
            if rule.strikes(endpoint, video_id, address):
                return rule
        return None


_FIELDS: dict[str, type | tuple[type, ...]] = {
    "id": str, "kind": str, "endpoints": list, "videos": list, "addresses": list, "rate": (int, float),
    "seed": (str, int), "sticky": bool, "times": int, "total": int, "status": int, "reason": str,
    "subreason": str, "seconds": (int, float), "megabytes": int, "forever": bool,
}  # fmt: skip


def check_fields(fields: Mapping[str, Any], known: Mapping[str, type | tuple[type, ...]]) -> None:
    """
    Raises:
        ControlError: a field is unknown or of the wrong type.
    """
    for name, value in fields.items():
        if name not in known:
            raise ControlError(f"expected only the fields {sorted(known)}, found {name!r}")
        kinds = known[name]
        if (
            value is None
            or not isinstance(value, kinds)
            or (isinstance(value, bool) and kinds in (int, (int, float)))
        ):
            raise ControlError(f"expected {name!r} to be of type {kinds}, found {value!r:.80}")


def _rule(fields: Mapping[str, Any], default_id: str) -> Rule:
    check_fields(fields, _FIELDS)
    kind = fields.get("kind")
    if kind not in KINDS:
        raise ControlError(f"expected a kind of {sorted(KINDS)}, found {kind!r}")
    values = dict(fields)
    values.setdefault("id", default_id)
    for name in ("endpoints", "videos", "addresses"):
        if name in values:
            values[name] = frozenset(map(str, values[name]))
    values.setdefault("endpoints", KINDS[kind])
    values["seed"] = str(values.get("seed", ""))
    if unknown := values["endpoints"] - set(ENDPOINTS):
        raise ControlError(f"expected endpoints of {list(ENDPOINTS)}, found {sorted(unknown)}")
    return Rule(**values)
