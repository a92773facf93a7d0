"""What a person may paste for a playlist, reduced to its id. Nothing else of it is ever used."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from shared.errors import BadRequest

#: PL…, UU… (uploads), LL (liked), FL…, OL…, RD… (mixes): two capitals and what YouTube's ids are made of.
_PLAYLIST_ID = re.compile(r"[A-Z]{2}[A-Za-z0-9_-]{0,78}")
_HOSTS = re.compile(r"([a-z0-9-]+\.)*(youtube\.com|youtube-nocookie\.com|youtu\.be)")
_EXPECTED = "Expected a playlist id such as PLx…, or a YouTube URL with list= in it"


def playlist_id_of(text: object) -> str:
    """The id in a playlist id or in any YouTube URL with ``list=``.

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
    try:
        # Pasted without its scheme; another URL may stand in its query.
        parts = urlsplit(
            text if re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE) else f"https://{text}"
        )
        host = (parts.hostname or "").lower()
        lists = parse_qs(parts.query).get("list", [])
    except ValueError as error:
        raise BadRequest(f"{_EXPECTED}; found {text[:100]!r}, which is neither.") from error
    if parts.scheme not in ("http", "https") or not _HOSTS.fullmatch(host):
        raise BadRequest(f"{_EXPECTED}; found {text[:100]!r}, which is neither.")
    if not lists:
        raise BadRequest(f"{_EXPECTED}; this YouTube URL has no list= and so names no playlist.")
    if not _PLAYLIST_ID.fullmatch(lists[0]):
        raise BadRequest(f"{_EXPECTED}; found list={lists[0][:100]!r}, which is no playlist id.")
    return lists[0]
