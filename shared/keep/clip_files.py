"""Clips as Markdown, CSV and JSON, one piece at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from shared import clock
from shared.exports.markdown import tag as tag_of
from shared.search.export import row, safe
from shared.transcripts.subtitles import escape_markdown, timestamp

MIMETYPES = {"md": "text/markdown", "csv": "text/csv", "json": "application/json"}
COLUMNS = (
    *("id", "created_at", "video_id", "title", "channel", "start", "end"),
    *("url", "page", "text", "note", "tags", "gone"),
)

View = Mapping[str, Any]


def render(views: Iterable[View], form: str, origin: str) -> Iterator[str]:
    """``views``: clips as the API shows them. ``form``: a key of :data:`MIMETYPES`. ``origin``: of ours."""
    renderers: dict[str, Callable[[Iterable[View], str], Iterator[str]]] = {
        "md": as_markdown,
        "csv": as_csv,
        "json": as_json,
    }
    return renderers[form](views, origin)


def as_json(views: Iterable[View], origin: str) -> Iterator[str]:
    """``{"clips": […]}``"""
    yield '{"clips":['
    for number, view in enumerate(views):
        text = json.dumps({**view, "page": page_url(view, origin)}, ensure_ascii=False, separators=(",", ":"))
        yield f"{',' if number else ''}\n{text}"
    yield "\n]}\n"


def as_csv(views: Iterable[View], origin: str) -> Iterator[str]:
    """RFC 4180: a header and one row a clip."""
    yield "\ufeff" + row(COLUMNS)
    for view in views:
        texts = [safe(view[name]) for name in ("text", "note")]
        yield row(
            [
                *(view["id"], view["created_at"], view["video_id"], safe(view["title"])),
                *(safe(view["channel"]), view["start"], view["end"], view["url"], page_url(view, origin)),
                *texts,
                safe(", ".join(view["tags"])),
                "true" if view.get("gone") else "",
            ]
        )


def as_markdown(views: Iterable[View], origin: str) -> Iterator[str]:
    """A note for Obsidian and the like: properties, then for each clip a heading, a quote and links."""
    yield f"---\ntitle: Clips\nexported: {clock.rfc3339(clock.now())}\n---\n\n# Clips\n"
    for view in views:
        at = timestamp(view["start"])
        youtube = f"[{at} on YouTube]({view['url']})"
        page = "not in the library any more"
        if not view.get("gone"):
            page = f"[with its transcript]({page_url(view, origin)})"
        parts = [
            f"## {escape_markdown(view['title'])}, {at}",
            "> " + escape_markdown(" ".join(view["text"].split())),
            # Two spaces keep the end of a line.
            "  \n".join(escape_markdown(line) for line in view["note"].splitlines()),
            " · ".join(filter(None, [escape_markdown(view["channel"]), youtube, page])),
            " ".join(f"#{tag}" for each in view["tags"] if (tag := tag_of(each))),
        ]
        yield "\n" + "\n\n".join(filter(None, parts)) + "\n"


def page_url(view: View, origin: str) -> str:
    """The address of a clip in the page, where its lines are marked."""
    asked = {"v": view["video_id"], "t": view["start"], "line": view["from_line"], "until": view["end"]}
    return f"{origin}/?{urlencode(asked)}"
