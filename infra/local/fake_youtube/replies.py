"""HTTP replies, compressed with gzip when the client accepts it.

Most of a watch page and of a player answer is the same for every video. :class:`SharedHead` compresses
that part once and ends it with a full flush (zlib's Z_FULL_FLUSH). Another compressor can continue such
a deflate stream (RFC 1951), so each request compresses only the part of its own video.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=utf-8"
XML = "text/xml; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """``gzipped`` is sent in place of ``plain`` unless it is None."""

    status: int
    content_type: str
    plain: bytes
    gzipped: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The bytes that are sent."""
        return self.plain if self.gzipped is None else self.gzipped

    def uncompressed(self) -> bytes:
        return self.plain if self.gzipped is None else zlib.decompress(self.gzipped, 31)

    def http_headers(self) -> dict[str, str]:
        encoding = {} if self.gzipped is None else {"Content-Encoding": "gzip"}
        return {"Content-Type": self.content_type, **self.headers, **encoding}

    def to_response(self) -> web.Response:
        return web.Response(status=self.status, body=self.body, headers=self.http_headers())


def deflate(data: bytes, level: int, last: bool) -> bytes:
    """A part of a deflate stream. `last`: it ends the stream."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


def gzip_trailer(crc: int, size: int) -> bytes:
    """The end of a gzip file (RFC 1952, section 2.3.1)."""
    return struct.pack("<II", crc, size & 0xFFFFFFFF)


def compress(data: bytes) -> bytes:
    return GZIP_HEADER + deflate(data, 1, last=True) + gzip_trailer(zlib.crc32(data), len(data))


class SharedHead:
    """The beginning that many replies have in common."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._deflated = deflate(data, 6, last=False)
        self._crc = zlib.crc32(data)

    def with_tail(self, tail: bytes, gzip: bool) -> tuple[bytes, bytes | None]:
        """`plain` and `gzipped` of a :class:`Reply`. Only one is made; the other is empty or None."""
        if not gzip:
            return self.data + tail, None
        trailer = gzip_trailer(zlib.crc32(tail, self._crc), len(self.data) + len(tail))
        return b"", b"".join((GZIP_HEADER, self._deflated, deflate(tail, 1, last=True), trailer))


def json_reply(value: Any, gzip: bool, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    # Google does not compress a body that fits into one packet, either.
    return Reply(status, JSON, body, compress(body) if gzip and len(body) > 1_000 else None, headers or {})


def html_reply(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, HTML, text.encode(), None, headers or {})


class BytesCache:
    """A least-recently-used cache whose capacity is the sum of the bodies' bytes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._bodies: OrderedDict[object, bytes] = OrderedDict()

    def get(self, key: object) -> bytes | None:
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, key: object, body: bytes) -> None:
        self._size += len(body) - len(self._bodies.pop(key, b""))
        self._bodies[key] = body
        while self._size > self._capacity:
            self._size -= len(self._bodies.popitem(last=False)[1])

    def clear(self) -> None:
        self._bodies.clear()
        self._size = 0
