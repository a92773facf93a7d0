"""The Data API with a client that gives the answers of a test."""

from __future__ import annotations

from typing import Any

from shared.config import Config
from shared.youtube.data_api import DataApi


class FakeClient:
    """A client of the library. Every method gives the next answer; ``execute`` returns it or raises it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.headers: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return lambda **_: self

    def execute(self, num_retries: int) -> Any:
        assert num_retries == 0
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer


class FakeDataApi(DataApi):
    """The Data API with a client that gives these answers; the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(Config())
        self.client = FakeClient(*answers)

    def _connect(self, *, keyed: bool) -> Any:
        return self.client
