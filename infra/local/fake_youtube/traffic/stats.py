"""Counts requests and the bytes of the bodies that are sent, compressed ones as compressed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from infra.local.fake_youtube.endpoints import ENDPOINTS, VIDEO_ENDPOINTS


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
        self._requests_in_flight = 0
        self._videos_in_flight: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Sets all counts to zero. Requests in flight still count as in flight."""
        self._endpoints: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._addresses: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._videos: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._faults: Counter[str] = Counter()
        self._peak_requests = self._requests_in_flight
        self._peak_videos = len(self._videos_in_flight)

    def begin(self, endpoint: str, video_id: str, address: str) -> None:
        """Counts a request that arrives."""
        self._endpoints[endpoint].requests += 1
        self._addresses[address].requests += 1
        if endpoint in VIDEO_ENDPOINTS:
            self._requests_in_flight += 1
            self._peak_requests = max(self._peak_requests, self._requests_in_flight)
            if video_id:
                self._videos[video_id][endpoint] += 1
                self._videos_in_flight[video_id] += 1
                self._peak_videos = max(self._peak_videos, len(self._videos_in_flight))

    def end(self, endpoint: str, video_id: str, address: str, status: int, sent: int) -> None:
        """Counts its answer. `status`: 0 if the client received none. `sent`: bytes of the body."""
        for tally in (self._endpoints[endpoint], self._addresses[address]):
            tally.bytes += sent
            tally.statuses[status] += 1
        if endpoint in VIDEO_ENDPOINTS:
            self._requests_in_flight -= 1
            if video_id:
                self._videos[video_id]["bytes"] += sent
                self._videos_in_flight[video_id] -= 1
                if self._videos_in_flight[video_id] <= 0:
                    del self._videos_in_flight[video_id]

    def count_fault(self, kind: str) -> None:
        self._faults[kind] += 1

    def as_json(self, videos: bool = True) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "endpoints": {name: self._endpoints[name].as_json() for name in ENDPOINTS},
            "addresses": {name: tally.as_json() for name, tally in self._addresses.items()},
            "faults": dict(self._faults),
            "in_flight": {
                "requests": {"current": self._requests_in_flight, "peak": self._peak_requests},
                "videos": {"current": len(self._videos_in_flight), "peak": self._peak_videos},
            },
            "video_count": len(self._videos),
        }
        if videos:
            answer["videos"] = {name: dict(counts) for name, counts in self._videos.items()}
        return answer
