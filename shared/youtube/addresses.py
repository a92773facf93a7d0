"""Reduces an address that a person pastes to the id of a playlist. Nothing else of it is used."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from shared.errors import BadRequest

#: PL…, UU… (uploads), LL (liked), FL…, OL…, RD… (mixes): two capitals, then the characters of YouTube's ids.
_PLAYLIST_ID = re.compile(r"[A-Z]{2}[A-Za-z0-9_-]{0,78}")
_HOSTS = re.compile(r"([a-z0-9-]+\.)*(youtube\.com|youtube-nocookie\.com|youtu\.be)")
_EXPECTED = "Expected a playlist id such as PLx…, or a YouTube address with list= in it"
#: Watch Later and the history: https://developers.google.com/youtube/v3/revision_history#september-15,-2016
_REFUSED = ("WL", "HL")
WATCH_LATER = (
    "YouTube shows Watch Later and the history to no other program. Add the videos to a playlist of "
    "your own and index that."
)


def is_refused(playlist_id: str) -> bool:
    """Whether YouTube shows this playlist to no program, not even in its owner's name."""
    return playlist_id in _REFUSED


def parse_playlist_id(text: object) -> str:
    """The id in a playlist id, or in any YouTube address with ``list=``.

    Raises:
        BadRequest: says what was expected and what was found.
    """
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"{_EXPECTED}; found nothing.")
    text = text.strip()
    if len(text) > 2000:
        raise BadRequest(f"{_EXPECTED}; found {len(text):,} characters.")
    if _PLAYLIST_ID.fullmatch(text):
        return text
    neither = f"{_EXPECTED}; found {text[:100]!r}, which is neither."
    try:
        # It may be pasted without its scheme, and another address may stand in its query.
        has_scheme = re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE)
        parts = urlsplit(text if has_scheme else f"https://{text}")
        host = (parts.hostname or "").lower()
        lists = parse_qs(parts.query).get("list", [])
    except ValueError as error:
        raise BadRequest(neither) from error
    if parts.scheme not in ("http", "https") or not _HOSTS.fullmatch(host):
        raise BadRequest(neither)
    if not lists:
        raise BadRequest(f"{_EXPECTED}; this address has no list=, so it names no playlist.")
    if not _PLAYLIST_ID.fullmatch(lists[0]):
        raise BadRequest(f"{_EXPECTED}; found list={lists[0][:100]!r}, which is no playlist id.")
    return lists[0]
