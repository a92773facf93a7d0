"""What a struck request is answered with, and in what manner it is sent."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from aiohttp import web

from infra.local.standin import api_errors, playability, watch
from infra.local.standin.api_errors import ApiError
from infra.local.standin.faults import Rule
from infra.local.standin.playability import UNPLAYABLE, Playability
from infra.local.standin.wire import (
    GZIP_HEADER,
    JSON,
    XML,
    Reply,
    deflated,
    gzipped,
    html_reply,
    json_reply,
)

_SORRY = (
    "<html><head><title>Sorry...</title></head><body>We're sorry, but your computer may be sending "
    "automated queries.</body></html>"
)
#: What was sent, and how many bytes of it.
Sent = tuple[web.StreamResponse, int]
_MEGABYTE = 1_000_000
_DRIPS = 20


@dataclass(frozen=True, slots=True)
class PlayerTwist:
    """How a sound player answer is changed."""

    unplayable: Playability | None = None
    captions: bool = True
    po_token: bool = False


def player_twist(rule: Rule) -> PlayerTwist | None:
    """For the kinds that only change what the player says."""
    if rule.kind == "captions_disabled":
        return PlayerTwist(captions=False)
    if rule.kind == "po_token":
        return PlayerTwist(po_token=True)
    if rule.kind in UNPLAYABLE:
        return PlayerTwist(playability.of(rule.kind, rule.reason, rule.subreason))
    return None


def blocked(kind: str, endpoint: str) -> Reply:
    """What an address that is flagged gets: ``429``, or what ``bot`` looks like on that endpoint."""
    if kind == "bot" and endpoint == "watch":
        return html_reply(watch.captcha())
    return html_reply(_SORRY, 429)


def api_error(rule: Rule) -> ApiError:
    made: dict[str, Callable[[], ApiError]] = {
        "quota_exceeded": api_errors.quota_exceeded,
        "rate_limit_exceeded": api_errors.rate_limit_exceeded,
        "key_invalid": api_errors.key_invalid,
        "auth_error": api_errors.invalid_token,
        "forbidden": api_errors.forbidden,
        "insufficient_scope": api_errors.insufficient_scope,
        "access_not_configured": api_errors.access_not_configured,
        "playlist_not_found": api_errors.playlist_not_found,
        "429": api_errors.rate_limit_exceeded,
    }
    return made[rule.kind]() if rule.kind in made else api_errors.backend_error(rule.status or 503)


def reply(rule: Rule, endpoint: str, gzip: bool, cookie: str, sound: Callable[[], Reply]) -> Reply:
    """The answer of a rule whose kind is about the answer, not about how it is sent."""
    if endpoint == "data_api" and rule.kind not in ("empty", "garbage", "truncated"):
        error = api_error(rule)
        return json_reply(error.body(), gzip, error.code, error.headers)
    if rule.kind == "5xx":
        return html_reply("<html><title>Error</title><p>Server Error</p></html>", rule.status or 503)
    if rule.kind == "empty":
        return replace(sound(), plain=b"", gzipped=None)
    if rule.kind == "garbage":
        return Reply(200, JSON if endpoint != "timedtext" else XML, b'<html><body>{"not": what, you expected')
    if rule.kind == "truncated":
        whole = sound()
        part = plain_of(whole)[: len(plain_of(whole)) // 2]
        return replace(whole, plain=part, gzipped=gzipped(part) if gzip else None)
    if rule.kind == "consent":
        if "CONSENT=YES+" in cookie and not rule.forever:
            return sound()
        return html_reply(watch.consent())
    return blocked("bot" if rule.kind == "recaptcha" else rule.kind, endpoint)


def plain_of(whole: Reply) -> bytes:
    return whole.plain if whole.gzipped is None else zlib.decompress(whole.gzipped, 31)


async def send_slowly(request: web.BaseRequest, whole: Reply, seconds: float) -> Sent:
    """In small pieces over so many seconds: no single read of the client's takes long."""
    body = whole.gzipped if whole.gzipped is not None else whole.plain
    response = _stream(whole)
    response.content_length = len(body)
    await response.prepare(request)
    step = max(1, -(-len(body) // _DRIPS))
    for at in range(0, len(body), step):
        await response.write(body[at : at + step])
        await asyncio.sleep(seconds / _DRIPS)
    await response.write_eof()
    return response, len(body)


async def send_half(request: web.BaseRequest, whole: Reply) -> Sent:
    """Half of what is announced, then the connection is gone."""
    body = whole.gzipped if whole.gzipped is not None else whole.plain
    response = _stream(whole)
    response.content_length = max(2, len(body))
    await response.prepare(request)
    half = body[: len(body) // 2]
    await response.write(half)
    if request.transport is not None:
        request.transport.close()
    return response, len(half)


async def send_huge(request: web.BaseRequest, endpoint: str, megabytes: int, gzip: bool) -> Sent:
    """A well-formed answer of so many megabytes; compressed it is a thousandth of that."""
    kind, head, middle, tail = {
        "timedtext": (
            XML,
            b"<transcript>",
            b'<text start="1.0" dur="3.0">on and on it goes</text>\n',
            b"</transcript>",
        ),
        "player": (JSON, b'{"playabilityStatus":{"status":"OK"},"on":["', b"and on it goes ", b'"]}'),
        "data_api": (JSON, b'{"items":[],"on":["', b"and on it goes ", b'"]}'),
    }.get(endpoint, ("text/html", b"<html><body>", b"<p>on and on it goes</p>\n", b"</body></html>"))
    response = web.StreamResponse(headers={"Content-Type": kind})
    if gzip:
        response.headers["Content-Encoding"] = "gzip"
    await response.prepare(request)
    sent = 0
    async for piece in _pieces(head, middle * (_MEGABYTE // len(middle)), tail, megabytes, gzip):
        await response.write(piece)
        sent += len(piece)
    await response.write_eof()
    return response, sent


async def _pieces(head: bytes, megabyte: bytes, tail: bytes, count: int, gzip: bool) -> AsyncIterator[bytes]:
    if not gzip:
        yield head
        for _ in range(count):
            yield megabyte
        yield tail
        return
    packed, crc = deflated(megabyte, 9, last=False), zlib.crc32(head)
    yield GZIP_HEADER + deflated(head, 1, last=False)
    for _ in range(count):
        crc = zlib.crc32(megabyte, crc)
        yield packed
        await asyncio.sleep(0)
    size = len(head) + count * len(megabyte) + len(tail)
    yield deflated(tail, 1, last=True) + struct.pack("<II", zlib.crc32(tail, crc), size & 0xFFFFFFFF)


def _stream(whole: Reply) -> web.StreamResponse:
    headers = {"Content-Type": whole.content_type, **whole.headers}
    if whole.gzipped is not None:
        headers["Content-Encoding"] = "gzip"
    return web.StreamResponse(status=whole.status, headers=headers)
