"""Answers, compressed when the client asks for it.

Most of a watch page and of a player answer is the same for every video. That part is compressed
once, ending in a full flush, after which a deflate stream can be continued by anybody (RFC 1951,
zlib's Z_FULL_FLUSH); only the video's own part is compressed on each request.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=utf-8"
XML = "text/xml; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it goes on the wire: `plain`, or `gzipped`, which then is what is sent."""

    status: int
    content_type: str
    plain: bytes
    gzipped: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


def deflated(data: bytes, level: int, last: bool) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


def gzipped(data: bytes, level: int = 1) -> bytes:
    return (
        GZIP_HEADER
        + deflated(data, level, True)
        + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    )


class Prefix:
    """The beginning that many answers share."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._deflated = deflated(data, 6, last=False)
        self._crc = zlib.crc32(data)

    def plus(self, tail: bytes, gzip: bool) -> tuple[bytes, bytes | None]:
        """(plain body, gzipped body): only one of them is made, the other is empty or None."""
        if not gzip:
            return self.data + tail, None
        trailer = struct.pack("<II", zlib.crc32(tail, self._crc), len(self.data) + len(tail))
        return b"", b"".join((GZIP_HEADER, self._deflated, deflated(tail, 1, last=True), trailer))


def json_reply(value: Any, gzip: bool, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    # Google does not compress what is shorter than a packet, either.
    return Reply(status, JSON, body, gzipped(body) if gzip and len(body) > 1_000 else None, headers or {})


def html_reply(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, HTML, text.encode(), None, headers or {})


class BytesCache:
    """Least recently used bodies, bounded by their bytes."""

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
