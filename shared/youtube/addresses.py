"""Says what a text names that a person pastes: a playlist, a channel or a video. Nothing else of it is used.

Three steps: take off what stands around an address, find the id in it, and say what kind of id that is. Only
then, a longer text is searched for one address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Literal
from unicodedata import normalize
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from shared.errors import BadRequest
from shared.video_address import is_video_id, video_in_address

_ID = re.compile(r"[A-Za-z0-9_-]{2,80}")
_HOSTS = re.compile(r"([a-z0-9-]+\.)*(youtube\.com|youtube-nocookie\.com|youtu\.be)")
_EXPECTED = "Expected a playlist, a channel or a video: its id, its address at YouTube, or @handle"
NOTHING = f"{_EXPECTED}; found nothing."
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
#: Characters of the id of a channel, and of the playlist of its uploads.
_UPLOADS = 24
#: Where else than in list= the id is, by the first part of the path.
_OTHER_PARAMETERS = {
    "feeds": ("playlist_id", "channel_id"),
    "view_play_list": ("p",),
    "embed": ("channel",),
}
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
SHELL = (
    "If it was longer when you copied it, your shell has cut it off at the &: put the address in quotes."
    " Otherwise, open the playlist at YouTube and copy the address of that page."
)
#: A word of eleven letters is hardly the id of a video.
_PLAIN_WORD = re.compile(r"[A-Za-z][a-z]{10}|[A-Z]{11}")
_HANDLE = re.compile(r"@([^\s/?#@&=%<>\"'\\]{1,100})")
#: A page of a channel, in its address.
_TAB = re.compile(r"/(?:@[^/]+|(?:channel|user)/[^/]+)/(videos|shorts|streams)(?![^/?#])", re.IGNORECASE)
#: Pages that name no video, playlist or channel, by the first part of the path, and what to do instead.
_PAGES = {
    "clip": "This is a clip. Open it at YouTube, and copy the address of the whole video with Share.",
    "post": "This is a post of a channel. Copy the address of the video that it shows, or of the channel.",
    "results": "This is a search at YouTube. Copy the addresses of the videos or playlists that it found.",
    "hashtag": "This is a search at YouTube. Copy the addresses of the videos or playlists that it found.",
    "feed": (
        "This page of YouTube is made for you alone, and no other program sees it. Your own playlists and"
        " subscriptions are listed here after you sign in; for the history, use Google Takeout."
    ),
}
_WITHOUT_VIDEO = ("watch", "shorts", "live", "embed", "v")
#: First parts of paths that are no names of channels.
_KNOWN_PATHS = {
    *_PAGES,
    *_WITHOUT_VIDEO,
    "",
    "playlist",
    "browse",
    "channel",
    "user",
    "c",
    "redirect",
    "m",
    "ml",
}


def is_refused(playlist_id: str) -> bool:
    """Whether YouTube shows this playlist to no program, not even in its owner's name."""
    return playlist_id in _REFUSED


@dataclass(frozen=True, slots=True)
class Named:
    """What a text names. ``id``: of a playlist, a channel (UC…) or a video, or the name of a channel.

    ``handle`` and ``user`` are channels whose id only YouTube knows. ``tab``: the page of the channel:
    videos, shorts, streams, or empty.
    """

    kind: Literal["playlist", "channel", "handle", "user", "video"]
    id: str
    tab: str = ""

    @property
    def playlist_id(self) -> str:
        """Of a playlist or a channel: the id under which it is listed."""
        return uploads_of(self.id) if self.kind == "channel" else self.id


def uploads_of(channel_id: str) -> str:
    """The playlist of a channel's uploads.

    https://developers.google.com/youtube/v3/guides/implementation/videos
    """
    return f"UU{channel_id[2:]}"


def channel_of(uploads: str) -> str:
    """The inverse of :func:`uploads_of`."""
    return f"UC{uploads[2:]}"


def is_uploads(playlist_id: str) -> bool:
    """Whether these are the uploads of a channel."""
    return playlist_id.startswith("UU") and len(playlist_id) == _UPLOADS


