"""Answers HTTP requests: with statistics, latency, budgets of addresses, and faults."""

from __future__ import annotations

import asyncio

from aiohttp import web

from infra.local.fake_youtube.captions.player import PlayerChanges
from infra.local.fake_youtube.control.api import ControlApi
from infra.local.fake_youtube.endpoints import CONTROL
from infra.local.fake_youtube.faults.replies import blocked_reply, faulty_reply, player_changes
from infra.local.fake_youtube.faults.rules import Rule
from infra.local.fake_youtube.faults.sending import SENDING_KINDS, send
from infra.local.fake_youtube.incoming import IncomingRequest, read_request
from infra.local.fake_youtube.library.playability import playability
from infra.local.fake_youtube.replies import Reply
from infra.local.fake_youtube.youtube import FakeYouTube

#: Under this name the statistics count requests of blocked addresses, among the faults.
_SPENT_BUDGET = "budget"


class Server:
    """:meth:`handle` is the handler of an aiohttp server."""

    def __init__(self, youtube: FakeYouTube) -> None:
        self.youtube = youtube
        self._control = ControlApi(youtube)

    async def handle(self, http: web.BaseRequest, proxy_user: str | None = None) -> web.StreamResponse:
        """`proxy_user`: the user of the forward proxy; None if the request did not come through it."""
        request = await read_request(http, proxy_user)
        if request.endpoint == CONTROL:
            return self._control.answer(http.method, http.path, http.query, request.body).to_response()
        youtube, identity = self.youtube, (request.endpoint, request.target, request.address)
        block = youtube.addresses.block_kind(*identity)
        rule = None if block else youtube.faults.find(*identity)
        if block or rule is not None:
            youtube.stats.count_fault(_SPENT_BUDGET if rule is None else rule.kind)
        youtube.stats.begin(*identity)
        status, sent = 0, 0
        try:
            due = asyncio.get_running_loop().time() + youtube.latency.seconds(request.endpoint)
            if rule is not None and rule.kind in SENDING_KINDS:
                await _sleep_until(due)
                response, sent = await send(
                    rule, http, request.endpoint, request.gzip, lambda: youtube.answer(request)
                )
                status = response.status
                return response
            # All requests that arrive at once start their latency before the first answer is made.
            await asyncio.sleep(0)
            reply = self._reply(request, block, rule)
            await _sleep_until(due)
            whole = reply.to_response()
            await whole.prepare(http)
            await whole.write_eof()
            status, sent = reply.status, len(reply.body)
            return whole
        except ConnectionError:
            # The client has left, so nobody receives this response.
            return web.Response()
        finally:
            youtube.stats.end(*identity, status, sent)

    def _reply(self, request: IncomingRequest, block: str | None, rule: Rule | None) -> Reply:
        """`block`: the kind of block if the address is blocked. `rule`: the fault of the request."""
        youtube, endpoint = self.youtube, request.endpoint
        if block == "429":
            return blocked_reply(block, endpoint)
        if block:
            # The other kinds of blocks show only in the player's answer.
            return youtube.answer(request, PlayerChanges(playability(block)))
        if rule is None:
            return youtube.answer(request)
        changes = player_changes(rule) if endpoint == "player" else None
        if changes is not None:
            return youtube.answer(request, changes)
        cookie = request.http.headers.get("Cookie", "")
        return faulty_reply(rule, endpoint, request.gzip, cookie, lambda: youtube.answer(request))


async def _sleep_until(due: float) -> None:
    """`due`: by the loop's clock. The time that the answer took to make is a part of its latency."""
    if (left := due - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(left)
