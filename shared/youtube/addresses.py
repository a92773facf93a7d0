"""Reduces what a person pastes to the id of a playlist. Nothing else of it is used.

Three steps: take off what stands around an address, find the id in it, and say what kind of id that is. Only
then, a longer text is searched for one address.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from shared.errors import BadRequest

_ID = re.compile(r"[A-Za-z0-9_-]{2,80}")
_HOSTS = re.compile(r"([a-z0-9-]+\.)*(youtube\.com|youtube-nocookie\.com|youtu\.be)")
_EXPECTED = "Expected a playlist id such as PLx…, or a YouTube address with list= in it"
#: More than any address. A consent page's address has the whole address of the playlist in it.
_LONGEST = 4000
#: An address may be encoded as often as pages are nested in each other.
_NESTING = 3

#: How ids of playlists begin: playlists (SP and EC: old ones), uploads, Liked videos (LM: of YouTube Music),
#: favourites, popular uploads, albums, and playlists of YouTube Music's editors.
_PLAYLISTS = ("PL", "SP", "EC", "UU", "LL", "LM", "FL", "PU", "OLAK5uy_", "RDCLAK5uy_")
#: A page of a playlist in YouTube Music has this before the id; that of a podcast the second.
_WRAPPED = re.compile(r"(?:VL|MPSP)(?=[A-Z]{2})")
#: Shorter than any id, and a word. Short ids of PL with small letters or digits are not refused: fakes have
#: them. All others are at least so long, unless they are whole by themselves.
_WORD = re.compile(r"[A-Z]{2,17}")
_LEAST, _WHOLE = 18, ("LL", "LM")
#: Where else than in list= the id is, by the first part of the path.
_OTHER_PARAMETERS = {"feeds": ("playlist_id", "channel_id"), "view_play_list": ("p",)}
#: What may follow an id without being a part of it.
_TAIL = re.compile(r"[^\w=\x00-\x1f-].*|\s+$", re.DOTALL)
#: Parts of an address of YouTube, as pages have them in their links.
_QUERY, _PATH = re.compile(r"[?&]"), re.compile(r"/?(?:playlist|watch)\?|/(?:browse|channel)/")
#: An address within a text: it begins behind a space, a quote or a bracket, and ends before one.
_WITHIN = re.compile(
    r"(?:(?:^|(?<=[\s\"'“‘„«<>(（【「『]))(?:https?://)?|(?<=[\"'])//)"
    r"(?:[a-z0-9-]+\.)*(?:youtube\.com|youtube-nocookie\.com|youtu\.be)/"
    r"[^\s\"'“”‘’«»<>（）\[\]【】「」『』]+",
    re.IGNORECASE,
)
#: Watch Later and the history: https://developers.google.com/youtube/v3/revision_history#september-15,-2016
_REFUSED = ("WL", "HL")
WATCH_LATER = (
    "YouTube shows Watch Later and the history to no other program. Add the videos to a playlist of "
    "your own and index that."
)
_MIX = (
    "This is a mix. YouTube makes it anew for each viewer and shows it to no other program. Save its videos"
    " to a playlist of your own, and index that."
)
_QUEUE = (
    "This is a queue, which only your own browser knows. Save it as a playlist at YouTube, and index that."
)
#: Lists that exist for one viewer only, by the beginning of their ids.
_PASSING = {"RD": _MIX, "UL": _MIX, "TL": _QUEUE}
_SHELL = (
    "If it was longer when you copied it, your shell has cut it off at the &: put the address in quotes."
    " Otherwise, open the playlist at YouTube and copy the address of that page."
)


def is_refused(playlist_id: str) -> bool:
    """Whether YouTube shows this playlist to no program, not even in its owner's name."""
    return playlist_id in _REFUSED


def parse_playlist_id(text: object) -> str:
    """The id in a playlist id or a YouTube address. That of a channel is reduced to its uploads.

    Raises:
        BadRequest: says what was expected, what was found, and what to do.
    """
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"{_EXPECTED}; found nothing.")
    if len(text) > _LONGEST:
        raise BadRequest(f"{_EXPECTED}; found {len(text):,} characters.")
    return _classified(_found(_unwrapped(text)))


