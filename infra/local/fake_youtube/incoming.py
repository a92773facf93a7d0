"""A request as the server needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import web

from infra.local.fake_youtube.endpoints import CONTROL, OAUTH_PATHS, endpoint_of


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """``endpoint``: see :func:`.endpoints.endpoint_of`.

    ``target``: the video, for the Data API the playlist or the `id`, for sign-in the name of the path.
    ``address``: of the client; ``proxy:USERNAME`` if it came through the forward proxy.
    ``gzip``: the client accepts a compressed answer.
    """

    http: web.BaseRequest
    endpoint: str
    target: str
    address: str
    body: bytes
    gzip: bool

    @property
    def origin(self) -> str:
        """``http://HOST:PORT``, by which the client knows this server."""
        return f"http://{self.http.host}"

    @property
    def authorization(self) -> str:
        """The header, or an empty string."""
        return self.http.headers.get("Authorization", "")


async def read_request(http: web.BaseRequest, proxy_user: str | None) -> IncomingRequest:
    """`proxy_user`: the user of the forward proxy; None if the request did not come through it."""
    endpoint = endpoint_of(http.path)
    body = await http.read() if endpoint in ("player", "oauth", CONTROL) else b""
    match endpoint:
        case "player":
            target = _video_id_in(body)
        case "watch" | "timedtext":
            target = http.query.get("v", "")
        case "data_api":
            target = http.query.get("playlistId", http.query.get("id", ""))
        case "oauth":
            target = OAUTH_PATHS[http.path]
        case _:
            target = ""
    address = f"proxy:{proxy_user}" if proxy_user is not None else http.remote or ""
    gzip = "gzip" in http.headers.get("Accept-Encoding", "")
    return IncomingRequest(http, endpoint, target, address, body, gzip)


def _video_id_in(body: bytes) -> str:
    try:
        video_id = json.loads(body).get("videoId")
    except (ValueError, AttributeError):
        return ""
    return video_id if isinstance(video_id, str) else ""
