"""Pages of lists: `maxResults` and `pageToken`."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from infra.local.fake_youtube.data_api import errors
from infra.local.fake_youtube.data_api.call import Call

_T = TypeVar("_T")

#: Items in a page.
MAX_ITEMS = 50


def page(
    kind: str,
    call: Call,
    found: Sequence[_T],
    resource: Callable[[int, _T], dict[str, Any]],
    total: int | None = None,
) -> dict[str, Any]:
    """The page of `found` that the request selects. `resource`: makes the JSON of an item from its position
    and the item. `total`: the number of all items if it is not that of `found`.

    Raises:
        ApiError
    """
    size = call.text("maxResults") or "5"
    if not re.fullmatch(r"\d{1,6}", size) or int(size) > MAX_ITEMS:
        raise errors.invalid_max_results(size)
    count = int(size)
    start = _offset(call.text("pageToken"))
    if start > len(found):
        raise errors.invalid_page_token()
    items = [resource(start + k, item) for k, item in enumerate(found[start : start + count])]
    answer = list_response(kind, items, len(found) if total is None else total, count)
    if count and start + count < len(found):
        answer["nextPageToken"] = _token(start + count)
    if start:
        answer["prevPageToken"] = _token(max(0, start - count))
    return answer


def list_response(kind: str, items: list[dict[str, Any]], total: int, per_page: int) -> dict[str, Any]:
    return {
        "kind": f"youtube#{kind}ListResponse",
        # A hash of the whole answer replaces it.
        "etag": "",
        "items": items,
        "pageInfo": {"totalResults": total, "resultsPerPage": per_page},
    }


def _token(offset: int) -> str:
    """An opaque page token. Its checksum keeps clients from computing one."""
    text = f"\x08\x00PT:{offset:x}:{offset * 7919 % 65_521:x}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _offset(token: str) -> int:
    """The position of the first item of a page; 0 for an empty string.

    Raises:
        ApiError: the token is not one of :func:`_token`.
    """
    if not token:
        return 0
    try:
        decoded = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise errors.invalid_page_token() from error
    match = re.fullmatch(rb"\x08\x00PT:([0-9a-f]{1,8}):[0-9a-f]+", decoded)
    if match is None or _token(int(match[1], 16)) != token:
        raise errors.invalid_page_token()
    return int(match[1], 16)
