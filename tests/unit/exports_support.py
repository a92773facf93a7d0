"""A stand-in for the Firestore emulator's exports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.local.persistence import Exports
from infra.local.state_dir import StateDir


class Emulator:
    """Writes exports as the real one does: ``content`` into an output file, the metadata last."""

    def __init__(self) -> None:
        self.content = b"one"
        self.metadata = "metadata"
        self.status = 200
        self.seconds = 0.0
        self.exports = 0

    async def export(self, request: web.Request) -> web.Response:
        assert request.path == "/emulator/v1/projects/yts-local:export"
        asked = await request.json()
        assert asked["database"] == "projects/yts-local/databases/(default)"
        self.exports += 1
        name = asked["export_name"]
        directory = Path(asked["export_directory"]) / name
        (directory / "all").mkdir(parents=True)
        (directory / "all" / "output-0").write_bytes(self.content)
        await asyncio.sleep(self.seconds)
        (directory / f"{name}.overall_export_metadata").write_text(self.metadata)
        return web.Response(status=self.status, text="{}")


Scenario = Callable[[Emulator, Exports], Awaitable[None]]


def run(state: StateDir, scenario: Scenario) -> None:
    async def visit() -> None:
        emulator = Emulator()
        application = web.Application()
        application.router.add_post("/{path:.*}", emulator.export)
        async with TestServer(application) as server:
            await scenario(emulator, Exports(state, "yts-local", f"{server.host}:{server.port}"))

    asyncio.run(visit())
