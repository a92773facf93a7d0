"""Search by meaning in a whole local run: what HTTP answers, how fast, and what embedding costs jobs."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any

from shared.config import Config
from shared.gcp.firestore import Firestore
from shared.library.memberships import Memberships
from shared.meaning.embedder import USE
from shared.meaning.passages import cut
from shared.meaning.store import VideoPassages, pack_places
from shared.search.index.passages import PassageIndex
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from tests.benchmarks import run, search_corpus
from tests.benchmarks.meaning_judged import Judged
from tests.benchmarks.meaning_measures import Score
from tests.integration.meaning_library import embed, passages_of
from tests.libraries import put_membership
from tests.stack import Stack
from tests.stored_videos import StoredVideo

_USER, _JUDGED, _MORE = "bench", "PLjudged", "PLmore"
_DIMENSIONS = 512
#: Milliseconds that 95 of 100 questions may take through HTTP.
_LIMIT = 100
#: Jobs beside waiting videos, and as many without.
_PAIRS = 3
_EMBEDDING_SECONDS = 3600


def measure(videos: Mapping[str, StoredVideo], found: Sequence[Judged], more: int) -> None:
    stack = Stack()
    try:
        stack.start()
        _fill(stack, videos, more)
        for across, languages in ((False, "same language"), (True, "another language")):
            asked = [each for each in found if each.across == across]
            for name, by in (("words", "words"), ("by meaning", "meaning")):
                score = Score()
                for each in asked:
                    score.add(each, _ranked(stack, each, by, videos))
                print(score.row(f"HTTP, {name}, {languages}"))
        questions = [each.question.question for each in found]
        for playlist, library in ((_JUDGED, "the judged videos"), (None, f"{more:,} videos more")):
            times = sorted(_times(stack, questions, playlist))
            p95 = times[int(len(times) * 0.95) - 1]
            held = "yes" if p95 <= _LIMIT else "NO"
            print(
                f"by meaning through HTTP, {library}: p50 {statistics.median(times):.0f} ms, "
                f"p95 {p95:.0f} ms (limit {_LIMIT}: {held})"
            )
    finally:
        stack.stop()


def _fill(stack: Stack, videos: Mapping[str, StoredVideo], more: int) -> None:
    # Google's client reads the address of the emulator from the environment only.
    os.environ["FIRESTORE_EMULATOR_HOST"] = stack.firestore
    config = Config(elasticsearch_url=stack.elasticsearch, firestore_emulator_host=stack.firestore)
    server, db = SearchServer(config), Firestore(config)
    index, passages = SearchIndex(server), PassageIndex(server)
    others = search_corpus.videos(more)
    everything = [*videos.values(), *others]
    for first in range(0, len(everything), 50):
        index.write([each.write() for each in everything[first : first + 50]])
    embed(server, db, videos.values())
    vectors = [vector for each in videos.values() for vector in _split(passages_of(each))]
    repeated = cycle(vectors)
    number = 0
    for first in range(0, len(others), 20):
        made = {}
        for each in others[first : first + 20]:
            places = cut(each.outcome.lines)
            number += len(places)
            made[each.video_id] = VideoPassages(
                "bench", 1, True, _DIMENSIONS, pack_places(places), b"".join(islice(repeated, len(places)))
            )
        passages.write(USE.name, made)
    for playlist, ids in ((_JUDGED, [each.video_id for each in videos.values()]), (_MORE, _ids(others))):
        put_membership(db, _USER, playlist, ids, title=playlist)
        Memberships(db, index).show(_USER, playlist)
    index.refresh()
    name = server.passages(USE.name)
    server.client.indices.refresh(index=name)
    server.client.indices.flush(index=name)
    stats = server.client.indices.stats(index=name, metric="store")
    size = stats["_all"]["primaries"]["store"]["size_in_bytes"]
    count = len(vectors) + number
    print(f"index of passages: {count:,} passages, {size / 1e6:.0f} MB, {size / count:,.0f} bytes a passage")


def _ids(videos: Sequence[StoredVideo]) -> list[str]:
    return [each.video_id for each in videos]


def _split(passages: VideoPassages) -> Iterator[bytes]:
    for at in range(0, len(passages.vectors), _DIMENSIONS):
        yield passages.vectors[at : at + _DIMENSIONS]


def _ranked(
    stack: Stack, judged: Judged, by: str, videos: Mapping[str, StoredVideo]
) -> Iterator[tuple[str, int]]:
    """The places of an answer as a person sees them: video after video, with its best places."""
    names = {video.video_id: name for name, video in videos.items()}
    # The other videos have copies of the judged vectors, so they are left out here.
    asked = {"q": judged.question.question, "playlist": _JUDGED, "limit": 10}
    if by == "meaning":
        asked["by"] = by
    for hit in _get(stack, **asked)["hits"]:
        name = names.get(hit["video_id"])
        if name is None:
            continue
        starts = [each.start for each in cut(videos[name].outcome.lines)]
        for place in hit["passages"] if by == "meaning" else hit["moments"]:
            yield name, max((n for n, start in enumerate(starts) if start <= place["start"]), default=0)
        if not (hit["passages"] if by == "meaning" else hit["moments"]):
            yield name, -10


def _get(stack: Stack, **parameters: Any) -> dict[str, Any]:
    answer = stack.get("/api/search", _USER, params=parameters)
    answer.raise_for_status()
    return dict(answer.json())


def _times(stack: Stack, questions: Sequence[str], playlist: str | None) -> Iterator[float]:
    """Milliseconds of each question. The first five are sent twice, to warm up."""
    within = {"playlist": playlist} if playlist else {}
    for number, question in enumerate([*questions[:5], *questions]):
        begun = time.perf_counter()
        _get(stack, q=question, by="meaning", **within)
        if number >= 5:
            yield (time.perf_counter() - begun) * 1000


def measure_waiting(number: int) -> None:
    """A job after all is embedded, and at once another one, while its videos wait. Several times."""
    alone: list[float] = []
    beside: list[float] = []
    with run.trusted(200) as stack:
        for pair in range(_PAIRS):
            for times in (alone, beside):
                name = "alone" if times is alone else "beside"
                playlist = f"PLgen-{number}-meaning{name}{pair}-short"
                run.prepare(stack, playlist)
                if times is alone:
                    stack.wait_for(
                        lambda: not _waiting(stack), _EMBEDDING_SECONDS, "all videos are embedded", 2
                    )
                times.append(run.job(stack, playlist, "demo").seconds)
            print(f"alone {alone[-1]:.1f} s, while {number:,} videos wait {beside[-1]:.1f} s", flush=True)
    ratio = statistics.median(two / one for one, two in zip(alone, beside, strict=True))
    print(f"a job of {number:,} videos beside {number:,} that wait: {ratio:.3f} of alone (limit 1.03)")


def _waiting(stack: Stack) -> int:
    """Videos that are not embedded yet."""
    sources = stack.get("/api/playlists").json()["playlists"]
    counts = [each["indexed"]["by_meaning"] for each in sources if each["indexed"]["by_meaning"]]
    return sum(each["of"] - each["videos"] for each in counts)
