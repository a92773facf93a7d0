"""Every hit and every moment of a search, as CSV or JSON Lines, one piece at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.snippets import Segments

MIMETYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
COLUMNS = (
    "video_id",
    "title",
    "channel",
    "published_at",
    "duration_seconds",
    "language",
    "start",
    "url",
    "snippet",
)


def render(hits: Iterable[Mapping[str, Any]], form: str) -> Iterator[str]:
    """``form``: a key of :data:`MIMETYPES`."""
    return as_csv(hits) if form == "csv" else as_jsonl(hits)


def as_jsonl(hits: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A hit a line, in the form of the search's answer."""
    for hit in hits:
        yield json.dumps(hit, ensure_ascii=False, separators=(",", ":")) + "\n"


def as_csv(hits: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """RFC 4180, a header, then a row a moment; a hit without moments has one row without ``start``."""
    yield _row(COLUMNS)
    for hit in hits:
        # Ids stay what they are: eleven letters, digits, - and _ are no formula that could do anything.
        about = [hit["video_id"], _plain(hit["title"]), _safe(hit["channel"] or "")]
        about += [hit[name] for name in COLUMNS[3:6]]
        if not hit["moments"]:
            yield _row([*about, None, hit["url"], _plain(hit["description"])])
        for moment in hit["moments"]:
            yield _row([*about, moment["start"], moment["url"], _plain(moment["snippet"])])


def _plain(segments: Segments) -> str:
    return _safe("".join(str(segment["text"]) for segment in segments))


def _row(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _safe(text: str) -> str:
    # A spreadsheet would run a title that begins so as a formula (CSV injection, OWASP).
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
