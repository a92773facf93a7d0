"""Rules that say which requests receive a fault, and how often.

A rule applies to a request that matches everything the rule names. The first rule that applies decides.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.fake_youtube.endpoints import ENDPOINTS, VIDEO_ENDPOINTS
from infra.local.fake_youtube.fields import ControlError, FieldTypes, check_choice, check_fields, quote
from infra.local.fake_youtube.library.playability import UNPLAYABLE

#: The kinds of faults, and the endpoints of a rule that names none.
KINDS: dict[str, frozenset[str]] = {
    **dict.fromkeys(UNPLAYABLE, frozenset({"player"})),
    **dict.fromkeys(
        ("429", "5xx", "hang", "reset", "slow", "cut", "huge", "garbage"), frozenset(VIDEO_ENDPOINTS)
    ),
    **dict.fromkeys(("captions_disabled", "po_token"), frozenset({"player"})),
    **dict.fromkeys(("recaptcha", "consent"), frozenset({"watch"})),
    **dict.fromkeys(("empty", "truncated"), frozenset({"timedtext"})),
    **dict.fromkeys(
        (
            "quota_exceeded", "rate_limit_exceeded", "key_invalid", "auth_error", "forbidden",
            "insufficient_scope", "access_not_configured", "backend_error", "playlist_not_found",
            "daily_limit_exceeded", "key_referrer_blocked", "key_ip_blocked", "key_service_blocked",
            "key_expired",
        ),
        frozenset({"data_api"}),
    ),
}  # fmt: skip


@dataclass(slots=True)
class Rule:
    """``videos``, ``addresses``: None for all.

    ``times``: the rule applies to this many requests of each video; ``total``: to this many of all.
    ``rate``: the probability that it applies to a request, from 0 to 1; with ``sticky`` to a video, that
    is, to all its requests or to none. ``seed`` varies the choice.
    The other fields are parameters of some kinds. ``struck``: how often the rule has applied.
    """

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
    playability: str | None = None
    seconds: float | None = None
    megabytes: int = 100
    forever: bool = False
    struck: int = 0
    #: Matching requests by "endpoint/video", and requests to which `times` applied by "video".
    seen: Counter[str] = field(default_factory=Counter)

    def applies(self, endpoint: str, video_id: str, address: str) -> bool:
        """Also counts the request, so it must be called once for each request."""
        if endpoint not in self.endpoints:
            return False
        if self.videos is not None and video_id not in self.videos:
            return False
        if self.addresses is not None and address not in self.addresses:
            return False
        if self.total is not None and self.struck >= self.total:
            return False
        # The chance depends on the number of the video's request, so the order of videos does not matter.
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
    """The rules in the order in which they were added."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._added = 0

    def reset(self) -> None:
        self._rules.clear()

    def add(self, fields: Mapping[str, Any]) -> Rule:
        """
        Raises:
            ControlError
        """
        self._added += 1
        rule = _parse(fields, f"fault-{self._added}")
        self._rules[rule.id] = rule
        return rule

    def remove(self, rule_id: str) -> bool:
        """False if no rule has this id."""
        return self._rules.pop(rule_id, None) is not None

    def rules(self) -> Iterable[Rule]:
        return self._rules.values()

    def find(self, endpoint: str, video_id: str, address: str) -> Rule | None:
        """The first rule that applies. It counts the request, so it must be called once for each request."""
        for rule in self._rules.values():
            if rule.applies(endpoint, video_id, address):
                return rule
        return None


_FIELDS: FieldTypes = {
    "id": str, "kind": str, "endpoints": list, "videos": list, "addresses": list, "rate": (int, float),
    "seed": (str, int), "sticky": bool, "times": int, "total": int, "status": int, "reason": str,
    "subreason": str, "playability": str, "seconds": (int, float), "megabytes": int, "forever": bool,
}  # fmt: skip


def _parse(fields: Mapping[str, Any], default_id: str) -> Rule:
    check_fields(fields, _FIELDS)
    check_choice("kind", fields.get("kind"), sorted(KINDS))
    values = dict(fields)
    values.setdefault("id", default_id)
    for name in ("endpoints", "videos", "addresses"):
        if name in values:
            values[name] = frozenset(map(str, values[name]))
    values.setdefault("endpoints", KINDS[values["kind"]])
    values["seed"] = str(values.get("seed", ""))
    if unknown := values["endpoints"] - set(ENDPOINTS):
        raise ControlError(
            f"expected endpoints out of {', '.join(ENDPOINTS)}; found {quote(sorted(unknown))}"
        )
    return Rule(**values)
