"""A feed as a file: Atom (https://www.rfc-editor.org/rfc/rfc4287) or JSON Feed (https://www.jsonfeed.org)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from shared import clock

_ATOM = "http://www.w3.org/2005/Atom"
#: Characters that no XML document can have (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The author of the feed, and of entries of which no channel is known.
_AUTHOR = "yts"


@dataclass(frozen=True, slots=True)
class Entry:
    """``entry_id``: a URI that stays. ``url``: our page of the video; ``youtube_url``: that of YouTube."""

    entry_id: str
    url: str
    youtube_url: str
    title: str
    author: str
    found_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Feed:
    """``url``: the page with the search. ``updated_at``: when the latest entry was found."""

    feed_id: str
    title: str
    url: str
    updated_at: datetime
    entries: Sequence[Entry]


def atom(feed: Feed, address: str) -> str:
    """``address``: that of the file itself."""
    root = ElementTree.Element("feed", {"xmlns": _ATOM})
    _add(root, "id", feed.feed_id)
    _add(root, "title", feed.title)
    _add(root, "updated", clock.rfc3339(feed.updated_at))
    _add(ElementTree.SubElement(root, "author"), "name", _AUTHOR)
    _link(root, "self", "application/atom+xml", address)
    _link(root, "alternate", "text/html", feed.url)
    for entry in feed.entries:
        element = ElementTree.SubElement(root, "entry")
        _add(element, "id", entry.entry_id)
        _add(element, "title", entry.title or entry.url)
        time = clock.rfc3339(entry.found_at)
        _add(element, "published", time)
        _add(element, "updated", time)
        _add(ElementTree.SubElement(element, "author"), "name", entry.author or _AUTHOR)
        _link(element, "alternate", "text/html", entry.url)
        _link(element, "related", "text/html", entry.youtube_url)
        _add(element, "content", entry.text)
    declared = '<?xml version="1.0" encoding="utf-8"?>\n'
    return declared + ElementTree.tostring(root, encoding="unicode") + "\n"


def json_feed(feed: Feed, address: str) -> str:
    """``address``: that of the file itself."""
    items: list[Mapping[str, Any]] = [
        {
            "id": entry.entry_id,
            "url": entry.url,
            "external_url": entry.youtube_url,
            "title": entry.title,
            "content_text": entry.text,
            "date_published": clock.rfc3339(entry.found_at),
            "authors": [{"name": entry.author or _AUTHOR}],
        }
        for entry in feed.entries
    ]
    body = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.url,
        "feed_url": address,
        "authors": [{"name": _AUTHOR}],
        "items": items,
    }
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


#: Each form: the media type of its files, and how to write one.
FORMS: Mapping[str, tuple[str, Callable[[Feed, str], str]]] = {
    "atom": ("application/atom+xml", atom),
    "json": ("application/feed+json", json_feed),
}


def _add(parent: ElementTree.Element, name: str, text: str | None) -> None:
    ElementTree.SubElement(parent, name).text = _FORBIDDEN.sub("", text or "")


def _link(parent: ElementTree.Element, relation: str, kind: str, address: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "type": kind, "href": address})
