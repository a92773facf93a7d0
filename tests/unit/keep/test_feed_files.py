"""Feeds as files: the rules of RFC 4287 and of JSON Feed 1.1, whatever the texts are."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import feedparser
import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import clock
from shared.keep.feed_files import FORMS, Entry, Feed, atom, json_feed

ADDRESS = "https://yts.example/api/feeds/yts_feed_x.atom"
NAME = "tag:yts.example,2024-01-31:searches/s1"
ATOM = "{http://www.w3.org/2005/Atom}"
EARLY, LATE = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, 12, 30, tzinfo=UTC)
#: Any text that a database holds.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def entry(number: int = 0, title: str = "A title", author: str = "A channel", text: str = "said") -> Entry:
    url = f"https://yts.example/?v=v{number}&t=61.5&line=3&q=a%26b"
    return Entry(f"{NAME}/v{number}", url, f"https://youtu.be/v{number}", title, author, LATE, text)


def feed(*entries: Entry, title: str = "Bread") -> Feed:
    return Feed(NAME, title, "https://yts.example/?q=a&sort=newest", LATE if entries else EARLY, entries)


def assert_valid(text: str) -> None:
    """The rules by which https://validator.w3.org/feed/docs/atom.html calls a feed valid."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == f"{ATOM}feed"
    _assert_required(root)
    assert len(root.findall(f"{ATOM}author")) == 1
    links = root.findall(f"{ATOM}link")
    assert [each.get("href") for each in links if each.get("rel") == "self"] == [ADDRESS]
    assert len({(each.get("rel"), each.get("type")) for each in links}) == len(links)
    entries = root.findall(f"{ATOM}entry")
    for each in entries:
        _assert_required(each)
        assert len(each.findall(f"{ATOM}content")) == 1
        assert each.findtext(f"{ATOM}author/{ATOM}name")
        assert each.findtext(f"{ATOM}published", "") <= each.findtext(f"{ATOM}updated", "")
        assert len([link for link in each.findall(f"{ATOM}link") if link.get("rel") == "alternate"]) == 1
    ids = [each.findtext(f"{ATOM}id") for each in (root, *entries)]
    assert len(set(ids)) == len(ids)


def _assert_required(element: ElementTree.Element) -> None:
    """`feed` and `entry` have exactly one of each of these."""
    for name in ("id", "title", "updated"):
        (found,) = element.findall(f"{ATOM}{name}")
        if name == "id":
            # https://www.rfc-editor.org/rfc/rfc4151
            assert re.fullmatch(r"tag:[a-z0-9.-]+,\d{4}-\d\d-\d\d:[\w/-]+", found.text or "")
        if name == "updated":
            assert clock.parse(found.text) is not None
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.text or "")
    for link in element.findall(f"{ATOM}link"):
        assert urlsplit(link.get("href", "")).scheme == "https"


def test_a_feed_without_entries_is_valid() -> None:
    assert_valid(atom(feed(), ADDRESS))


@given(title=TEXT, author=TEXT, text=TEXT, name=TEXT)
@settings(deadline=None)
def test_any_text_makes_a_valid_feed(title: str, author: str, text: str, name: str) -> None:
    made = feed(entry(1, title, author, text), entry(2, "", ""), title=name)
    assert_valid(atom(made, ADDRESS))
    body = json.loads(json_feed(made, ADDRESS))
    assert [item["content_text"] for item in body["items"]] == [text, "said"]
    assert body["title"] == name


HOSTILE = [
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("a & b &amp; ]]>", "a & b &amp; ]]>"),
    ("\x00a\x08b\x0bc\x1fd\ufffee\uffff", "abcde"),
    ("tab\tline\nend", "tab\tline\nend"),
    ("🎬 \u202eturned", "🎬 \u202eturned"),
]


@pytest.mark.parametrize(("given", "read"), HOSTILE)
def test_text_stays_text(given: str, read: str) -> None:
    parsed = feedparser.parse(atom(feed(entry(0, given, given, given)), ADDRESS), sanitize_html=False)
    assert not parsed.bozo
    (found,) = parsed.entries
    assert (found.title, found.author, found.content[0].value) == (read, read, read)
    assert found.link == entry().url


def test_the_forms_have_media_types() -> None:
    assert {name: kind for name, (kind, _) in FORMS.items()} == {
        "atom": "application/atom+xml",
        "json": "application/feed+json",
    }


def test_a_json_feed_has_what_the_format_asks_for() -> None:
    body = json.loads(json_feed(feed(entry()), ADDRESS))
    assert body["version"] == "https://jsonfeed.org/version/1.1"
    assert (body["feed_url"], body["home_page_url"]) == (ADDRESS, "https://yts.example/?q=a&sort=newest")
    (item,) = body["items"]
    assert item == {
        "id": f"{NAME}/v0",
        "url": entry().url,
        "external_url": "https://youtu.be/v0",
        "title": "A title",
        "content_text": "said",
        "date_published": "2024-03-01T12:30:00.000Z",
        "authors": [{"name": "A channel"}],
    }
