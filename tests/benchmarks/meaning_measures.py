"""What bench_meaning measures without a server: words against vectors, and what a vector costs."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.meaning.embedder import Embedder, in_context
from shared.meaning.passages import cut, embedded_text
from tests.benchmarks.meaning_judged import Judged, words_of
from tests.stored_videos import StoredVideo

#: Places and videos that a person looks at.
FIRST = 5
#: BM25 as Lucene has it.
_K1, _B = 1.2, 0.75
_EMBEDS = """
import resource
from shared.meaning.embedder import open_embedder
embedder = open_embedder("use")
for _ in range(20):
    embedder.passages(["the harbour, the sea, and what was said there %d " % n * 20 for n in range(64)])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A passage. ``number``: in its video."""

    video: str
    number: int
    text: str


def places_of(videos: Mapping[str, StoredVideo]) -> list[Place]:
    return [
        Place(name, number, each.text)
        for name, video in videos.items()
        for number, each in enumerate(cut(video.outcome.lines))
    ]


@dataclass(slots=True)
class Score:
    """Questions whose right passage, or its neighbour, and whose right video is among the first five."""

    asked: int = 0
    passage: int = 0
    video: int = 0

    def add(self, judged: Judged, ranked: Iterable[tuple[str, int]]) -> None:
        """``ranked``: videos and numbers of passages, best first."""
        ranked = list(ranked)
        right = judged.question.video
        near = {(right, judged.number + step) for step in (-1, 0, 1)}
        self.asked += 1
        self.passage += not near.isdisjoint(ranked[:FIRST])
        self.video += right in list(dict.fromkeys(video for video, _ in ranked))[:FIRST]

    def row(self, name: str) -> str:
        passage, video = (100 * number / max(1, self.asked) for number in (self.passage, self.video))
        return f"| {name:<46} | {self.asked:>4} | {passage:>5.0f} % | {video:>5.0f} % |"


class AnyWords:
    """BM25 over passages."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._counts = [Counter(words_of(place.text)) for place in places]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / len(places)
        self._in = Counter(word for counts in self._counts for word in counts)

    def ranked(self, question: str, *, all_words: bool = False) -> list[tuple[str, int]]:
        words = set(words_of(question))
        scores = []
        for place, counts, length in zip(self._places, self._counts, self._lengths, strict=True):
            has = [word for word in words if word in counts]
            if has and (not all_words or len(has) == len(words)):
                norm = _K1 * (1 - _B + _B * length / self._mean)
                scores.append(
                    (sum(self._weight(word) * counts[word] / (counts[word] + norm) for word in has), place)
                )
        scores.sort(key=lambda pair: -pair[0])
        return [(place.video, place.number) for _, place in scores]

    def _weight(self, word: str) -> float:
        return math.log(1 + (len(self._places) - self._in[word] + 0.5) / (self._in[word] + 0.5))


class Vectors:
    """All passages by the angle of their vectors. ``milliseconds``: of the processor, a passage."""

    def __init__(self, embedder: Embedder, videos: Mapping[str, StoredVideo]) -> None:
        import numpy as np

        self._embedder = embedder
        self._places: list[tuple[str, int]] = []
        made: list[bytes] = []
        begun = time.process_time()
        for name, video in videos.items():
            passages = cut(video.outcome.lines)
            texts = [embedded_text(video.metadata.title, each) for each in passages]
            made += in_context(embedder.passages(texts))
            self._places += [(name, number) for number in range(len(passages))]
        self.milliseconds = (time.process_time() - begun) / len(made) * 1000
        self.bytes = sum(map(len, made)) / len(videos)
        array = np.frombuffer(b"".join(made), dtype=np.int8).reshape(len(made), -1).astype(np.float32)
        self._array = array / np.linalg.norm(array, axis=1, keepdims=True)

    def ranked(self, question: str) -> list[tuple[str, int]]:
        import numpy as np

        asked = np.frombuffer(self._embedder.query(question), dtype=np.int8).astype(np.float32)
        best = np.argsort(-(self._array @ asked), kind="stable")[:500]
        return [self._places[int(each)] for each in best]

    def query_milliseconds(self, questions: Sequence[str]) -> float:
        """Of the processor, a question."""
        begun = time.process_time()
        for each in questions:
            self._embedder.query(each)
        return (time.process_time() - begun) / len(questions) * 1000


def peak_megabytes() -> float:
    """The most memory of a process that embeds 1,280 passages (Linux counts in kilobytes)."""
    done = subprocess.run(
        [sys.executable, "-c", _EMBEDS], capture_output=True, text=True, check=True, timeout=600
    )
    return float(done.stdout)
