"""Requests to answers: what is asked, by which address, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import web

from infra.local.standin import embed, faulty, partial, playability, player, thumbnails, watch
from infra.local.standin.addresses import Addresses, ProxyUsers
from infra.local.standin.api_errors import ApiError
from infra.local.standin.catalog import Catalog
from infra.local.standin.control import PREFIX as CONTROL
from infra.local.standin.control import Control
from infra.local.standin.data_api import PREFIX as DATA_API
from infra.local.standin.data_api import DataApi
from infra.local.standin.faults import Faults, Rule
from infra.local.standin.faulty import PlayerTwist
from infra.local.standin.fieldmask import Mask
from infra.local.standin.latency import Latency
from infra.local.standin.oauth import PATHS as OAUTH
from infra.local.standin.oauth import OAuth
from infra.local.standin.samples import LIBRARY, read_library
from infra.local.standin.stats import Stats
from infra.local.standin.wire import Reply, html_reply, json_reply

_TIMEDTEXT = "/api/timedtext"
_PLAYER = "/youtubei/v1/player"
_SOUND = PlayerTwist()
#: What the counters of faults call a request whose address has spent its budget.
_SPENT = "budget"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `endpoint`: its class, ``pages`` or ``control``; `target`: video or playlist id,
    or what is asked of sign-in."""

    request: web.BaseRequest
    endpoint: str
    target: str
    address: str
    body: bytes
    gzip: bool


class StandIn:
    """The whole of it; :meth:`handle` is what an aiohttp server calls."""

    def __init__(self, library: Path = LIBRARY) -> None:
        """
        Raises:
            SampleError: a file of the library is not as expected.
        """
        self.catalog = Catalog(read_library(library))
        self.stats, self.latency, self.faults = Stats(), Latency(), Faults()
        self.addresses, self.proxy_users = Addresses(), ProxyUsers()
        self.oauth = OAuth()
        self.data_api = DataApi(self.catalog, self.oauth.grants)
        self.timedtext = player.TimedText()
        self.innertube_key, self.partial_answers = player.INNERTUBE_KEY, partial.WAYS[0]
        self._control = Control(self)

    def resets(self) -> dict[str, Callable[[], None]]:
        """What can be set back to how it was at the start."""
        return {
            "stats": self._reset_stats,
            "latency": self.latency.reset,
            "faults": self.faults.reset,
            "addresses": self.addresses.reset,
            "playlists": self._reset_playlists,
            "settings": self._reset_settings,
            "oauth": self.oauth.state.reset,
        }

    def _reset_stats(self) -> None:
        self.stats.reset()
        self.data_api.quota.used = 0

    def _reset_playlists(self) -> None:
        self.catalog.reset()
        self.timedtext.forget()

    def _reset_settings(self) -> None:
        self.innertube_key, self.partial_answers = player.INNERTUBE_KEY, partial.WAYS[0]
        self.data_api.quota.limit = self.data_api.quota.keys = None
        self.proxy_users.passwords = None

    async def handle(self, request: web.BaseRequest, proxy_user: str | None = None) -> web.StreamResponse:
        """`proxy_user`: through whose account at the forward proxy, if so."""
        address = f"proxy:{proxy_user}" if proxy_user is not None else request.remote or ""
        asked = await _read(request, address)
        if asked.endpoint == "control":
            return as_response(self._control.answer(request.method, request.path, request.query, asked.body))
        block = self.addresses.blocked(asked.endpoint, asked.target, address)
        rule = None if block else self.faults.striking(asked.endpoint, asked.target, address)
        if block or rule is not None:
            self.stats.fault(_SPENT if rule is None else rule.kind)
        self.stats.begin(asked.endpoint, asked.target, address)
        status, sent = 0, 0
        try:
            over = asyncio.get_running_loop().time() + self.latency.of(asked.endpoint)
            if rule is not None and rule.kind in _SENDERS:
                await _until(over)
                response, sent = await _SENDERS[rule.kind](self, asked, rule)
                status = response.status
                return response
            # Of many that arrive at once, the last one's time begins before the first one's answer is made.
            await asyncio.sleep(0)
            reply = self._blocked(asked, block) if block else self._struck(asked, rule)
            await _until(over)
            response = as_response(reply)
            await response.prepare(request)
            await response.write_eof()
            status, sent = reply.status, len(reply.plain if reply.gzipped is None else reply.gzipped)
            return response
        except ConnectionError:
            # The client has left; there is nobody to answer.
            return web.Response()
        finally:
            self.stats.end(asked.endpoint, asked.target, address, status, sent)

    def _blocked(self, asked: Asked, kind: str) -> Reply:
        """`429` stops everything; of other blocks the player alone speaks."""
        if kind == "429":
            return faulty.blocked(kind, asked.endpoint)
        twist = PlayerTwist(playability.of(kind)) if asked.endpoint == "player" else _SOUND
        return self.answer(asked, twist)

    def _struck(self, asked: Asked, rule: Rule | None) -> Reply:
        if rule is None:
            return self.answer(asked)
        twist = faulty.player_twist(rule) if asked.endpoint == "player" else None
        if twist is not None:
            return self.answer(asked, twist)
        cookie = asked.request.headers.get("Cookie", "")
        return faulty.reply(rule, asked.endpoint, asked.gzip, cookie, lambda: self.answer(asked))

    def answer(self, asked: Asked, twist: PlayerTwist = _SOUND) -> Reply:
        """What a sound YouTube says, or one whose player says something else."""
        request, gzip = asked.request, asked.gzip
        if asked.endpoint == "timedtext":
            return self.timedtext.answer(self.catalog.video(asked.target), request.query, gzip)
        if asked.endpoint == "player":
            if request.query.get("key") != self.innertube_key:
                return player.wrong_key()
            return self._player(asked, twist)
        if asked.endpoint == "watch":
            video = self.catalog.video(asked.target)
            return watch.page(asked.target, video, request.query.get("t", ""), self.innertube_key, gzip)
        if asked.endpoint == "data_api":
            return self._data_api(asked)
        if asked.endpoint == "oauth":
            return self._oauth(asked)
        return self._page(request.path)

    def _player(self, asked: Asked, twist: PlayerTwist) -> Reply:
        video = self.catalog.video(asked.target)

        def make(mask: Mask | None) -> Reply:
            unplayable, captions, po_token = twist.unplayable, twist.captions, twist.po_token
            return player.answer(asked.target, video, asked.gzip, unplayable, captions, po_token, mask)

        fields = asked.request.query.get("$fields", "")
        return partial.answer(fields, self.partial_answers, make, player.invalid)

    def _data_api(self, asked: Asked) -> Reply:
        request = asked.request
        query: dict[str, list[str]] = {}
        for name, value in request.query.items():
            query.setdefault(name, []).append(value)
        authorization = request.headers.get("Authorization", "")
        try:
            answer = self.data_api.answer(request.path, query, authorization, f"http://{request.host}")
        except ApiError as error:
            return json_reply(error.body(), asked.gzip, error.code, error.headers)
        return json_reply(answer, asked.gzip)

    def _oauth(self, asked: Asked) -> Reply:
        request = asked.request
        form = dict(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True))
        authorization = request.headers.get("Authorization", "")
        origin = f"http://{request.host}"
        return self.oauth.answer(request.method, request.path, request.query, form, authorization, origin)

    def _page(self, path: str) -> Reply:
        match path.split("/"):
            case ["", "vi", identifier, name] if name.endswith((".jpg", ".webp")):
                return thumbnails.draw(identifier, self.catalog.video(identifier))
            case ["", "embed", identifier] if identifier:
                return embed.page(identifier, self.catalog.video(identifier))
            case ["", "standin", name] if (found := embed.static(name)) is not None:
                return found
            case ["", "generate_204"]:
                return Reply(204, "text/html", b"")
        return html_reply("<title>404</title><p>That’s an error. The stand-in has no such page.</p>", 404)


