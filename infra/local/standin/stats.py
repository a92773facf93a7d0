"""Counts what is asked of the stand-in, and what it sends: bodies as they are on the wire."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

#: Endpoint classes that fetch one video from YouTube.
OF_A_VIDEO = ("watch", "player", "timedtext")
ENDPOINTS = ("data_api", *OF_A_VIDEO, "oauth")


@dataclass(slots=True)
class _Tally:
    requests: int = 0
    bytes: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "bytes": self.bytes,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
        }


class Stats:
    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self._current = 0
        self.reset()

    def reset(self) -> None:
        """Counts start at nothing; what is under way goes on counting as under way."""
        self._endpoints: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._addresses: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._videos: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._faults: Counter[str] = Counter()
        self._peak_requests = self._current
        self._peak_videos = len(self._busy)

    def begin(self, endpoint: str, video_id: str, address: str) -> None:
        self._endpoints[endpoint].requests += 1
        self._addresses[address].requests += 1
        if endpoint in OF_A_VIDEO:
            self._current += 1
            self._peak_requests = max(self._peak_requests, self._current)
            if video_id:
                self._videos[video_id][endpoint] += 1
                self._busy[video_id] += 1
                self._peak_videos = max(self._peak_videos, len(self._busy))

    def end(self, endpoint: str, video_id: str, address: str, status: int, sent: int) -> None:
        """`status`: 0 if the client got no answer."""
        for tally in (self._endpoints[endpoint], self._addresses[address]):
            tally.bytes += sent
            tally.statuses[status] += 1
        if endpoint in OF_A_VIDEO:
            self._current -= 1
            if video_id:
                self._videos[video_id]["bytes"] += sent
                self._busy[video_id] -= 1
                if self._busy[video_id] <= 0:
                    del self._busy[video_id]

    def fault(self, kind: str) -> None:
        self._faults[kind] += 1

    def as_json(self, videos: bool = True) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "endpoints": {name: self._endpoints[name].as_json() for name in ENDPOINTS},
            "addresses": {name: tally.as_json() for name, tally in self._addresses.items()},
            "faults": dict(self._faults),
            "in_flight": {
                "requests": {"current": self._current, "peak": self._peak_requests},
                "videos": {"current": len(self._busy), "peak": self._peak_videos},
            },
            "video_count": len(self._videos),
        }
        if videos:
            answer["videos"] = {name: dict(counts) for name, counts in self._videos.items()}
        return answer
