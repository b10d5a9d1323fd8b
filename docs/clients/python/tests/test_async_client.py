"""Get or fill with the asynchronous client, against the real service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from conftest import Start

from response_cache import (
    Answer,
    AsyncResponseCache,
    CacheUnavailable,
    Fresh,
    Permit,
    Settings,
    Stale,
)


def run(url: str, test: Callable[[AsyncResponseCache], Awaitable[None]]) -> None:
    async def main() -> None:
        async with AsyncResponseCache(Settings(url)) as cache:
            await test(cache)

    asyncio.run(asyncio.wait_for(main(), 30))


def test_callers_wait_for_the_one_that_computes_and_are_served(url: str) -> None:
    async def test(cache: AsyncResponseCache) -> None:
        begun, go_on, calls = asyncio.Event(), asyncio.Event(), []

        async def slow() -> Answer:
            calls.append(1)
            begun.set()
            await go_on.wait()
            return Answer({"n": len(calls)}, tags=["claim:1"])

        async def quick() -> dict[str, Any]:
            return {"n": "B"}

        first = asyncio.create_task(cache.get_or_fill("claims", "A", slow))
        await begun.wait()
        others = [asyncio.create_task(cache.get_or_fill("claims", "A", slow)) for _ in range(4)]
        # Another user is neither held up nor served.
        assert await cache.get_or_fill("claims", "B", quick) == {"n": "B"}
        go_on.set()
        assert await asyncio.gather(first, *others) == [{"n": 1}] * 5
        await cache.invalidate(tag="claim:1", user_id="A")
        assert await cache.get_or_fill("claims", "A", slow) == {"n": 2}

    run(url, test)


def test_a_cancelled_caller_passes_its_turn_on(url: str) -> None:
    async def test(cache: AsyncResponseCache) -> None:
        begun = asyncio.Event()

        async def endless() -> dict[str, Any]:
            begun.set()
            await asyncio.Event().wait()
            return {}

        async def quick() -> dict[str, Any]:
            return {"n": 1}

        first = asyncio.create_task(cache.get_or_fill("claims", "A", endless))
        await begun.wait()
        second = asyncio.create_task(cache.get_or_fill("claims", "A", quick))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second == {"n": 1}
        assert cache.counts["stored"] == 1

    run(url, test)


def test_a_stale_answer_is_served_and_refreshed_in_a_task(start: Start) -> None:
    url = start(
        "[cache.classes.live_data]\nttl = '1ms'\nstale_while_revalidate = '1h'\n",
    )

    async def test(cache: AsyncResponseCache) -> None:
        refreshed = asyncio.Event()

        async def first() -> dict[str, Any]:
            return {"n": 1}

        async def second() -> dict[str, Any]:
            await refreshed.wait()
            return {"n": 2}

        await cache.get_or_fill("claims", "A", first)
        while True:
            found = await cache.lookup("A", intent="claims")
            if not isinstance(found, Fresh):
                break
        assert isinstance(found, Stale) and found.permit is not None
        await cache.release(found.permit)
        assert await cache.get_or_fill("claims", "A", second) == {"n": 1}
        refreshed.set()
        await cache.aclose()
        assert cache.counts["stored"] == 2
        async with AsyncResponseCache(Settings(url)) as other:
            found = await other.lookup("A", intent="claims")
            assert isinstance(found, Fresh | Stale) and found.answer.data == {"n": 2}

    run(url, test)


def test_an_exception_is_raised_and_ends_the_permit(url: str) -> None:
    async def test(cache: AsyncResponseCache) -> None:
        async def failing() -> dict[str, Any]:
            raise ValueError("secret")

        with pytest.raises(ValueError):
            await cache.get_or_fill("claims", "A", failing)
        assert isinstance(await cache.lookup("A", intent="claims", wait=0), Permit)

    run(url, test)


def test_the_other_endpoints(url: str) -> None:
    async def test(cache: AsyncResponseCache) -> None:
        assert (await cache.route("my claim", "A")).source == "fallback"
        assert (await cache.stats())["cache_size"] == 0
        assert await cache.caching(False) is False
        assert await cache.caching() is False

    run(url, test)


def test_without_the_service_the_function_is_called() -> None:
    async def function() -> dict[str, Any]:
        return {"n": 1}

    async def test(cache: AsyncResponseCache) -> None:
        assert await cache.get_or_fill("claims", "A", function) == {"n": 1}
        assert cache.counts["cache_errors"] == 1
        with pytest.raises(CacheUnavailable):
            await cache.invalidate(tag="claim:1")

    run("http://127.0.0.1:1", test)
