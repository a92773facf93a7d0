"""The file of an export, one piece at a time: a zip with a file for each video, or JSON Lines.

Nothing grows with the number of videos but the directory at the end of a zip, some hundred bytes for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args

from zipstream import ZIP_DEFLATED, ZipStream

from shared.exports import notes
from shared.exports.names import file_name
from shared.search.params import Asked
from shared.search.video import Whole
from shared.transcripts import subtitles

Form = Literal["markdown", "srt", "vtt", "jsonl"]
FORMS: tuple[Form, ...] = get_args(Form)
MIMETYPES = ("application/zip", "application/x-ndjson")


class ExportAsked(Asked, frozen=True, kw_only=True):
    """`cursor`: the id of the last video that has come."""

    format: Form = "markdown"


def type_and_name(form: str) -> tuple[str, str]:
    """The media type and the name of the file."""
    if form == "jsonl":
        return "application/x-ndjson", "yts-export.jsonl"
    return "application/zip", f"yts-{form}.zip"


def render(videos: Iterable[Whole], listed: Iterable[notes.About], form: str) -> Iterator[bytes]:
    """``videos``: to write. ``listed``: all of the export, for its index. ``form``: one of :data:`FORMS`.

    Whoever reads a zip without a directory at its end, or JSON Lines whose last line does not say ``done``,
    knows that something is missing.
    """
    if form == "jsonl":
        return _json_lines(videos)
    if form == "markdown":
        return _zip(_notes(videos, listed))
    return _zip(_subtitles(videos, form))


def _json_lines(videos: Iterable[Whole]) -> Iterator[bytes]:
    written = 0
    for video in videos:
        playlists = [{"playlist_id": each, "title": title} for each, title in video.playlists.items()]
        spoken = [line._asdict() for line in video.lines]
        yield _json({**video.about, "playlists": playlists, "lines": spoken})
        written += 1
    yield _json({"done": True, "videos": written})


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _notes(
    videos: Iterable[Whole], listed: Iterable[notes.About]
) -> Iterator[tuple[str, bytes | Iterator[bytes]]]:
    for video in videos:
        yield notes.name(video.about), notes.note(video).encode()
    # At the end, and of everything: the index of an export that was resumed replaces no other one.
    yield notes.INDEX, (piece.encode() for piece in notes.index(listed))


def _subtitles(videos: Iterable[Whole], form: str) -> Iterator[tuple[str, bytes]]:
    for video in videos:
        if video.lines:
            about = video.about
            # Players look for the language there.
            ending = f".{about['language']}.{form}" if about["language"] else f".{form}"
            name = file_name(about["title"], video.video_id, ending)
            yield name, subtitles.render(video.lines, form, about).encode()


def _zip(files: Iterable[tuple[str, bytes | Iterator[bytes]]]) -> Iterator[bytes]:
    stream = ZipStream(compress_type=ZIP_DEFLATED)
    for name, content in files:
        stream.add(content, name)
        if isinstance(content, bytes):
            # Not in its small pieces: each one is a write to the network.
            yield b"".join(stream.all_files())
        else:
            yield from stream.all_files()
    yield from stream.finalize()
