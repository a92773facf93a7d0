"""Measures search by meaning: what it finds compared with words, what it costs, and how fast it answers.

    OPENBLAS_NUM_THREADS=1 python -m tests.benchmarks.bench_meaning [--videos 1000] [--waiting 1000]

The questions of judged_meaning.json have no word of the passage that answers them, in no form. Right passage:
this one or its neighbour. Without options no server is needed.

--videos N: also through HTTP in a local run, with N videos of real length besides the judged ones. Their
vectors are those of the judged ones, because only their number matters for the time.
--waiting N: what a job of N videos loses while N videos wait to be embedded.
"""

from __future__ import annotations

import argparse
import os

from shared.meaning.embedder import open_embedder
from tests.benchmarks import meaning_corpus, meaning_measures, meaning_service
from tests.benchmarks.meaning_judged import Judged, judged
from tests.benchmarks.meaning_measures import AnyWords, Score, Vectors
from tests.stored_videos import StoredVideo

_HEAD = f"| {'':<46} | {'':>4} | passage | video   |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=0)
    parser.add_argument("--waiting", type=int, default=0)
    options = parser.parse_args()
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        parser.error("set OPENBLAS_NUM_THREADS=1, as functions have it (infra/pipeline.yaml)")
    videos = meaning_corpus.videos()
    found = judged(videos)
    _alone(videos, found)
    if options.videos:
        meaning_service.measure(videos, found, options.videos)
    if options.waiting:
        meaning_service.measure_waiting(options.waiting)


def _alone(videos: dict[str, StoredVideo], found: list[Judged]) -> None:
    places = meaning_measures.places_of(videos)
    print(f"{len(found)} questions, {len(places):,} passages of {len(videos)} videos")
    words = AnyWords(places)
    embedder = open_embedder("use")
    assert embedder is not None
    vectors = Vectors(embedder, videos)
    print(_HEAD)
    for across, languages in ((False, "same language"), (True, "another language")):
        asked = [each for each in found if each.across == across]
        scores = {"all words": Score(), "any words": Score(), "by meaning": Score()}
        for each in asked:
            question = each.question.question
            scores["all words"].add(each, words.ranked(question, all_words=True))
            scores["any words"].add(each, words.ranked(question))
            scores["by meaning"].add(each, vectors.ranked(question))
        for name, score in scores.items():
            print(score.row(f"{name}, {languages}"))
    query = vectors.query_milliseconds([each.question.question for each in found])
    print(
        f"processor: {vectors.milliseconds:.1f} ms a passage, {query:.1f} ms a question; "
        f"{vectors.bytes:,.0f} bytes of vectors a video; "
        f"memory of a process that embeds: {meaning_measures.peak_megabytes():.0f} MB (limit 300)"
    )


if __name__ == "__main__":
    main()
