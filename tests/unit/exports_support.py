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
    """Writes exports as the real one does: ``documents`` into output files, beside metadata that differ."""

    def __init__(self) -> None:
        self.documents = {"output-0": b"one"}
        self.status = 200
        self.writes = True
        self.exports = 0
        self.changing = False

    async def export(self, request: web.Request) -> web.Response:
        assert request.path == "/emulator/v1/projects/yts-local:export"
        asked = await request.json()
        assert asked["database"] == "projects/yts-local/databases/(default)"
        self.exports += 1
        if self.changing:
            self.documents = {"output-0": str(self.exports).encode()}
        if self.writes:
            directory = Path(asked["export_directory"]) / asked["export_name"]
            (directory / "all").mkdir(parents=True)
            for name, content in self.documents.items():
                (directory / "all" / name).write_bytes(content)
            (directory / "all" / "all.export_metadata").write_text(asked["export_name"])
            (directory / f"{asked['export_name']}.overall_export_metadata").write_text("metadata")
        return web.Response(status=self.status, text="{}")


Scenario = Callable[[Emulator, Exports, str], Awaitable[None]]


def run(state: StateDir, scenario: Scenario) -> None:
    async def visit() -> None:
        emulator = Emulator()
        application = web.Application()
        application.router.add_post("/{path:.*}", emulator.export)
        async with TestServer(application) as server:
            await scenario(emulator, Exports(state, "yts-local"), f"{server.host}:{server.port}")

    asyncio.run(visit())
