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
#: So many letters of a word stand for its forms: "sail", "sails" and "sailing"; "photograph" and "photography".
_STEM = 5
#: Words that say nothing about a subject. A question may share them with its passage.
_EMPTY = frozenset(
    """a about after again against all although among an and another any are as at be because been before being
    between but by can cannot could did do does doesn down during each else even ever every few first for from get
    go going good had has have he her his how i if in into is it its just keep last late least less like little
    long made make many may me might more most much must my never no nor not now of off often on once one only or
    other our out over own people really same say see seem seems shall she should shouldn so some someone such
    than that the their them then there these they thing things this those though through to too turn two under
    until up upon us use used using very want was way we well were what when where whether which while who why
    will with within without won would yes yet you your
    aber als am an auf aus bei beim das dem den der des die durch ein eine einer eines er es für hat ich im in ist
    man mit muss nicht sie sich so und von war was weshalb wenn wer werde wie wird wurde zu zum zur
    au aux avec ce chez comment d dans de des du en est et faut fait il j je l la le les leur ma mon n ne on par
    pas pour pourquoi qu quand que qui sa sa se ses son sur t un une
    a al algo algún cada como cómo con cuando de del el ella en entre era es esa ese eso esta este está ha hay la
    las le les lo los mi muy más no o para pero por porque poca pocas puede que qué quién se ser si sin su sus
    sobre también un una y ya""".split()
)


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``video``: the name of the talk or story (meaning_corpus). ``second``: within the passage that answers."""

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
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return {_stem(word) for word in re.findall(r"[^\W_]{2,}", plain)} - {_stem(word) for word in _EMPTY}


def _stem(word: str) -> str:
    return word[:_STEM] if len(word) > _STEM else word.removesuffix("s")
