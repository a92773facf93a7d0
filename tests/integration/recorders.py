"""Pub/Sub and the search index as tests see them: they record what they get, and can be made to fail.

``real``: an object that gets every call first, if there is one.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.config import Config
from shared.errors import Transient
from shared.gcp.pubsub import Topic, Topics
from shared.messages import Message, VideoMessage
from shared.search.index.bulk import Write
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer


@dataclass
class _Calls:
    """Counts calls by name. Calls named in ``broken`` raise Transient."""

    calls: Counter[str] = field(default_factory=Counter)
    broken: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, name: str) -> None:
        with self.lock:
            self.calls[name] += 1
        if name in self.broken:
            raise Transient(f"{name} failed.")


class RecordingTopics(Topics):
    """Pub/Sub. ``published``: every topic and message, in order. ``rejected``: as for dead letters."""

    def __init__(self) -> None:
        super().__init__(Config())
        self._called = _Calls()
        self.calls, self.broken = self._called.calls, self._called.broken
        self.published: list[tuple[str, Message]] = []
        self.rejected: list[dict[str, Any]] = []
        self.real: Topics | None = None

    def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        self._called("publish")
        if self.real:
            self.real.publish(topic, messages)
        with self._called.lock:
            self.published += [(topic, message) for message in messages]

    def reject(self, data: bytes, **about: Any) -> None:
        self._called("reject")
        with self._called.lock:
            self.rejected.append({"data": data, **about})

    def videos(self, topic: Topic = "videos") -> list[str]:
        """The ids of videos published on a topic, in order."""
        return [
            message.video_id
            for each, message in self.published
            if each == topic and isinstance(message, VideoMessage)
        ]

    def playlists(self) -> int:
        """The number of messages on topic playlists."""
        return sum(topic == "playlists" for topic, _ in self.published)

    def forget(self) -> None:
        self.published.clear()
        self.calls.clear()


class RecordingIndex(SearchIndex):
    """The search index.

    ``written``: the document of each video. ``known``: the fingerprints that it answers.
    ``memberships``: the video ids of each user's playlists.
    """

    def __init__(self) -> None:
        super().__init__(SearchServer(Config()))
        self._called = _Calls()
        self.calls, self.broken = self._called.calls, self._called.broken
        self.written: dict[str, dict[str, Any]] = {}
        self.known: dict[str, str] = {}
        self.memberships: dict[tuple[str, str], tuple[str, ...]] = {}
        self.real: SearchIndex | None = None

    def write(self, writes: Sequence[Write]) -> None:
        self._called("write")
        if self.real:
            self.real.write(writes)
        with self._called.lock:
            self.written |= {write.video_id: json.loads(write.body) for write in writes}

    def fingerprints(self, video_ids: Sequence[str]) -> dict[str, str]:
        self._called("fingerprints")
        if self.real:
            return self.real.fingerprints(video_ids)
        return {each: self.known[each] for each in video_ids if each in self.known}

    def count(self, video_ids: Sequence[str]) -> int:
        self._called("count")
        if self.real:
            return self.real.count(video_ids)
        return sum(each in self.written or each in self.known for each in video_ids)

    def refresh(self) -> None:
        self._called("refresh")
        if self.real:
            self.real.refresh()

    def write_membership(
        self, user_id: str, playlist_id: str, video_ids: Sequence[str], version: int
    ) -> None:
        self._called("write_membership")
        if self.real:
            self.real.write_membership(user_id, playlist_id, video_ids, version)
        with self._called.lock:
            self.memberships[user_id, playlist_id] = tuple(video_ids)

    def delete_membership(self, user_id: str, playlist_id: str, version: int) -> None:
        self._called("delete_membership")
        if self.real:
            self.real.delete_membership(user_id, playlist_id, version)
        with self._called.lock:
            self.memberships.pop((user_id, playlist_id), None)

    def playlists_of(self, user_id: str) -> list[str]:
        self._called("playlists_of")
        return [playlist_id for whose, playlist_id in self.memberships if whose == user_id]
