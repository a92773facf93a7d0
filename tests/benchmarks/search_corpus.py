"""What bench_search searches: generated videos of real length in two designs, and phrases of them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.standin import generate
from infra.local.standin.model import Video
from shared import clients, clock, library, search_index
from shared.search_documents import VideoDocument
from shared.transcripts import Line, Lines

#: The design of others: a nested document per caption line beside the full text.
NESTED = "nested-lines"


@dataclass(frozen=True, slots=True)
class Asked:
    """A phrase, where it stands, and whether it runs over the end of a line."""

    text: str
    video_id: str
    second: int
    crosses: bool


def documents(videos: int) -> list[VideoDocument]:
    playlist = generate.playlist(f"PLgen-{videos}-search")
    assert playlist is not None
    return [_document(video) for video_id in playlist.video_ids if (video := generate.video(video_id))]


def _document(video: Video) -> VideoDocument:
    (track,) = video.tracks
    lines = Lines.of_rows(Line(line.start, line.duration, line.text) for line in track.lines())
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


def index(found: Sequence[VideoDocument], user: str) -> None:
    """Our design, as playlists of ``user``: half of the videos in each, so that playlists are counted too."""
    begun = time.monotonic()
    for first in range(0, len(found), 50):
        search_index.write([(document, 1) for document in found[first : first + 50]])
    ids = [document.video_id for document in found]
    library.put(user, "PLbench1", "First half", None, ids[: len(ids) // 2])
    library.put(user, "PLbench2", "Second half", None, ids[len(ids) // 2 :])
    search_index.refresh()
    size = _megabytes(search_index.videos_alias())
    print(f"whole text: indexed in {time.monotonic() - begun:.1f} s, {size} MB")


def index_nested(found: Sequence[VideoDocument]) -> None:
    es = clients.elasticsearch()
    begun = time.monotonic()
    text = {"type": "text", "index_options": "offsets"}
    lines = {"type": "nested", "properties": {"text": text, "start": {"type": "float"}}}
    es.indices.create(
        index=NESTED,
        settings={"number_of_replicas": 0, "index.mapping.nested_objects.limit": 20_000},
        mappings={"properties": {"full": text, "lines": lines}},
    )
    for first in range(0, len(found), 20):
        es.options(request_timeout=120).bulk(operations=list(_nested(found[first : first + 20])))
    es.indices.refresh(index=NESTED)
    print(f"nested lines: indexed in {time.monotonic() - begun:.1f} s, {_megabytes(NESTED)} MB")


def _nested(found: Iterable[VideoDocument]) -> Iterator[dict[str, Any]]:
    for document in found:
        yield {"index": {"_index": NESTED, "_id": document.video_id}}
        lines = [{"text": line.text, "start": line.start} for line in document.lines]
        yield {"full": " ".join(line.text for line in document.lines), "lines": lines}


def _megabytes(name: str) -> int:
    es = clients.elasticsearch()
    es.indices.flush(index=name)
    stats = es.indices.stats(index=name, metric="store")
    return int(stats["_all"]["primaries"]["store"]["size_in_bytes"] / 1e6)


def phrase(rng: random.Random, document: VideoDocument, crosses: bool) -> Asked:
    """Four to six words from a random place of the video."""
    while True:
        number = rng.randrange(len(document.lines) - 1)
        words, following = (document.lines.texts[n].split() for n in (number, number + 1))
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
        return Asked(" ".join(chosen), document.video_id, document.lines.starts[number] // 1000, crosses)
