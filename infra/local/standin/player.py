"""The player's answer and its caption tracks: POST /youtubei/v1/player, GET /api/timedtext."""

from __future__ import annotations

import hashlib
import html
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from infra.local.standin import fieldmask, filler, playability
from infra.local.standin.fieldmask import Mask
from infra.local.standin.model import NO_CAPTIONS, OK, Line, Track, Video
from infra.local.standin.playability import Playability
from infra.local.standin.wire import JSON, XML, BytesCache, Prefix, Reply, gzipped

#: As YouTube's own, given to everybody in the watch page.
INNERTUBE_KEY = "AIzaSyStandIn_0000000000000000000000000"
_URL_SECONDS = 6 * 3_600
#: Characters that XML 1.0 cannot carry, whatever the escaping (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
#: Allowed in XML, and hardly ever in a line.
_SEPARATOR = "\x85\n"
#: Members that come with the head of an answer, or with everything.
_OF_HEADS = frozenset({"responseContext", "streamingData", "*"})
_UNPLAYABLE_HEAD = Prefix(b'{"responseContext":{},')
_TRANSCRIPT_HEAD = '<?xml version="1.0" encoding="utf-8" ?><transcript>'


def wrong_key() -> Reply:
    return invalid("API key not valid. Please pass a valid API key.")


def invalid(message: str) -> Reply:
    error = {
        "code": 400,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": "badRequest"}],
        "status": "INVALID_ARGUMENT",
    }
    return Reply(400, JSON, json.dumps({"error": error}).encode())


def says(video: Video | None) -> Playability | None:
    """Why the video does not play, or None if it does."""
    if video is None:
        return playability.of("unavailable")
    if video.status in (OK, NO_CAPTIONS):
        return None
    return playability.of(video.status, video.reason)


def answer(
    video_id: str,
    video: Video | None,
    gzip: bool,
    unplayable: Playability | None = None,
    captions: bool = True,
    po_token: bool = False,
    mask: Mask | None = None,
) -> Reply:
    """`unplayable`, `captions`, `po_token`: as a fault wants it; otherwise what the video is.

    `mask`: what of the answer is wanted, None for all of it.
    """
    unplayable = unplayable or says(video)
    if unplayable is not None:
        head, members = _UNPLAYABLE_HEAD, {"playabilityStatus": playability.as_json(unplayable)}
    else:
        assert video is not None
        head = filler.player_head_of(video_id)
        tracks = video.tracks if captions and video.status != NO_CAPTIONS else ()
        members = _playable(video, tracks, po_token)
    if mask is not None:
        # What the head has is large, and hardly ever wanted.
        whole = json.loads(head.data + _json(members)[1:]) if mask.keys() & _OF_HEADS else members
        body = _json(fieldmask.apply(mask, whole))
        return Reply(200, JSON, body, gzipped(body) if gzip else None)
    # The head is an object that was begun.
    plain, packed = head.plus(_json(members)[1:], gzip)
    return Reply(200, JSON, plain, packed)


