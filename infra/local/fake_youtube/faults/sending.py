"""Faults that concern how an answer is sent: never, slowly, in part, or far too much of it."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from typing import NoReturn

from aiohttp import web

from infra.local.fake_youtube.faults.rules import Rule
from infra.local.fake_youtube.replies import GZIP_HEADER, JSON, XML, Reply, deflate, gzip_trailer

#: The kinds of faults that :func:`send` knows.
SENDING_KINDS = frozenset({"hang", "reset", "slow", "cut", "huge"})

_HANG_SECONDS = 86_400
_SLOW_SECONDS = 60
_SLOW_PIECES = 20
_MEGABYTE = 1_000_000


async def send(
    rule: Rule, request: web.BaseRequest, endpoint: str, gzip: bool, correct: Callable[[], Reply]
) -> tuple[web.StreamResponse, int]:
    """Sends the faulty answer. Returns the response and how many bytes of its body were sent.

    `correct`: makes the reply that the client would receive without the fault.

    Raises:
        ConnectionError: the connection has ended, here as a fault, or because the client has left.
    """
    match rule.kind:
        case "hang":
            await asyncio.sleep(rule.seconds if rule.seconds is not None else _HANG_SECONDS)
            _abort(rule, request)
        case "reset":
            _abort(rule, request)
        case "slow":
            return await _send_slowly(request, correct(), rule.seconds or _SLOW_SECONDS)
        case "cut":
            return await _send_half(request, correct())
        case "huge":
            return await _send_huge(request, endpoint, rule.megabytes, gzip)
    raise ValueError(rule.kind)


def _abort(rule: Rule, request: web.BaseRequest) -> NoReturn:
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionAbortedError(rule.kind)


def _stream(reply: Reply) -> web.StreamResponse:
    return web.StreamResponse(status=reply.status, headers=reply.http_headers())


async def _send_slowly(
    request: web.BaseRequest, reply: Reply, seconds: float
) -> tuple[web.StreamResponse, int]:
    """In small pieces, so that no single read of the client lasts long."""
    body = reply.body
    response = _stream(reply)
    response.content_length = len(body)
    await response.prepare(request)
    step = max(1, -(-len(body) // _SLOW_PIECES))
    for at in range(0, len(body), step):
        await response.write(body[at : at + step])
        await asyncio.sleep(seconds / _SLOW_PIECES)
    await response.write_eof()
    return response, len(body)


async def _send_half(request: web.BaseRequest, reply: Reply) -> tuple[web.StreamResponse, int]:
    """Announces the whole length, sends half of it and closes the connection."""
    body = reply.body
    response = _stream(reply)
    response.content_length = max(2, len(body))
    await response.prepare(request)
    half = body[: len(body) // 2]
    await response.write(half)
    if request.transport is not None:
        request.transport.close()
    return response, len(half)


async def _send_huge(
    request: web.BaseRequest, endpoint: str, megabytes: int, gzip: bool
) -> tuple[web.StreamResponse, int]:
    """A well-formed answer of so many megabytes. Compressed, it is a thousand times smaller."""
    content_type, head, middle, tail = {
        "timedtext": (
            XML,
            b"<transcript>",
            b'<text start="1.0" dur="3.0">on and on it goes</text>\n',
            b"</transcript>",
        ),
        "player": (JSON, b'{"playabilityStatus":{"status":"OK"},"on":["', b"and on it goes ", b'"]}'),
        "data_api": (JSON, b'{"items":[],"on":["', b"and on it goes ", b'"]}'),
    }.get(endpoint, ("text/html", b"<html><body>", b"<p>on and on it goes</p>\n", b"</body></html>"))
    response = web.StreamResponse(headers={"Content-Type": content_type})
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
    """The body piece by piece: the megabyte is compressed once and sent `count` times."""
    if not gzip:
        yield head
        for _ in range(count):
            yield megabyte
        yield tail
        return
    deflated, crc = deflate(megabyte, 9, last=False), zlib.crc32(head)
    yield GZIP_HEADER + deflate(head, 1, last=False)
    for _ in range(count):
        crc = zlib.crc32(megabyte, crc)
        yield deflated
        await asyncio.sleep(0)
    size = len(head) + count * len(megabyte) + len(tail)
    yield deflate(tail, 1, last=True) + gzip_trailer(zlib.crc32(tail, crc), size)
