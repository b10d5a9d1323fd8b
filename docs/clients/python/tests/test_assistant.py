"""The example: an assistant before and after, over HTTP, with the real service."""

from __future__ import annotations

import asyncio
import difflib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import running
from fastapi import FastAPI

from response_cache import ResponseCache, Settings
from response_cache.fastapi import Cache, cache_lifespan

EXAMPLES = Path(__file__).parent.parent / "examples"


@contextmanager
def assistant(module: str, database: Path, cache: str) -> Iterator[httpx.Client]:
    """Runs the assistant with uvicorn on a free port; a client of it."""
    variables = {"LIBRARY_DATABASE": str(database), "RESPONSE_CACHE_URL": cache}
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", "0"]
    with subprocess.Popen(
        [*command, "--app-dir", str(EXAMPLES)],
        env=os.environ | variables,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            line = next((line for line in lines if "running on" in line), None)
            assert line is not None, "the assistant does not start"
            url = next(word for word in line.split() if "://" in word)
            with httpx.Client(base_url=url) as client:
                yield client
        finally:
            process.terminate()
            process.communicate()


def ask(client: httpx.Client, member: str) -> str:
    message = {"message": "Which loans do I have?"}
    reply = client.post("/ask", json=message, headers={"X-Member": member})
    assert reply.status_code == 200, reply.text
    answer: str = reply.json()["answer"]
    return answer


def borrow(client: httpx.Client, member: str, title: str) -> None:
    reply = client.post("/loans", json={"title": title}, headers={"X-Member": member})
    assert reply.status_code == 200, reply.text


def rename(database: Path, title: str) -> None:
    """Changes the records without the assistant, so that a stored answer shows."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE loans SET title = ?", [title])
    connection.close()


def test_the_assistant_before_and_after(tmp_path: Path) -> None:
    database = tmp_path / "library.db"
    with ExitStack() as stack:
        catalogue = (EXAMPLES / "intents.toml").read_text()
        cache = stack.enter_context(running(tmp_path, "", catalogue))
        after = stack.enter_context(assistant("assistant_after", database, cache))
        assert ask(after, "M-1") == "You have borrowed: nothing"
        borrow(after, "M-1", "Emma")
        assert ask(after, "M-1") == "You have borrowed: Emma"
        rename(database, "Persuasion")
        assert ask(after, "M-1") == "You have borrowed: Emma"
        assert ask(after, "M-2") == "You have borrowed: nothing"
        with ResponseCache(Settings(cache)) as client:
            assert client.stats()["cache_stats"]["hits"] == 1
            client.invalidate(tag="loan:1", user_id="M-1")
        assert ask(after, "M-1") == "You have borrowed: Persuasion"

    with assistant("assistant_before", database, cache) as before:
        rename(database, "Emma")
        assert ask(before, "M-1") == "You have borrowed: Emma"

    # The service is gone by now.
    with assistant("assistant_after", database, cache) as alone:
        assert ask(alone, "M-1") == "You have borrowed: Emma"


def test_the_change_is_ten_lines() -> None:
    before, after = (
        (EXAMPLES / f"assistant_{name}.py").read_text().splitlines()[1:]
        for name in ("before", "after")
    )
    changed = [
        line[2:] for line in difflib.ndiff(before, after) if line.startswith("+ ") and line[2:]
    ]
    assert 0 < len(changed) <= 10, changed


def test_the_dependency_is_the_cache_of_the_lifespan(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def size(cache: Cache) -> int:
        return int((await cache.stats())["cache_size"])

    async def get(app: FastAPI) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/size")

    async def main() -> None:
        app = FastAPI()
        app.get("/size")(size)
        with pytest.raises(RuntimeError, match="no cache"):
            await get(app)
        async with cache_lifespan()(app):
            assert (await get(app)).json() == 0

    monkeypatch.setenv("RESPONSE_CACHE_URL", url)
    asyncio.run(main())
