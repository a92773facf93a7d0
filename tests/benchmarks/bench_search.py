"""How well and how fast phrases are found, beside the design with a nested document per caption line.

    ELASTICSEARCH_URL=http://localhost:9200 python -m tests.benchmarks.bench_search [--videos 2000]

Generated transcripts of real length; phrases of 4 to 6 words taken from them, half of them crossing a
caption line. Found: the video is among the first ten hits. Right: a moment of it begins in the very
second of the line in which the phrase begins. Times are of whole calls, JSON and moments included.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("ELASTICSEARCH_INDEX_PREFIX", "bench")

from infra.local.standin import generate
from infra.local.standin.model import Video
from shared import clients, clock, search, search_index
from shared.search_index import VideoDocument
from shared.search_params import Params
from shared.transcripts import Line

_USER, _PLAYLIST, _NESTED = "bench", "PLbench", "bench-nested"
_COMMON = ("people", "you know", "the time", "time", "think about", "and there")


@dataclass(frozen=True, slots=True)
class Asked:
    """A phrase, where it stands, and whether it runs over the end of a line."""

    text: str
    video_id: str
    second: int
    crosses: bool


@dataclass(slots=True)
class Score:
    asked: int = 0
    found: int = 0
    right: int = 0

    def line(self) -> str:
        found, right = (100 * number / self.asked for number in (self.found, self.right))
        return f"found {found:5.1f} %, right second {right:5.1f} %"


#: A search: phrase -> video id -> seconds.
Design = Callable[[str], dict[str, set[int]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=2000)
    parser.add_argument("--phrases", type=int, default=500)
    parser.add_argument("--keep", action="store_true", help="do not write the index again, nor remove it")
    options = parser.parse_args()
    playlist = generate.playlist(f"PLgen-{options.videos}-search")
    assert playlist is not None
    videos = [video for video_id in playlist.video_ids if (video := generate.video(video_id))]
    documents = [_document(video) for video in videos]
    words = [sum(len(line.text.split()) for line in each.lines) for each in documents]
    print(
        f"{len(documents):,} videos, {sum(words):,} words,"
        f" median {statistics.median(words):,.0f}, most {max(words):,}"
    )
    if not (options.keep and clients.elasticsearch().indices.exists(index=_NESTED)):
        _index(documents)
    rng = random.Random(4)
    asked = [_phrase(rng, rng.choice(documents), bool(number % 2)) for number in range(options.phrases)]
    for name, design in (("whole text", _ours), ("nested lines", _nested)):
        _report(name, design, asked)
    _measure("common words, highlights and facets", _COMMON * 20)
    _measure("the first two words of phrases", [" ".join(each.text.split()[:2]) for each in asked[:100]])
    if not options.keep:
        _clear()


def _document(video: Video) -> VideoDocument:
    (track,) = video.tracks
    lines = tuple(Line(line.start, line.duration, line.text) for line in track.lines())
    return VideoDocument(
        video_id=video.id,
        title=video.title,
        description=video.description,
        channel=video.channel.title,
        channel_id=video.channel.id,
        published_at=clock.parse(video.published_at),
        duration_seconds=video.duration,
        views=video.views,
        thumbnail_url=None,
        language=track.language,
        generated=track.generated,
        lines=lines,
    )


def _clear() -> None:
    es = clients.elasticsearch()
    for name in es.indices.get(index="bench-*"):
        es.indices.delete(index=name)


def _index(documents: Sequence[VideoDocument]) -> None:
    es = clients.elasticsearch()
    _clear()
    begun = time.monotonic()
    for first in range(0, len(documents), 50):
        search_index.write([(document, 1) for document in documents[first : first + 50]])
    search_index.write_library(_USER, _PLAYLIST, [document.video_id for document in documents], 1)
    search_index.refresh()
    print(
        f"whole text: indexed in {time.monotonic() - begun:.1f} s,"
        f" {_megabytes(search_index.videos_alias())} MB"
    )
    begun = time.monotonic()
    text = {"type": "text", "index_options": "offsets"}
    lines = {"type": "nested", "properties": {"text": text, "start": {"type": "float"}}}
    es.indices.create(
        index=_NESTED,
        settings={"number_of_replicas": 0, "index.mapping.nested_objects.limit": 20_000},
        mappings={"properties": {"full": text, "lines": lines}},
    )
    for first in range(0, len(documents), 20):
        es.options(request_timeout=120).bulk(
            operations=list(_nested_operations(documents[first : first + 20]))
        )
    es.indices.refresh(index=_NESTED)
    print(f"nested lines: indexed in {time.monotonic() - begun:.1f} s, {_megabytes(_NESTED)} MB")


def _nested_operations(documents: Iterable[VideoDocument]) -> Iterable[dict[str, Any]]:
    for document in documents:
        yield {"index": {"_index": _NESTED, "_id": document.video_id}}
        lines = [{"text": line.text, "start": line.start} for line in document.lines]
        yield {"full": " ".join(line.text for line in document.lines), "lines": lines}


def _megabytes(index: str) -> int:
    es = clients.elasticsearch()
    es.indices.flush(index=index)
    stats = es.indices.stats(index=index, metric="store")
    return int(stats["_all"]["primaries"]["store"]["size_in_bytes"] / 1e6)


def _phrase(rng: random.Random, document: VideoDocument, crosses: bool) -> Asked:
    """Four to six words from a random place of the video."""
    while True:
        number = rng.randrange(len(document.lines) - 1)
        words, following = (document.lines[n].text.split() for n in (number, number + 1))
        length = rng.randint(4, 6)
        if crosses:
            before = rng.randint(1, length - 1)
            if before > len(words) or length - before > len(following):
                continue
            chosen = words[-before:] + following[: length - before]
        else:
            if length > len(words):
                continue
            first = rng.randint(0, len(words) - length)
            chosen = words[first : first + length]
        return Asked(" ".join(chosen), document.video_id, int(document.lines[number].start), crosses)


def _search(q: str) -> dict[str, Any]:
    answer = search.search([_PLAYLIST], _USER, Params(q=q))
    json.dumps(answer, ensure_ascii=False)
    return answer


def _ours(phrase: str) -> dict[str, set[int]]:
    hits = _search(f'"{phrase}"')["hits"]
    return {hit["video_id"]: {moment["start"] for moment in hit["moments"]} for hit in hits}


def _nested(phrase: str) -> dict[str, set[int]]:
    """Lines by a nested query with inner hits, beside the full text, which finds what lines cannot."""
    inner = {"size": 5, "highlight": {"fields": {"lines.text": {}}}}
    lines = {
        "nested": {
            "path": "lines",
            "query": {"match_phrase": {"lines.text": phrase}},
            "inner_hits": inner,
            "score_mode": "max",
        }
    }
    answer = clients.elasticsearch().search(
        index=_NESTED,
        query={"bool": {"should": [lines, {"match_phrase": {"full": phrase}}]}},
        highlight={"fields": {"full": {}}},
        source=False,
        size=10,
    )
    return {
        hit["_id"]: {int(line["_source"]["start"]) for line in hit["inner_hits"]["lines"]["hits"]["hits"]}
        for hit in answer["hits"]["hits"]
    }


def _report(name: str, design: Design, asked: Sequence[Asked]) -> None:
    scores = {False: Score(), True: Score()}
    times = []
    for warming in asked[:20]:
        design(warming.text)
    for each in asked:
        begun = time.perf_counter()
        answer = design(each.text)
        times.append((time.perf_counter() - begun) * 1000)
        score = scores[each.crosses]
        score.asked += 1
        score.found += each.video_id in answer
        score.right += each.second in answer.get(each.video_id, set())
    print(
        f"{name:12}  in one line: {scores[False].line()}"
        f"   crossing: {scores[True].line()}   {_quantiles(times)}"
    )


def _measure(name: str, queries: Sequence[str]) -> None:
    times = []
    for q in queries:
        begun = time.perf_counter()
        _search(q)
        times.append((time.perf_counter() - begun) * 1000)
    print(f"{name}: {_quantiles(times)}")


def _quantiles(times: Sequence[float]) -> str:
    ordered = sorted(times)
    return f"p50 {statistics.median(ordered):.0f} ms, p95 {ordered[int(len(ordered) * 0.95) - 1]:.0f} ms"


if __name__ == "__main__":
    main()
