"""The Model Context Protocol with the SDK's own client, over both transports, against the whole run."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from infra.staging import ROOT
from tests.stack import Stack

PLAYLIST = "PLyts-sample-talks"


@asynccontextmanager
async def over_http(stack: Stack, user: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {stack.token(user)}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{stack.url}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(stack: Stack, user: str) -> AsyncIterator[Client]:
    command = StdioServerParameters(
        command=str(ROOT / "emulators.sh"), args=["mcp", f"--user={user}"], env=stack.environment
    )
    async with Client(stdio_client(command, errlog=sys.stderr)) as client:
        yield client


TRANSPORTS = {"http": over_http, "stdio": over_stdio}


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer
    content: dict[str, Any] | None = answer.structured_content
    assert content is not None
    return content


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_list_index_follow_search_and_read(transport: str, stack: Stack) -> None:
    async def story() -> None:
        async with TRANSPORTS[transport](stack, f"reader-{transport}") as client:
            assert (await call(client, "list_sources"))["total"] == 0
            started = await call(client, "index", text=PLAYLIST)
            state = ""
            while state != "done":
                (job,) = (await call(client, "job", job_id=started["job_ids"][0], wait_seconds=20))["jobs"]
                state = job["state"]
            found = await call(client, "search", q='"a fire that happens to be wet"')
            (video,) = found["videos"]
            (moment,) = video["moments"]
            assert moment["url"].endswith("&t=18s")
            read = await call(client, "read_transcript", video=video["video_id"], second=moment["second"])
            assert any("happens to be wet" in line for line in read["quoted_lines"])

    anyio.run(story)