def classify(text: object) -> Named:
    """What a text names. An address with v= and list= names the playlist. YouTube is not asked.

    Raises:
        BadRequest: it names nothing, or something that YouTube shows to no program. Says what was found and
            what to do.
    """
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(NOTHING)
    if len(text) > _LONGEST:
        raise BadRequest(f"{_EXPECTED}; found {len(text):,} characters.")
    address = _unwrapped(text)
    if _ID.fullmatch(address):
        if is_video_id(address) and not address.startswith("PL") and not _PLAIN_WORD.fullmatch(address):
            return Named("video", address)
        return _listed(address)
    if (found := _found(address)) is not None:
        return _listed(found, _tab(address))
    several = {named for each in _addresses(address) if (named := _named(each)) is not None}
    if len(several) > 1:
        raise BadRequest(f"{_EXPECTED}; found {len(several)} of them. Put each into a line of its own.")
    if several:
        return several.pop()
    raise BadRequest(_nothing_in(address))


def split(text: str) -> list[str]:
    """The lines of a text. A line with several addresses or ids is one text for each of them."""
    return [each for line in text.splitlines() if line.strip() for each in _split_line(line.strip())]


def _split_line(line: str) -> list[str]:
    addresses = _WITHIN.findall(line)
    words = re.split(r"[\s,;]+", line.strip(" \t,;"))
    if len(addresses) > 1:
        return addresses
    if not addresses and len(words) > 1 and all(map(_is_short_name, words)):
        return words
    return [line]


def _is_short_name(word: str) -> bool:
    try:
        return classify(word) is not None
    except BadRequest:
        return False


def _addresses(text: str) -> list[str]:
    return _WITHIN.findall(text) if re.search(r"\s", text) else [text]


def _listed(found: str, tab: str = "") -> Named:
    """Of an id that stands where a playlist's or a channel's should be. Raises BadRequest."""
    playlist_id = _classified(found)
    if is_uploads(playlist_id):
        return Named("channel", channel_of(playlist_id), tab)
    return Named("playlist", playlist_id)


def _named(text: str) -> Named | None:
    """A video or a channel by its name. None if the text names neither.

    Raises:
        BadRequest: YouTube does not tell a program which channel has this name.
    """
    if (video_id := video_in_address(text)) is not None:
        return Named("video", video_id)
    parts = _split(text)
    path = [unquote(each) for each in parts.path.strip("/").split("/")] if parts else []
    if text.startswith("@"):
        path = [unquote(each) for each in text.split("/")]
    elif parts is None or not _HOSTS.fullmatch(_host(parts)):
        return None
    if handle := _HANDLE.fullmatch(path[0]):
        name = normalize("NFC", handle[1])
        return Named("handle", name, _tab(f"/{text}")) if name.isprintable() else None
    if path[0].lower() == "user" and len(path) > 1 and re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", path[1]):
        return Named("user", path[1], _tab(text))
    custom = path[1] if path[0].lower() == "c" and len(path) > 1 else path[0]
    is_custom = custom != path[0] or (len(path) == 1 and custom.lower() not in _KNOWN_PATHS)
    if is_custom and re.fullmatch(r"[\w.-]{1,100}", custom):
        raise BadRequest(
            f"YouTube does not tell a program which channel is called {custom!r}. Open the channel, and copy"
            " its handle, which begins with @, or its id (UC…) under About, Share channel."
        )
    return None


def _tab(address: str) -> str:
    found = _TAB.search(address)
    return found[1].lower() if found else ""


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


def _found(text: str) -> str | None:
    """What stands where the id of a playlist or channel should be. None when there is no such place.

    Raises:
        BadRequest: there are several.
    """
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
        raise BadRequest(f"{_EXPECTED}; found {len(several)} playlists. Put each into a line of its own.")
    return several.pop() if several else None


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
    """Says why a text names nothing, and what to do."""
    parts = _split(text)
    host = _host(parts) if parts else ""
    if parts is None or not _HOSTS.fullmatch(host):
        return f"{_EXPECTED}; found {text[:100]!r}, which is none of these."
    path = parts.path.strip("/").split("/")[0].lower()
    if path in _PAGES:
        return _PAGES[path]
    if host.endswith("youtu.be") or path in _WITHOUT_VIDEO:
        return "This address names no video. Open the video at YouTube, and copy its address with Share."
    return f"This address names no playlist. {SHELL}"


def _classified(found: str) -> str:
    """The id of a playlist that YouTube can list. Raises BadRequest."""
    playlist_id = _WRAPPED.sub("", found, count=1)
    if _ID.fullmatch(playlist_id):
        if playlist_id.startswith("UC"):
            playlist_id = uploads_of(playlist_id)
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