def _unwrapped(text: str) -> str:
    """The text without what mails, shells, web pages and Markdown put around or into an address."""
    link = re.search(r"\]\(\s*<?([^\s)>]+)", text)
    address = re.sub(
        r"\\(?:u00|x)(26|2f|3d|3f)", lambda code: chr(int(code[1], 16)), link[1] if link else text
    )
    # An escaped end of a line, and what shells escape.
    address = re.sub(r"\\[nrt]", " ", address).replace("\\", "")
    address = re.sub(
        r"&(?:[a-z]+|#\d+|#x[0-9a-f]+);", lambda code: unescape(code[0]), address, flags=re.IGNORECASE
    )
    address = address.strip(
        " \t\r\n\u200b\ufeff\u00a0\"'`“”„‘’«»‹›<>()[]{}（）【】「」『』《》*~.,;:!…。，、！"
    )
    # A question mark may begin a part of an address, and an id may end with an underscore.
    return re.sub(r"^(_+)(https?:.*)\1$", r"\2", address.rstrip("?？"))


def _found(text: str) -> str:
    """What stands where the id should be. Raises BadRequest when there is no such place."""
    if _ID.fullmatch(text):
        return text
    address = "" if re.search(r"\s", text) else text
    if _QUERY.match(address):
        address = f"https://www.youtube.com/?{address.lstrip('?&')}"
    elif _PATH.match(address):
        address = f"https://www.youtube.com/{address.lstrip('/')}"
    for _ in range(_NESTING):
        if (found := _in_address(address, _NESTING)) is not None:
            return found
        address = unquote(address)
    several = {_in_address(each.removeprefix("//"), _NESTING) for each in _WITHIN.findall(text)} - {None}
    if len(several) > 1:
        raise BadRequest(f"{_EXPECTED}; found {len(several)} playlists. Index one after the other.")
    if several and (only := several.pop()) is not None:
        return only
    raise BadRequest(_nothing_in(text))


def _in_address(text: str, depth: int) -> str | None:
    """The id in an address, or in an address within its parameters, as consent and redirect pages have it."""
    parts = _split(text)
    if parts is None:
        return None
    parameters = parse_qs(parts.query)
    ours = _HOSTS.fullmatch(_host(parts)) is not None
    if ours:
        if "?" not in text and "&" in parts.path:
            # Somebody has taken off the first parameter.
            parameters = parse_qs(parts.path.partition("&")[2])
        path = parts.path.strip("/").split("/")
        names = ["list", *_OTHER_PARAMETERS.get(path[0], ())]
        if (name := next((name for name in names if name in parameters), None)) is not None:
            return _TAIL.sub("", parameters[name][0])
        if path[0] in ("playlist", "browse", "channel") and len(path) > 1:
            return path[1]
    if depth == 0:
        return None
    values = [value for several in parameters.values() for value in several] + [parts.fragment] * ours
    inner = (f"https://www.youtube.com{each}" if ours and each.startswith("/") else each for each in values)
    return next((found for each in inner if (found := _in_address(each, depth - 1))), None)


def _split(text: str) -> SplitResult | None:
    """An http address in parts. It may be pasted without its scheme. None for anything else."""
    has_scheme = re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE)
    try:
        parts = urlsplit(text if has_scheme else f"https://{text}")
        _ = parts.hostname
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") else None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").lower().removesuffix(".")


def _nothing_in(text: str) -> str:
    """Says why there is no playlist in a text."""
    parts = _split(text)
    host = _host(parts) if parts else ""
    if parts is None or not _HOSTS.fullmatch(host):
        return f"{_EXPECTED}; found {text[:100]!r}, which is neither."
    path = parts.path.strip("/")
    if path.startswith(("@", "c/", "user/")):
        return (
            "This address names a channel by its name; it names no playlist. Paste the address of one of its"
            " playlists, or the channel's id (UC…), which YouTube shows under About, Share channel."
        )
    if host.endswith("youtu.be") or path.split("/")[0] in ("watch", "shorts", "live", "embed", "v"):
        return f"This address names one video; it names no playlist. {_SHELL}"
    return f"This address names no playlist. {_SHELL}"


def _classified(found: str) -> str:
    """The id of a playlist that YouTube can list. Raises BadRequest."""
    playlist_id = _WRAPPED.sub("", found, count=1)
    if _ID.fullmatch(playlist_id):
        if playlist_id.startswith("UC"):
            # The uploads of a channel: https://developers.google.com/youtube/v3/guides/implementation/videos
            playlist_id = f"UU{playlist_id[2:]}"
        if playlist_id in _REFUSED:
            return playlist_id
        is_long = playlist_id.startswith("PL") or len(playlist_id) >= _LEAST
        if playlist_id in _WHOLE or (
            playlist_id.startswith(_PLAYLISTS) and is_long and not _WORD.fullmatch(playlist_id)
        ):
            return playlist_id
        if (reason := _PASSING.get(playlist_id[:2])) is not None:
            raise BadRequest(reason)
    raise BadRequest(f"{_EXPECTED}; found {found[:100]!r}, which is no playlist id.")
