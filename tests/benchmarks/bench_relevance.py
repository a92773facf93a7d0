"""How well hits are ordered: nDCG@10 over a judged set, and which weights do best.

    ELASTICSEARCH_URL=http://localhost:9200 python -m tests.benchmarks.bench_relevance [--tune]

The judged set (judged.json) says for each query which talks of the sample library answer it: 3 it is
about that, 2 it is much of it, 1 it is touched. What is not judged counts 0. All words of each query
are said in what answers it: words are ANDed, and this measures the order, not the language.
nDCG: Järvelin and Kekäläinen 2002, with gains 2^grade - 1.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("ELASTICSEARCH_INDEX_PREFIX", "relevance")

from infra.local.standin import samples
from shared import clients, clock, search, search_index, search_query
from shared.search_documents import VideoDocument
from shared.search_params import Params
from shared.transcripts import Line, Lines

_USER, _PLAYLIST = "judge", "PLjudged"
_JUDGED: dict[str, dict[str, int]] = json.loads(Path(__file__).with_name("judged.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tune", action="store_true", help="tries a grid of weights")
    options = parser.parse_args()
    names = _index()
    try:
        scores = {q: _ndcg(q, names) for q in _JUDGED}
        for q, score in sorted(scores.items(), key=lambda pair: pair[1]):
            if score < 0.999:
                print(f"{score:.3f}  {q}")
        print(f"nDCG@10 of {len(scores)} queries: {_mean(scores.values()):.4f}")
        if options.tune:
            _tune(names)
    finally:
        es = clients.elasticsearch()
        for index in es.indices.get(index="relevance-*"):
            es.indices.delete(index=index)


def _index() -> dict[str, str]:
    """Video id -> name of the talk."""
    names = {}
    documents = []
    for path in sorted(samples.LIBRARY.glob("*.txt")):
        video = samples.read_file(path)
        names[video.id] = path.stem
        track = video.tracks[0] if video.tracks else None
        said = track.lines() if track else ()
        lines = Lines.of_rows(Line(line.start, line.duration, line.text) for line in said)
        documents.append(
            VideoDocument(
                video_id=video.id,
                title=video.title,
                description=video.description,
                channel=video.channel.title,
                channel_id=video.channel.id,
                published_at=clock.parse(video.published_at),
                duration_seconds=video.duration,
                views=video.views,
                thumbnail_url=None,
                language=track.language if track else None,
                generated=track.generated if track else None,
                lines=lines,
            )
        )
    unknown = {name for grades in _JUDGED.values() for name in grades} - set(names.values())
    if unknown:
        raise SystemExit(f"judged.json: expected names of talks, found {', '.join(sorted(unknown))}")
    search_index.write([(document, 1) for document in documents])
    search_index.write_library(_USER, _PLAYLIST, list(names), 1)
    search_index.refresh()
    return names


def _ndcg(q: str, names: dict[str, str]) -> float:
    hits = search.search([_PLAYLIST], _USER, Params(q=q))["hits"]
    grades = _JUDGED[q]
    found = [grades.get(names[hit["video_id"]], 0) for hit in hits]
    return _gain(found) / _gain(sorted(grades.values(), reverse=True)[:10])


def _gain(grades: list[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(rank + 2) for rank, grade in enumerate(grades))


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def _tune(names: dict[str, str]) -> None:
    results = []
    grid = itertools.product((2.0, 3.0, 5.0), (0.3, 0.6, 1.0), (1.0, 1.2), (1.0, 2.0, 4.0), (0.5, 1.0))
    for title, description, exactness, phrase, nearby in grid:
        search_query.WEIGHTS.update(title=title, description=description)
        search_query.EXACTNESS, search_query.AS_PHRASE, search_query.NEARBY = exactness, phrase, nearby
        score = _mean(_ndcg(q, names) for q in _JUDGED)
        results.append((score, title, description, exactness, phrase, nearby))
    print("nDCG@10  title description exactness phrase nearby")
    for score, *weights in sorted(results, reverse=True)[:12]:
        print(f"{score:.4f}  {weights}")


if __name__ == "__main__":
    main()
