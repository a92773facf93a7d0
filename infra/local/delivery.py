"""Local event delivery: what Eventarc does in the cloud. Messages become requests to functions.

    python -m infra.local.delivery --function NAME=URL ... [--pipeline FILE] [--port PORT]
        [--changes FILE]

For every subscription of the pipeline's description whose function is named: pulled from the
Pub/Sub emulator, posted as CloudEvents, acknowledged when the function answers 2xx, given back
otherwise. Counting attempts, backoff and dead letters are Pub/Sub's own. FILE is touched after every
request; the library is saved soon afterwards.

The emulator's push subscriptions deliver at most two messages at a time; this delivers as many as
the description allows. An event loop and unary pulls, because of what they cost: 0.3 to 0.5 ms of
processor time a message, against 0.5 to 0.7 ms of the client library's threads.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import grpc
from aiohttp import web
from google.pubsub_v1 import SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from infra.local.arguments import UsageError, function_urls
from infra.local.feed import Feed, log
from infra.local.subscriber import Subscriber
from infra.pipeline import PIPELINE_FILE, Pipeline, PipelineError, load_pipeline
from shared import config
from shared.config import Config, ConfigError

#: What a function may still answer in after a SIGTERM.
GRACE_SECONDS = 3.0

_CHANNEL_OPTIONS = (
    # Messages have up to 10 MB, and a pull answers with many.
    ("grpc.max_receive_message_length", -1),
    # An emulator that starts again is to be found soon.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A connection that ends is then one that the emulator ended.
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
)


async def serve(
    settings: Config, pipeline: Pipeline, urls: Mapping[str, str], port: int | None, changes: Path | None
) -> None:
    """Delivers until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    if settings.pubsub_emulator_host is None:
        raise UsageError("PUBSUB_EMULATOR_HOST: expected HOST:PORT of the emulator, found nothing")
    async with contextlib.AsyncExitStack() as stack:
        channel = grpc.aio.insecure_channel(settings.pubsub_emulator_host, options=_CHANNEL_OPTIONS)
        stack.push_async_callback(channel.close)
        client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                # The feeds bound the requests. A connection is not used again near the end of the two
                # seconds after which a function closes it.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=1.0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
        subscribers, feeds = [], []
        for description in pipeline.subscriptions:
            if description.name not in urls:
                log("WARNING", "not delivered to: no --function names it", function=description.name)
                continue
            subscriber = Subscriber(client, description, settings.google_cloud_project)
            subscribers.append(subscriber)
            feeds.append(Feed(subscriber, description, urls[description.name], session, changes))
        if port is not None:
            await stack.enter_async_context(_health(feeds, port))
        work = asyncio.create_task(_work(channel, subscribers, feeds))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work  # raises what ended it
        await asyncio.gather(*(feed.stop(GRACE_SECONDS) for feed in feeds))
        log("INFO", "stopped")


async def _work(channel: grpc.aio.Channel, subscribers: Sequence[Subscriber], feeds: Sequence[Feed]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_watch(channel, subscribers))
        for feed in feeds:
            group.create_task(feed.run())


async def _watch(channel: grpc.aio.Channel, subscribers: Sequence[Subscriber]) -> None:
    """A connection that was up and is not any more: the emulator ended."""
    while True:
        state = channel.get_state(try_to_connect=True)
        await channel.wait_for_state_change(state)
        if state is grpc.ChannelConnectivity.READY:
            log("WARNING", "the connection to the emulator ended")
            for subscriber in subscribers:
                subscriber.forget()


@contextlib.asynccontextmanager
async def _health(feeds: Sequence[Feed], port: int) -> AsyncIterator[None]:
    """GET /healthz: 200 once every subscription is being pulled from, 503 before and in between."""

    async def healthz(request: web.Request) -> web.Response:
        functions = {feed.name: {"connected": feed.connected, "in_flight": feed.in_flight} for feed in feeds}
        ready = all(feed.connected for feed in feeds)
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="delivery", description=__doc__.partition("\n")[0])
    parser.add_argument("--function", action="append", default=[], metavar="NAME=URL", dest="functions")
    parser.add_argument("--pipeline", type=Path, default=PIPELINE_FILE, metavar="FILE")
    parser.add_argument("--port", type=int, help="where GET /healthz is answered; nowhere by default")
    parser.add_argument("--changes", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        settings = config.load()
        pipeline = load_pipeline(settings, options.pipeline)
        fed = {subscription.name for subscription in pipeline.subscriptions}
        urls = function_urls(options.functions, fed)
        asyncio.run(serve(settings, pipeline, urls, options.port, options.changes))
    except (ConfigError, PipelineError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
