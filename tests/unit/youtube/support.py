"""What one process needs to fetch captions, without Firestore and without a breaker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config
from shared.errors import YouTubeError
from shared.transcripts.transcript import Answer, Transcript
from shared.transcripts.videos import Metadata
from shared.youtube.captions import Captions
from shared.youtube.partial_answers import PartialAnswers
from shared.youtube.player_key import PlayerKey
from shared.youtube.session import Session


class Process:
    """Asks the YouTube at ``url``, with a player key and partial answers of its own.

    Args:
        languages: the preferred languages.
        partial: whether the player is asked for partial answers.
        limits: ``timeout``, ``budget`` or ``maximum_bytes`` of the session.
    """

    def __init__(
        self, url: str, *, languages: Sequence[str] = (), partial: bool = True, **limits: Any
    ) -> None:
        self.key = PlayerKey(url)
        self.partial_answers = PartialAnswers()
        self.session = Session(
            url, self.key, partial_answers=self.partial_answers if partial else None, **limits
        )
        self._captions = Captions(Config(transcript_languages=tuple(languages)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def fetch(
        self,
        video_id: str,
        before_request: Callable[[], None] = lambda: None,
        about: Metadata | None = None,
        *,
        last: bool = False,
    ) -> Answer:
        """YouTube's answer about a video. ``before_request``: as for :meth:`Session.begin`."""
        self.session.begin(before_request)
        return self._captions.fetch(video_id, self.session, about, last=last)

    def transcript(self, video_id: str) -> Transcript:
        transcript = self.fetch(video_id).transcript
        assert transcript is not None
        return transcript

    def texts(self, video_id: str) -> list[str]:
        return list(self.transcript(video_id).lines.texts)

    def result(self, video_id: str, about: Metadata | None = None) -> Answer | YouTubeError:
        """YouTube's answer, or the error that the fetch ends with."""
        try:
            return self.fetch(video_id, about=about)
        except YouTubeError as error:
            return error

    def error(self, video_id: str) -> YouTubeError:
        result = self.result(video_id)
        assert isinstance(result, YouTubeError)
        return result


def requests_of(server: LiveServer) -> dict[str, int]:
    """The number of requests for each kind of page since the fake YouTube's start or its last reset."""
    endpoints = server.stats()["endpoints"]
    return {name: endpoints[name]["requests"] for name in ("watch", "player", "timedtext")}
