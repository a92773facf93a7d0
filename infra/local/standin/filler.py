"""The bulk of YouTube's answers, which nobody reads: right in size, and right in size when compressed.

Measured on the real ones: a watch page is 1.0 MB and 237 KB gzipped, a player answer 110 to 198 KB and
21 to 35 KB gzipped.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache

from infra.local.standin.model import LANGUAGE_NAMES
from infra.local.standin.wire import Prefix

_WATCH_BYTES = 1_000_000
#: One of these is given to each video, by its id.
_PLAYER_BYTES = (110_000, 123_000, 135_000, 148_000, 160_000, 173_000, 186_000, 195_000)


def _noise(label: str, length: int) -> str:
    """Text that does not compress below three quarters, as signatures and tracking parameters."""
    return base64.urlsafe_b64encode(hashlib.shake_256(label.encode()).digest(length * 3 // 4 + 3)).decode()[
        :length
    ]


@cache
def watch_head() -> Prefix:
    renderers: list[str] = []
    size = 0
    while size < _WATCH_BYTES:
        k = len(renderers)
        renderers.append(
            '{"compactVideoRenderer":{"videoId":"%s","thumbnail":{"thumbnails":[{"url":"https://i.ytimg.com/vi/%s/'
            'hqdefault.jpg","width":168,"height":94}]},"title":{"accessibility":{"accessibilityData":{"label":"Video'
            ' number %d"}},"simpleText":"Video number %d"},"navigationEndpoint":{"clickTrackingParams":"%s",'
            '"commandMetadata":{"webCommandMetadata":{"url":"/watch?v=%s","webPageType":"WEB_PAGE_TYPE_WATCH",'
            '"rootVe":3832}},"watchEndpoint":{"videoId":"%s","nofollow":true,"params":"%s"}},"trackingParams":"%s",'
            '"menu":{"menuRenderer":{"items":[{"menuServiceItemRenderer":{"text":{"runs":[{"text":"Add to queue"}]},'
            '"icon":{"iconType":"ADD_TO_QUEUE_TAIL"},"serviceEndpoint":{"signalServiceEndpoint":{"signal":'
            '"CLIENT_SIGNAL","actions":[{"addToPlaylistCommand":{"openMiniplayer":true}}]}}}}]}}}}'
            % (
                _noise(f"w1/{k}", 11), _noise(f"w1/{k}", 11), k, k, _noise(f"w2/{k}", 130),
                _noise(f"w1/{k}", 11), _noise(f"w1/{k}", 11), _noise(f"w3/{k}", 40), _noise(f"w4/{k}", 90),
            )
        )  # fmt: skip
        size += len(renderers[-1]) + 1
    return Prefix(
        (
            '<!DOCTYPE html><html lang="en" system-icons typography><head><meta charset="utf-8">'
            '<script nonce="-">var ytInitialData = {"contents":[' + ",".join(renderers) + "]};</script>"
        ).encode()
    )


def _format(k: int, variant: int) -> str:
    signature = _noise(f"p{variant}/{k}", 205)
    return (
        '{"itag":%d,"url":"https://rr3---sn-4g5ednsl.googlevideo.com/videoplayback?expire=1893456000&ei=%s&ip=0.0.0.0'
        "&id=o-%s&source=youtube&requiressl=yes&xpc=EgVo2aDSNQ%%3D%%3D&mh=aP&mm=31%%2C29&mn=sn-4g5ednsl%%2Csn-4g5lznes"
        "&ms=au%%2Crdu&mv=m&mvi=3&pl=24&initcwndbps=3383750&siu=1&bui=%s&spc=%s&vprv=1&svpuc=1&mime=video%%2Fmp4"
        "&ns=%s&rqh=1&gir=yes&clen=%d&dur=861.594&lmt=1707700000000000&mt=1707740000&fvip=5&keepalive=yes&fexp=24007246"
        "&c=ANDROID&txp=5535434&sparams=expire%%2Cei%%2Cip%%2Cid%%2Csource%%2Crequiressl%%2Cxpc%%2Csiu%%2Cbui%%2Cspc"
        '&sig=%s","mimeType":"video/mp4; codecs=\\"avc1.640028\\"","bitrate":%d,"width":1920,"height":1080,"initRange":'
        '{"start":"0","end":"740"},"indexRange":{"start":"741","end":"2812"},"lastModified":"1707700000000000",'
        '"contentLength":"%d","quality":"hd1080","fps":30,"qualityLabel":"1080p","projectionType":"RECTANGULAR",'
        '"averageBitrate":%d,"colorInfo":{"primaries":"COLOR_PRIMARIES_BT709"},"approxDurationMs":"861594"}'
        % (
            k + 130, signature[:22], signature[22:66], signature[66:90], signature[90:104], signature[104:124],
            k * 7919 + 100_000, signature[124:], k * 997 + 70_000, k * 7919 + 100_000, k * 887 + 65_000,
        )
    )  # fmt: skip


@cache
def translation_languages() -> str:
    languages = [
        {"languageCode": code, "languageName": {"runs": [{"text": name}]}}
        for code, name in LANGUAGE_NAMES.items()
        if "-" not in code or code.startswith("zh")
    ]
    return json.dumps(languages, separators=(",", ":"))


@cache
def player_head(variant: int) -> Prefix:
    """An open JSON object: what follows is one more member and the closing brace."""
    parts = [
        '{"responseContext":{"visitorData":"CgtTdGFuZC1pbg%3D%3D","serviceTrackingParams":[{"service":"GFEEDBACK",'
        '"params":[{"key":"ipcc","value":"0"},{"key":"is_alc_surface","value":"false"}]}]},'
        '"streamingData":{"expiresInSeconds":"21540","adaptiveFormats":['
    ]
    size, k = len(parts[0]), 0
    while size < _PLAYER_BYTES[variant]:
        each = ("," if k else "") + _format(k, variant)
        parts.append(each)
        size, k = size + len(each), k + 1
    parts.append("]},")
    return Prefix("".join(parts).encode())


def player_head_of(video_id: str) -> Prefix:
    return player_head(sum(video_id.encode()) % len(_PLAYER_BYTES))
