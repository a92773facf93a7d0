"""Measures how well hits are ordered (nDCG@10 over a judged set), and which weights are best.

    ELASTICSEARCH_URL=http://localhost:9200 python -m tests.benchmarks.bench_relevance [--tune]

judged.json says for each query which talks of the sample library answer it: 3 if the talk is about it, 2 if
much of the talk is, 1 if the talk mentions it, and 0 for all other talks. Each of these talks has all words
of the query, because words are ANDed: this measures the order of hits, and not what is found.
nDCG: Järvelin and Kekäläinen 2002, with gains 2^grade - 1.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from infra.local.fake_youtube.library import samples
from shared.config import Config
from shared.search.compiler import WEIGHTS
from shared.search.index.writer import SearchIndex
from shared.search.params import Params
from shared.search.server import SearchServer
from shared.search.service import Search
from tests.stored_videos import from_fake_youtube

_USER, _TITLES = "judge", {"PLjudged": "Judged"}
_JUDGED: dict[str, dict[str, int]] = json.loads(Path(__file__).with_name("judged.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tune", action="store_true", help="tries a grid of weights")
    options = parser.parse_args()
    server = SearchServer(replace(Config.from_env(os.environ), elasticsearch_index_prefix="relevance"))
    try:
        names = _index(server)
        search = Search(server)
        scores = {q: _ndcg(search, q, names) for q in _JUDGED}
        for q, score in sorted(scores.items(), key=lambda pair: pair[1]):
            if score < 0.999:
                print(f"{score:.3f}  {q}")
        print(f"nDCG@10 of {len(scores)} queries: {_mean(scores.values()):.4f}")
        if options.tune:
            _tune(server, names)
    finally:
        for index in server.client.indices.get(index="relevance-*"):
            server.client.indices.delete(index=index)


def _index(server: SearchServer) -> dict[str, str]:
    """Indexes the sample library. Video id → name of the talk."""
    files = {path.stem: samples.read_file(path) for path in sorted(samples.TALKS.glob("*.txt"))}
    names = {video.id: name for name, video in files.items()}
    unknown = {name for grades in _JUDGED.values() for name in grades} - set(names.values())
    if unknown:
        raise SystemExit(f"judged.json: expected names of talks, found {', '.join(sorted(unknown))}")
    index = SearchIndex(server)
    index.write([from_fake_youtube(video).write() for video in files.values()])
    for playlist_id in _TITLES:
        index.write_membership(_USER, playlist_id, list(names), 1)
    index.refresh()
    return names


def _ndcg(search: Search, q: str, names: Mapping[str, str]) -> float:
    hits = search.search(_USER, _TITLES, Params(q=q))["hits"]
    grades = _JUDGED[q]
    found = [grades.get(names[hit["video_id"]], 0) for hit in hits]
    return _gain(found) / _gain(sorted(grades.values(), reverse=True)[:10])


def _gain(grades: list[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(rank + 2) for rank, grade in enumerate(grades))


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def _tune(server: SearchServer, names: Mapping[str, str]) -> None:
    results = []
    grid = itertools.product((2.0, 3.0, 5.0), (0.3, 0.6, 1.0), (1.0, 1.2), (1.0, 2.0, 4.0), (0.5, 1.0))
    for title, description, exactness, phrase, nearby in grid:
        weights = replace(
            WEIGHTS,
            title=title,
            description=description,
            exactness=exactness,
            phrase=phrase,
            nearby=nearby,
        )
        search = Search(server, weights=weights)
        score = _mean(_ndcg(search, q, names) for q in _JUDGED)
        results.append((score, title, description, exactness, phrase, nearby))
    print("nDCG@10  title description exactness phrase nearby")
    for score, *weighed in sorted(results, reverse=True)[:12]:
        print(f"{score:.4f}  {weighed}")


if __name__ == "__main__":
    main()
