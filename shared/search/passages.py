"""The nearest passages as Elasticsearch finds them, and as people see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from shared.search.answers import Place
from shared.search.hits import DESCRIPTION, Hit, Strength, about, text_of, watch_url
from shared.search.index.lines import LineIndex
from shared.search.nearest_sentence import MarkedPassage
from shared.search.snippets import around, segments


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least similarity of each strength: the cosine of two vectors. Below ``weak`` nothing is shown."""

    strong: float
    good: float
    weak: float

    def name(self, score: float) -> Strength | None:
        """``score``: of Elasticsearch, which is (1 + cosine) / 2."""
        cosine = 2 * score - 1
        if cosine >= self.strong:
            return "strong"
        return "good" if cosine >= self.good else "weak" if cosine >= self.weak else None


#: Of a question and a passage. Nineteen hard paraphrases have 0.15 to 0.31 (5th and 90th percentile) with the
#: passage that is meant; thirty questions about other things have 0.12 to 0.27 with the nearest of 163. The
#: order tells more than the number, so only what is certainly far is left out.
QUESTION = Thresholds(0.33, 0.22, 0.12)
#: Of two passages. Those on one subject have 0.40 to 0.59 (the 5th and the 75th percentile), others 0.23 (the
#: median).
PASSAGE = Thresholds(0.6, 0.5, 0.4)


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as the index has it: seconds, its strength and its score."""

    video_id: str
    number: int
    start: float
    end: float
    strength: Strength
    score: float


def passages_of(found: Iterable[Mapping[str, Any]], thresholds: Thresholds) -> dict[str, list[Found]]:
    """Video id → its passages, the nearest first. Videos and passages that are too far are left out."""
    result: dict[str, list[Found]] = {}
    for hit in found:
        for inner in hit["inner_hits"]["passages"]["hits"]["hits"]:
            if strength := thresholds.name(inner["_score"]):
                at, number = inner["_source"], inner["_nested"]["offset"]
                start, end = at["start"] / 1000, at["end"] / 1000
                passage = Found(hit["_id"], number, start, end, strength, inner["_score"])
                result.setdefault(hit["_id"], []).append(passage)
    return result


def marked_of(found: Found, source: Mapping[str, Any]) -> MarkedPassage:
    """The passage with its text. Its lines are found by their times: numbers in the store differ."""
    lines = LineIndex.from_source(source)
    assert lines is not None
    text = text_of(source, "transcript")
    first, last = lines.at_time(found.start), lines.at_time(found.end - 0.001)
    begin = lines.offsets[first]
    end = lines.offsets[last + 1] if last + 1 < len(lines.offsets) else len(text)
    breaks = [offset - begin for offset in lines.offsets[first + 1 : last + 1]]
    return MarkedPassage(
        found.video_id, found.start, found.end, first, found.strength, text[begin:end].rstrip(), breaks
    )


def hit_of(source: Mapping[str, Any], passages: Sequence[MarkedPassage]) -> Hit:
    description = text_of(source, "description")
    shown = {
        **about(source),
        "title": segments(text_of(source, "title"), []),
        "description": segments(description, [], *around(description, 0, 0, DESCRIPTION)),
        "moment_count": 0,
        "moments": [],
        "passages": [
            {
                "start": each.start,
                "end": each.end,
                "line": each.line,
                "url": watch_url(each.video_id, int(each.start)),
                "text": each.segments,
                "strength": each.strength,
            }
            for each in passages
        ],
    }
    return cast(Hit, shown)


def place_of(source: Mapping[str, Any], passage: MarkedPassage) -> Place:
    shown = about(source)
    return {
        "video_id": shown["video_id"],
        "title": shown["title"],
        "channel": shown["channel"],
        "thumbnail_url": shown["thumbnail_url"],
        "url": watch_url(passage.video_id, int(passage.start)),
        "start": passage.start,
        "end": passage.end,
        "line": passage.line,
        "text": passage.plain,
        "strength": passage.strength,
    }
