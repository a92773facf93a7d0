"""A fake of the Firestore emulator's export and import."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.local.persistence import Exports
from infra.local.state_dir import StateDir


class Emulator:
    """Writes exports as the real emulator does: ``content`` to an output file, the metadata file last."""

    def __init__(self) -> None:
        self.content = b"one"
        self.metadata = "metadata"
        self.status = 200
        #: How long an export takes.
        self.seconds = 0.0
        #: How many exports were made.
        self.exports = 0
        #: The metadata files that were imported.
        self.imported: list[str] = []

    async def load(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["database"] == "projects/yts-local/databases/(default)"
        self.imported.append(body["export_directory"])
        return web.Response(status=self.status, text="{}")

    async def export(self, request: web.Request) -> web.Response:
        assert request.path == "/emulator/v1/projects/yts-local:export"
        body = await request.json()
        assert body["database"] == "projects/yts-local/databases/(default)"
        self.exports += 1
        name = body["export_name"]
        directory = Path(body["export_directory"]) / name
        (directory / "all").mkdir(parents=True)
        (directory / "all" / "output-0").write_bytes(self.content)
        await asyncio.sleep(self.seconds)
        (directory / f"{name}.overall_export_metadata").write_text(self.metadata)
        return web.Response(status=self.status, text="{}")


Scenario = Callable[[Emulator, Exports], Awaitable[None]]


def run(state: StateDir, scenario: Scenario) -> None:
    """Runs the scenario with a served emulator."""

    async def serve() -> None:
        emulator = Emulator()
        application = web.Application()
        application.router.add_post("/emulator/v1/projects/yts-local:import", emulator.load)
        application.router.add_post("/{path:.*}", emulator.export)
        async with TestServer(application) as server:
            await scenario(emulator, Exports(state, "yts-local", f"{server.host}:{server.port}"))

    asyncio.run(serve())