async def _until(moment: float) -> None:
    """What making an answer takes is part of the latency."""
    if (left := moment - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(left)


async def _hang(standin: StandIn, asked: Asked, rule: Rule) -> faulty.Sent:
    """Until the client leaves, or for so many seconds; then the connection ends."""
    await asyncio.sleep(rule.seconds if rule.seconds is not None else 86_400)
    return await _reset(standin, asked, rule)


async def _reset(standin: StandIn, asked: Asked, rule: Rule) -> faulty.Sent:
    if asked.request.transport is not None:
        asked.request.transport.abort()
    raise ConnectionAbortedError(rule.kind)


async def _slow(standin: StandIn, asked: Asked, rule: Rule) -> faulty.Sent:
    return await faulty.send_slowly(asked.request, standin.answer(asked), rule.seconds or 60)


async def _cut(standin: StandIn, asked: Asked, rule: Rule) -> faulty.Sent:
    return await faulty.send_half(asked.request, standin.answer(asked))


async def _huge(standin: StandIn, asked: Asked, rule: Rule) -> faulty.Sent:
    return await faulty.send_huge(asked.request, asked.endpoint, rule.megabytes, asked.gzip)


#: Kinds of fault that are about how an answer is sent.
_SENDERS = {"hang": _hang, "reset": _reset, "slow": _slow, "cut": _cut, "huge": _huge}


async def _read(request: web.BaseRequest, address: str) -> Asked:
    path, body, target, endpoint = request.path, b"", "", "pages"
    if path == _PLAYER:
        endpoint, body = "player", await request.read()
        target = _video_id_in(body)
    elif path in ("/watch", _TIMEDTEXT):
        endpoint, target = path.rpartition("/")[2], request.query.get("v", "")
    elif path.startswith(DATA_API):
        endpoint, target = "data_api", request.query.get("playlistId", request.query.get("id", ""))
    elif path in OAUTH:
        endpoint, target, body = "oauth", OAUTH[path], await request.read()
    elif path.startswith(CONTROL):
        endpoint, body = "control", await request.read()
    gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    return Asked(request, endpoint, target, address, body, gzip)


def _video_id_in(body: bytes) -> str:
    try:
        video_id = json.loads(body).get("videoId")
    except (ValueError, AttributeError):
        return ""
    return video_id if isinstance(video_id, str) else ""


def as_response(reply: Reply) -> web.Response:
    headers = {"Content-Type": reply.content_type, **reply.headers}
    if reply.gzipped is not None:
        headers["Content-Encoding"] = "gzip"
    body = reply.plain if reply.gzipped is None else reply.gzipped
    return web.Response(status=reply.status, body=body, headers=headers)
