"""The judged questions (judged_meaning.json), each with the place that answers it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shared.meaning.passages import Passage, cut
from tests.stored_videos import StoredVideo

_FILE = Path(__file__).with_name("judged_meaning.json")
#: So many letters stand for all forms of a word: "photograph" and "photography".
_STEM = 5
#: Words that say nothing about a subject. A question may share them with its passage.
_EMPTY = frozenset(Path(__file__).with_name("meaning").joinpath("empty_words.txt").read_text().split())


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``video``: the name of the talk or story (meaning_corpus). ``second``: within the passage."""

    question: str
    language: str
    video: str
    second: float


@dataclass(frozen=True, slots=True)
class Judged:
    """``number``: of the right passage in its video. ``across``: in another language than the question."""

    question: Question
    passage: Passage
    number: int
    across: bool


def questions() -> list[Question]:
    return msgspec.json.decode(_FILE.read_bytes(), type=list[Question])


def judged(videos: Mapping[str, StoredVideo]) -> list[Judged]:
    return [_judge(each, videos[each.video]) for each in questions()]


def _judge(question: Question, video: StoredVideo) -> Judged:
    passages = cut(video.outcome.lines)
    number = max(n for n, each in enumerate(passages) if n == 0 or each.start <= question.second)
    spoken = (video.outcome.language or "").partition("-")[0]
    return Judged(question, passages[number], number, spoken != question.language)


def content_words(text: str) -> set[str]:
    """The beginnings of the words that say something."""
    return set(words_of(text)) - {_stem(word) for word in _EMPTY}


def words_of(text: str) -> list[str]:
    """The words by their beginnings, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return [_stem(word) for word in re.findall(r"[^\W_]{2,}", plain)]


def _stem(word: str) -> str:
    return word[:_STEM] if len(word) > _STEM else word.removesuffix("s")