def _playable(video: Video, tracks: Sequence[Track], po_token: bool) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if tracks:
        members["captions"] = {
            "playerCaptionsTracklistRenderer": {
                "captionTracks": [_track(video.id, each, po_token) for each in tracks],
                "translationLanguages": filler.translation_languages(),
                "defaultAudioTrackIndex": 0,
            }
        }
    return members | {
        "playabilityStatus": {"status": "OK", "playableInEmbed": True, "contextParams": "Q0FFU0FnZ0I="},
        "videoDetails": {
            "videoId": video.id,
            "title": video.title,
            "lengthSeconds": str(video.duration),
            "channelId": video.channel.id,
            "shortDescription": video.description,
            "viewCount": str(video.views),
            "author": video.channel.title,
            "isPrivate": False,
            "isLiveContent": False,
        },
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _track(video_id: str, track: Track, po_token: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "baseUrl": timedtext_url(video_id, track, po_token),
        "name": {"runs": [{"text": track.name}]},
        "vssId": f"{'a' if track.generated else ''}.{track.language}",
        "languageCode": track.language,
        "isTranslatable": True,
        "trackName": "",
    }
    if track.generated:
        described["kind"] = "asr"
    return described


def _signature(video_id: str, language: str, kind: str, expire: str) -> str:
    return (
        hashlib.blake2b(f"{video_id}/{language}/{kind}/{expire}".encode(), digest_size=20).hexdigest().upper()
    )


def timedtext_url(video_id: str, track: Track, po_token: bool = False) -> str:
    expire, kind = str(int(time.time()) + _URL_SECONDS), "asr" if track.generated else ""
    query = {"v": video_id, "caps": "asr", "opi": "112496729", "hl": "en", "ip": "0.0.0.0", "ipbits": "0"}  # noqa: S104
    if po_token:
        query["exp"] = "xpe"
    query |= {
        "expire": expire,
        "sparams": "ip,ipbits,expire,v,caps,opi",
        "signature": _signature(video_id, track.language, kind, expire),
        "key": "yt8",
    }
    query |= {"kind": kind, "lang": track.language} if kind else {"lang": track.language}
    return "https://www.youtube.com/api/timedtext?" + urlencode(query) + "&fmt=srv3"


class TimedText:
    """Serves what :func:`timedtext_url` points to; bodies once made are kept until there are too many."""

    def __init__(self, capacity: int = 160_000_000) -> None:
        self._bodies = BytesCache(capacity)

    def forget(self) -> None:
        """To be called when videos change."""
        self._bodies.clear()

    def answer(self, video: Video | None, query: Mapping[str, str], gzip: bool) -> Reply:
        """404 for a track that is not there, or an address that is not signed or too old."""
        language, kind, expire = query.get("lang", ""), query.get("kind", ""), query.get("expire", "")
        track = find_track(video, language, kind)
        if (
            video is None
            or track is None
            or query.get("signature") != _signature(video.id, language, kind, expire)
            or int(expire) < time.time()
        ):
            return Reply(404, "text/html; charset=UTF-8", b"")
        if query.get("exp") == "xpe" and "pot" not in query:
            return Reply(200, XML, b"")
        body = self._body(video.id, track, query.get("tlang", ""), gzip)
        return Reply(200, XML, b"" if gzip else body, body if gzip else None)

    def prepare(self, video: Video) -> None:
        """Makes beforehand what will be asked for."""
        for track in video.tracks:
            self._body(video.id, track, "", gzip=True)

    def _body(self, video_id: str, track: Track, target: str, gzip: bool) -> bytes:
        key = (video_id, track.language, track.generated, target, gzip)
        body = self._bodies.get(key)
        if body is None:
            body = document(track.lines(), target)
            body = gzipped(body) if gzip else body
            self._bodies.put(key, body)
        return body


def find_track(video: Video | None, language: str, kind: str) -> Track | None:
    tracks = video.tracks if video is not None else ()
    return next((t for t in tracks if t.language == language and t.generated == (kind == "asr")), None)


def document(lines: Sequence[Line], translated_to: str = "") -> bytes:
    """The XML of a track: the text is HTML, and that again is escaped, as YouTube does it."""
    mark = f"[{translated_to}] " if translated_to else ""
    texts = [mark + line.text for line in lines]
    # All at once, or line by line if one of them would be cut in two.
    text = _SEPARATOR.join(texts)
    escaped = _escaped(text).split(_SEPARATOR) if lines else []
    if len(escaped) != len(texts):
        escaped = [_escaped(each) for each in texts]
    rows = [
        f'<text start="{start}" dur="{duration}">{each}</text>'
        for (start, duration, _), each in zip(lines, escaped, strict=True)
    ]
    return (_TRANSCRIPT_HEAD + "".join(rows) + "</transcript>").encode()


def _escaped(text: str) -> str:
    text = html.escape(_NOT_XML.sub("", text), quote=False)
    return text.replace('"', "&quot;").replace("'", "&#39;").replace("&", "&amp;")
