"""GET /api/timedtext: the lines of a caption track as XML."""

from __future__ import annotations

import hashlib
import html
import re
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from infra.local.fake_youtube.library.model import Line, Track, Video
from infra.local.fake_youtube.replies import XML, BytesCache, Reply, compress

_URL_SECONDS = 6 * 3_600
_SPEECH_RECOGNITION = "asr"
#: Characters that XML 1.0 cannot hold even when escaped (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
#: XML allows it, and hardly any line has it.
_SEPARATOR = "\x85\n"
#: Tags that format captions, and the times of words.
_FORMAT = re.compile(r"(</?(?:b|i|u|c|font|ruby|rt)(?:[ .][^<>]*)?>|<\d\d:\d\d:\d\d\.\d{3}>)")
_DOCUMENT_START = '<?xml version="1.0" encoding="utf-8" ?><transcript>'


def signed_url(video_id: str, track: Track, po_token: bool = False) -> str:
    """The URL of a track, as the player gives it. `po_token`: it answers only with a token."""
    expire, kind = str(int(time.time()) + _URL_SECONDS), _kind(track)
    query = {"v": video_id, "caps": "asr", "opi": "112496729", "hl": "en", "ip": "0.0.0.0", "ipbits": "0"}  # noqa: S104
    if po_token:
        query["exp"] = "xpe"
    query |= {
        "expire": expire,
        "sparams": "ip,ipbits,expire,v,caps,opi",
        "signature": _signature(video_id, track.language, kind, track.own_name, expire),
        "key": "yt8",
    }
    query |= {"kind": kind, "lang": track.language} if kind else {"lang": track.language}
    if track.own_name:
        query["name"] = track.own_name
    return "https://www.youtube.com/api/timedtext?" + urlencode(query) + "&fmt=srv3"


def _kind(track: Track) -> str:
    return _SPEECH_RECOGNITION if track.generated else ""


def _signature(video_id: str, language: str, kind: str, name: str, expire: str) -> str:
    signed = f"{video_id}/{language}/{kind}/{name}/{expire}".encode("utf-8", "replace")
    return hashlib.blake2b(signed, digest_size=20).hexdigest().upper()


class TimedText:
    """Answers the URLs of :func:`signed_url`. It caches the bodies that it has made."""

    def __init__(self, capacity: int = 160_000_000) -> None:
        """`capacity`: bytes of the cache."""
        self._bodies = BytesCache(capacity)

    def clear(self) -> None:
        """Empties the cache. To be called when videos have changed."""
        self._bodies.clear()

    def answer(self, video: Video | None, query: Mapping[str, str], gzip: bool) -> Reply:
        """404 if the track does not exist, the signature is wrong, or the URL has expired."""
        language, kind, expire = query.get("lang", ""), query.get("kind", ""), query.get("expire", "")
        name = query.get("name", "")
        track = _find_track(video, language, kind, name)
        if (
            video is None
            or track is None
            or query.get("signature") != _signature(video.id, language, kind, name, expire)
            or int(expire) < time.time()
            or track.fault == "missing"
        ):
            return Reply(404, "text/html; charset=UTF-8", b"")
        if track.fault == "empty" or (query.get("exp") == "xpe" and "pot" not in query):
            return Reply(200, XML, b"")
        if track.fault == "broken":
            whole = document(track.lines())
            return Reply(200, XML, whole[: len(whole) // 2])
        body = self._body(video.id, track, query.get("tlang", ""), gzip)
        return Reply(200, XML, b"" if gzip else body, body if gzip else None)

    def prepare(self, video: Video) -> None:
        """Fills the cache with the tracks of the video."""
        for track in video.tracks:
            self._body(video.id, track, "", gzip=True)

    def _body(self, video_id: str, track: Track, translated_to: str, gzip: bool) -> bytes:
        key = (video_id, track.language, track.generated, track.own_name, translated_to, gzip)
        body = self._bodies.get(key)
        if body is None:
            body = document(track.lines(), translated_to)
            body = compress(body) if gzip else body
            self._bodies.put(key, body)
        return body


def _find_track(video: Video | None, language: str, kind: str, name: str) -> Track | None:
    tracks = video.tracks if video is not None else ()
    wanted = language, kind == _SPEECH_RECOGNITION, name
    return next((t for t in tracks if (t.language, t.generated, t.own_name) == wanted), None)


def document(lines: Sequence[Line], translated_to: str = "") -> bytes:
    """The XML of a track. As YouTube does it, the text is HTML, which is escaped once more for XML.

    Tags that format captions are HTML's; any other bracket is text.

    `translated_to`: a language code, which then stands before each line in place of a real translation.
    """
    mark = f"[{translated_to}] " if translated_to else ""
    texts = [mark + line.text for line in lines]
    # One call for all lines is quick. A line that contains the separator makes it one call for each line.
    escaped = _escape(_SEPARATOR.join(texts)).split(_SEPARATOR) if lines else []
    if len(escaped) != len(texts):
        escaped = [_escape(text) for text in texts]
    rows = [
        f'<text start="{start}" dur="{duration}">{text}</text>'
        for (start, duration, _), text in zip(lines, escaped, strict=True)
    ]
    return (_DOCUMENT_START + "".join(rows) + "</transcript>").encode()


def _escape(text: str) -> str:
    parts = _FORMAT.split(_NOT_XML.sub("", text))
    # Every other part is a tag.
    parts[::2] = [_escape_text(part) for part in parts[::2]]
    return html.escape("".join(parts), quote=False)


def _escape_text(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&quot;").replace("'", "&#39;")
