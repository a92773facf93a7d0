"""Something happens while a planner lists a playlist, always at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, get_args

from shared.config import Config
from shared.gcp.documents import Commit
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topic
from shared.messages import Message
from shared.youtube.data_api import DataApi
from shared.youtube.resources import FirstPage, Item
from tests.integration.recorders import RecordingIndex, RecordingTopics
from tests.integration.world import World

#: A page is published when its videos are in the ledger, and before the membership is written.
Moment = Literal[
    "when the first page is published",
    "when the first membership is written",
    "before the second page is entered",
    "when the second page is published",
]
MOMENTS: tuple[Moment, ...] = get_args(Moment)


class Interruption:
    """Calls ``act`` once, at a moment of the next planning. ``done``: it was called."""

    def __init__(self, world: World, moment: Moment, act: Callable[[], None]) -> None:
        self.done = False
        self._act = act
        if moment == "when the first membership is written":
            world.search_index = _Index(self)
        elif moment == "before the second page is entered":
            world.youtube = _Api(self, world.config)
        else:
            world.topics = _Topics(self, 1 if moment == "when the first page is published" else 2)

    def now(self) -> None:
        if not self.done:
            self.done = True
            self._act()


class InterruptedDatabase(Firestore):
    """Calls ``act`` once, just before the commit with this number, when all that it depends on was read.

    ``done``: it was called.
    """

    def __init__(self, config: Config, number: int, act: Callable[[], None]) -> None:
        super().__init__(config)
        self.done = False
        self._left = number
        self._act = act

    def commit(self) -> Commit:
        self._left -= 1
        if self._left == 0:
            self.done = True
            self._act()
        return super().commit()


class _Topics(RecordingTopics):
    def __init__(self, interruption: Interruption, page: int) -> None:
        super().__init__()
        self._interruption = interruption
        self._page = page

    def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        super().publish(topic, messages)
        if self.calls["publish"] == self._page:
            self._interruption.now()


class _Index(RecordingIndex):
    def __init__(self, interruption: Interruption) -> None:
        super().__init__()
        self._interruption = interruption

    def write_membership(
        self, user_id: str, playlist_id: str, video_ids: Sequence[str], version: int
    ) -> None:
        super().write_membership(user_id, playlist_id, video_ids, version)
        self._interruption.now()


class _Api(DataApi):
    def __init__(self, interruption: Interruption, config: Config) -> None:
        super().__init__(config)
        self._interruption = interruption

    def pages(
        self,
        playlist_id: str,
        access_token: str | None = None,
        *,
        first: FirstPage | None = None,
        ahead: bool = True,
    ) -> Iterator[Sequence[Item]]:
        for number, page in enumerate(super().pages(playlist_id, access_token, first=first), start=1):
            if number == 2:
                self._interruption.now()
            yield page
