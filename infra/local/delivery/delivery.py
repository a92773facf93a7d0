"""Pulls messages from the Pub/Sub emulator and posts them to functions as CloudEvents.

Every subscription whose function is named is delivered. A message is acked when the function answers 2xx, and
nacked otherwise. Pub/Sub itself counts attempts, waits between them, and publishes dead letters.

The emulator's push subscriptions deliver at most two messages at a time. This program delivers as many as
the pipeline allows. It uses an event loop and unary pulls, because they are cheap: each message takes 0.2 ms
less processor time than with the threads of the client library, which need 0.5 to 0.7 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc
from aiohttp import web
from google.pubsub_v1 import SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from infra.local.arguments import UsageError
from infra.local.delivery.dispatcher import Dispatcher
from infra.local.delivery.subscriber import Subscriber
from infra.pipeline import Pipeline
from shared import logs
from shared.config import Config

#: The functions whose messages make the library larger. What the others get ends what was begun.
FILLING = ("planner", "fetcher", "embedder")
#: How long functions may still answer after a SIGTERM, in seconds.
GRACE_SECONDS = 3.0

_CHANNEL_OPTIONS = (
    # A message may have 10 MB, and the answer to a pull has many messages.
    ("grpc.max_receive_message_length", -1),
    # Reconnect soon after the emulator has been restarted.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Without idle timeouts, a closed connection means that the emulator has ended.
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Files that stop the delivery while they exist: ``loading`` all of it, ``full`` that to FILLING."""

    loading: Path | None = None
    full: Path | None = None

    def of(self, name: str) -> tuple[Path, ...]:
        files = (self.loading, self.full if name in FILLING else None)
        return tuple(file for file in files if file)


async def serve(
    config: Config,
    pipeline: Pipeline,
    urls: Mapping[str, str],
    port: int | None,
    changes: Path | None,
    pauses: Pauses,
) -> None:
    """Delivers until SIGTERM or SIGINT.

    ``urls``: the functions to deliver to. ``port``: where GET /healthz is answered. ``changes``: a file that
    is touched after each request.

    Raises:
        UsageError: PUBSUB_EMULATOR_HOST is not set.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    if config.pubsub_emulator_host is None:
        raise UsageError("PUBSUB_EMULATOR_HOST: expected HOST:PORT of the emulator, found nothing")
    async with contextlib.AsyncExitStack() as stack:
        channel = grpc.aio.insecure_channel(config.pubsub_emulator_host, options=_CHANNEL_OPTIONS)
        stack.push_async_callback(channel.close)
        client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                # The dispatchers limit the number of requests. Functions close an idle connection after two
                # seconds, so a connection is not reused that late.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=1.0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
        subscribers, dispatchers = [], []
        for subscription in pipeline.subscriptions:
            if subscription.name not in urls:
                logs.warning("not delivered: no --function for this subscription", function=subscription.name)
                continue
            subscriber = Subscriber(client, subscription, config.google_cloud_project)
            subscribers.append(subscriber)
            url, paused = urls[subscription.name], pauses.of(subscription.name)
            dispatchers.append(Dispatcher(subscriber, subscription, url, session, changes, paused))
        if port is not None:
            await stack.enter_async_context(_health(dispatchers, port))
        work = asyncio.create_task(_work(channel, subscribers, dispatchers))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work  # Raises the error that ended it, if there was one.
        await asyncio.gather(*(dispatcher.stop(GRACE_SECONDS) for dispatcher in dispatchers))
        logs.info("stopped")


async def _work(
    channel: grpc.aio.Channel, subscribers: Sequence[Subscriber], dispatchers: Sequence[Dispatcher]
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_watch(channel, subscribers))
        for dispatcher in dispatchers:
            group.create_task(dispatcher.run())


async def _watch(channel: grpc.aio.Channel, subscribers: Sequence[Subscriber]) -> None:
    """Tells the subscribers when the emulator has ended: a connection that was ready is lost."""
    while True:
        state = channel.get_state(try_to_connect=True)
        await channel.wait_for_state_change(state)
        if state is grpc.ChannelConnectivity.READY:
            logs.warning("lost the connection to the Pub/Sub emulator")
            for subscriber in subscribers:
                subscriber.emulator_ended()


@contextlib.asynccontextmanager
async def _health(dispatchers: Sequence[Dispatcher], port: int) -> AsyncIterator[None]:
    """Serves GET /healthz: 200 while every subscription is pulled from, 503 otherwise."""

    async def healthz(request: web.Request) -> web.Response:
        functions = {
            each.name: {"connected": each.connected, "in_flight": each.in_flight} for each in dispatchers
        }
        ready = all(each.connected for each in dispatchers)
        return web.json_response({"functions": functions}, status=200 if ready else 503)

    application = web.Application()
    application.router.add_get("/healthz", healthz)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()
