"""The tools of agents, driven by the official Python SDK of the protocol."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import CallToolResult, TextContent

CACHE = "org.example.response-cache/cache"
TOOL = "claim_status"
DEMO = {"ROUTER_SOURCE__DEMO_USERS": "50"}
USERS = ("BEN-000001", "BEN-000002")

CATALOGUE = """
[slots.claim_number]
kind = "pattern"
pattern = "CLM-####-######"

[[intent]]
name = "claim_status"
kind = "live_data"
phrases = ["claim"]
slots = ["claim_number"]

[[intent.query]]
name = "claims"
sql = '''
SELECT claim_number, status FROM claims
WHERE member_id = :user_id AND (:claim_number IS NULL OR claim_number = :claim_number)
'''
"""


def secret(user: str) -> str:
    """The bearer token of a user."""
    return f"{user}-{'0123456789abcdef' * 2}"


def told(result: CallToolResult) -> str:
    """The text of a tool's error."""
    assert result.is_error
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


def cache(result: CallToolResult) -> dict[str, Any]:
    """What the cache did for a call."""
    assert result.meta is not None
    found: dict[str, Any] = result.meta[CACHE]
    return found


@asynccontextmanager
async def on_stdio(user: str, mode: str) -> AsyncIterator[Client]:
    """Runs `router mcp` for a user."""
    program = StdioServerParameters(
        command=os.environ.get("ROUTER_PROGRAM", "router"),
        args=["mcp", "--user-id", user],
        env=DEMO,
    )
    async with Client(stdio_client(program), mode=mode) as client:
        yield client


@asynccontextmanager
async def over_http(url: str, user: str, mode: str) -> AsyncIterator[Client]:
    """Calls the service as the bearer of a user's token."""
    headers = {"Authorization": f"Bearer {secret(user)}"}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(f"{url}mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


async def check(client: Client, mode: str) -> None:
    """Lists the tools and calls one: a miss, a hit, and a value that cannot be read."""
    modern = client.protocol_version == "2026-07-28"
    assert modern == (mode == "auto")
    listed = await client.list_tools()
    tools = {tool.name: tool for tool in listed.tools}
    annotations = tools[TOOL].annotations
    assert annotations is not None and annotations.read_only_hint
    assert "claim_number" in tools[TOOL].input_schema["properties"]
    assert listed.cache_scope == "private"
    if modern:
        assert listed.ttl_ms == 60_000
    first = await client.call_tool(TOOL, {})
    assert cache(first)["status"] == "fwd=miss; stored"
    again = await client.call_tool(TOOL, {})
    assert cache(again)["status"].startswith("hit; ttl=")
    assert 0 < cache(again)["ttlMs"] <= cache(first)["ttlMs"] == 300_000
    assert again.structured_content == first.structured_content
    bad = await client.call_tool(TOOL, {"claim_number": "the last one"})
    assert "an identifier of the form CLM-####-######" in told(bad)


# "auto" speaks the newest revision; "legacy" those that begin with a handshake.
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_on_stdio(mode: str) -> None:
    async def main() -> None:
        async with on_stdio(USERS[0], mode) as client:
            await check(client, mode)

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_over_http(mode: str, tmp_path: Path, start: Callable[..., str]) -> None:
    tokens = []
    for user in USERS:
        (tmp_path / user).write_text(secret(user))
        tokens.append(
            f"[[auth.tokens]]\nname = '{user}'\nfile = '{user}'\nscopes = ['ask']\n"
            f"user_id = '{user}'\nuser_role = 'beneficiary'\n"
        )
    settings = f"[mcp]\nenabled = true\n[auth]\nmode = 'token'\n{''.join(tokens)}"
    url = start(settings, CATALOGUE)

    async def main() -> None:
        async with over_http(url, USERS[0], mode) as client:
            await check(client, mode)
            mine = await client.call_tool(TOOL, {})
        async with over_http(url, USERS[1], mode) as client:
            other = await client.call_tool(TOOL, {})
        assert cache(other)["status"] == "fwd=miss; stored"
        assert other.structured_content != mine.structured_content

    asyncio.run(main())
