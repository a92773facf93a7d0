"""The corpus of the judged set: the sample library, and generated videos that the right ones have to beat.

meaning/others_*.txt: sentences on many subjects, twelve or so a subject. Each subject becomes two videos,
which say them again and again in another order; one of them without punctuation, like automatic captions. So
what is nearest to a question, and wrong, is there ten times. meaning/told.txt: stories; each is told in the
middle of a long video about other things.
"""

from __future__ import annotations

import hashlib
import random
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from infra.local.fake_youtube.library import samples
from shared.transcripts.transcript import Line
from tests.stored_videos import StoredVideo, from_fake_youtube, video

_TEXTS = Path(__file__).parent / "meaning"
#: How often a video says the sentences of a subject, and how many other subjects are in a long video.
_ROUNDS, _SUBJECTS = 5, 24
_PACE = {"ja": 300, "zh": 240, "th": 500}


@dataclass(frozen=True, slots=True)
class _Text:
    language: str
    name: str
    title: str
    sentences: tuple[str, ...]


def videos() -> dict[str, StoredVideo]:
    """Name of the talk or story → video. Always the same ones. Those without captions are left out."""
    others = [text for number in (1, 2, 3) for text in _read(f"others_{number}.txt")]
    found = {
        path.stem: from_fake_youtube(samples.read_file(path)) for path in sorted(samples.TALKS.glob("*.txt"))
    }
    for text in others:
        found[f"{text.title} 1"] = _video(text, [_say(text, f"{text.title} 1")])
        found[f"{text.title} 2"] = _video(text, [_flat(_say(text, f"{text.title} 2"))])
    for story in _read("told.txt"):
        rng = random.Random(story.name)
        around = [
            " ".join(_shuffled(text, rng)) for text in rng.sample(others[: len(others) // 2], _SUBJECTS)
        ]
        half = _SUBJECTS // 2
        found[story.name] = _video(story, [*around[:half], *story.sentences, *around[half:]])
    return {name: each for name, each in found.items() if len(each.outcome.lines)}


def story_second(name: str, found: StoredVideo) -> float:
    """The second of the line in which the middle of a story is told."""
    story = next(text for text in _read("told.txt") if text.name == name)
    words = " ".join(story.sentences).split()
    middle = " ".join(words[len(words) // 2 :][:3])
    for one, two in pairwise(found.lines):
        if middle in f"{one.text} {two.text}":
            return one.start
    raise LookupError(f"{name}: expected {middle!r} in the captions")


def _read(name: str) -> Iterator[_Text]:
    for block in (_TEXTS / name).read_text(encoding="utf-8").split("# ")[1:]:
        head, _, body = block.partition("\n")
        language, called, title = head.split(" | ")
        yield _Text(language, called, title, tuple(body.split("\n")[:-1]) if body else ())


def _say(text: _Text, seed: str) -> str:
    rng = random.Random(seed)
    return " ".join(sentence for _ in range(_ROUNDS) for sentence in _shuffled(text, rng))


def _shuffled(text: _Text, rng: random.Random) -> list[str]:
    said = [sentence for sentence in text.sentences if sentence]
    return rng.sample(said, len(said))


def _flat(text: str) -> str:
    return "".join(each for each in text.lower() if each not in ".,!?。、，").strip()


def _video(text: _Text, paragraphs: Sequence[str]) -> StoredVideo:
    digest = hashlib.sha256(f"{text.title}/{paragraphs[0][:200]}".encode()).digest()
    video_id = urlsafe_b64encode(digest[:8]).decode().rstrip("=")
    primary = text.language.partition("-")[0]
    lines = samples.caption_lines(paragraphs, text.language, _PACE.get(primary, 150))
    made = video(video_id, text.title, text.language, channel=text.name)
    return made.with_lines(Line(each.start, each.duration, each.text) for each in lines)
