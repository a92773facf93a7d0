"""The corpus of bench_search: generated videos of real length, their phrases, and both kinds of index."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from elasticsearch import Elasticsearch
from google.api_core.retry import Retry, if_exception_type

from infra.local.fake_youtube.library import generate
from shared.errors import Transient
from shared.gcp.firestore import Firestore
from shared.library.memberships import Memberships
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from tests.libraries import put_membership
from tests.stored_videos import StoredVideo, from_fake_youtube

#: The index of the other design: a nested document per caption line, beside the full text.
NESTED = "nested-lines"


@dataclass(frozen=True, slots=True)
class Asked:
    """A phrase, and the place where it was said. ``crosses``: it continues on the next caption line."""

    text: str
    video_id: str
    second: int
    crosses: bool


def videos(number: int) -> list[StoredVideo]:
    playlist = generate.playlist(f"PLgen-{number}-search")
    assert playlist is not None
    found = (generate.video(video_id) for video_id in playlist.video_ids)
    return [from_fake_youtube(video) for video in found if video]


def index(server: SearchServer, db: Firestore, found: Sequence[StoredVideo], user_id: str) -> None:
    """Our design. Half of the videos is in each of two playlists, so that there is a facet to count."""
    search_index = SearchIndex(server)
    begun = time.monotonic()
    for first in range(0, len(found), 50):
        # A busy machine may need longer than a request may take. Writing again changes nothing.
        write = partial(search_index.write, [video.write() for video in found[first : first + 50]])
        Retry(predicate=if_exception_type(Transient), timeout=300)(write)()
    _put_library(db, search_index, [video.video_id for video in found], user_id)
    search_index.refresh()
    size = _megabytes(server.client, server.videos)
    print(f"whole text: indexed in {time.monotonic() - begun:.1f} s, {size} MB")


def _put_library(db: Firestore, search_index: SearchIndex, ids: Sequence[str], user_id: str) -> None:
    halves = {"PLbench1": ids[: len(ids) // 2], "PLbench2": ids[len(ids) // 2 :]}
    for playlist_id, video_ids in halves.items():
        put_membership(db, user_id, playlist_id, video_ids, title=f"Playlist {playlist_id}")
        Memberships(db, search_index).show(user_id, playlist_id)


def index_nested(client: Elasticsearch, found: Sequence[StoredVideo]) -> None:
    begun = time.monotonic()
    text = {"type": "text", "index_options": "offsets"}
    lines = {"type": "nested", "properties": {"text": text, "start": {"type": "float"}}}
    client.indices.create(
        index=NESTED,
        settings={"number_of_replicas": 0, "index.mapping.nested_objects.limit": 20_000},
        mappings={"properties": {"full": text, "lines": lines}},
    )
    for first in range(0, len(found), 20):
        client.options(request_timeout=120).bulk(operations=list(_nested(found[first : first + 20])))
    client.indices.refresh(index=NESTED)
    print(f"nested lines: indexed in {time.monotonic() - begun:.1f} s, {_megabytes(client, NESTED)} MB")


def _nested(found: Sequence[StoredVideo]) -> Iterator[dict[str, Any]]:
    for video in found:
        yield {"index": {"_index": NESTED, "_id": video.video_id}}
        lines = [{"text": line.text, "start": line.start} for line in video.lines]
        yield {"full": " ".join(line.text for line in video.lines), "lines": lines}


def _megabytes(client: Elasticsearch, name: str) -> int:
    client.indices.flush(index=name)
    stats = client.indices.stats(index=name, metric="store")
    return int(stats["_all"]["primaries"]["store"]["size_in_bytes"] / 1e6)


def phrase(rng: random.Random, video: StoredVideo, crosses: bool) -> Asked:
    """Four to six words from a random place of the video."""
    lines = video.outcome.lines
    while True:
        number = rng.randrange(len(lines) - 1)
        words, following = (lines.texts[each].split() for each in (number, number + 1))
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
        return Asked(" ".join(chosen), video.video_id, lines.starts[number] // 1000, crosses)
