"""All hits and moments of a search as CSV or JSON Lines, one piece at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from shared.search.params import Asked
from shared.search.snippets import plain

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
    "chapter",
    "match",
    "missing",
)


class ExportAsked(Asked, frozen=True, kw_only=True):
    format: Literal["csv", "jsonl"] = "csv"


def render(hits: Iterable[Mapping[str, Any]], form: str) -> Iterator[str]:
    """``form``: a key of :data:`MIMETYPES`."""
    return as_csv(hits) if form == "csv" else as_jsonl(hits)


def as_jsonl(hits: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One hit a line, as in the answer of a search."""
    for hit in hits:
        yield json.dumps(hit, ensure_ascii=False, separators=(",", ":")) + "\n"


def as_csv(hits: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """RFC 4180: a header and one row a moment. A hit without moments has one row, with an empty ``start``."""
    # A spreadsheet takes a file for UTF-8 only if it begins with this mark.
    yield "\ufeff" + row(COLUMNS)
    for hit in hits:
        # Ids are for machines and stay as they are. Eleven letters, digits, - and _ are no harmful formula.
        about = [hit["video_id"], safe(plain(hit["title"])), safe(hit["channel"] or "")]
        about += [hit[name] for name in COLUMNS[3:6]]
        how = [hit["match"], safe(" ".join(hit["missing"]))]
        if not hit["moments"]:
            yield row([*about, None, hit["url"], safe(plain(hit["description"])), None, *how])
        for moment in hit["moments"]:
            chapter = safe(moment["chapter"] or "")
            snippet = safe(plain(moment["snippet"]))
            yield row([*about, moment["start"], moment["url"], snippet, chapter, *how])


def row(cells: Iterable[object]) -> str:
    """One line of a CSV."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def safe(text: str) -> str:
    """The text of a cell that no spreadsheet takes for a formula."""
    # A spreadsheet runs a cell that begins with one of these as a formula
    # (https://owasp.org/www-community/attacks/CSV_Injection).
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
