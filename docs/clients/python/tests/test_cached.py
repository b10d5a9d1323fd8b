"""The decorator, against the real service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from response_cache import Answer, AsyncResponseCache, ResponseCache, Settings, User, cached


def test_a_function_is_called_once_for_each_question(url: str) -> None:
    calls = []
    with ResponseCache(Settings(url)) as cache:

        @cached(
            cache,
            intent="claims",
            user="who",
            role="role",
            slots={"claim": "number"},
            unread=["database"],
        )
        def claims(
            who: str, role: str, number: str | None = None, *, database: object = None
        ) -> Answer:
            """Reads claims."""
            calls.append((who, role, number))
            return Answer({"n": len(calls)}, tags=["claim:1"])

        assert claims.__doc__ == "Reads claims."
        questions: list[Callable[[], dict[str, Any]]] = [
            lambda: claims("A", "member"),
            lambda: claims("B", "member"),
            lambda: claims("A", "agent"),
            lambda: claims("A", "member", "CLM-0001"),
            lambda: claims("A", "member", "CLM-0002"),
        ]
        for _ in range(2):
            for number, ask in enumerate(questions, 1):
                assert ask() == {"n": number}
        assert claims(role="member", who="A", database=object()) == {"n": 1}
        assert len(calls) == 5
        cache.invalidate(tag="claim:1")
        assert claims("A", "member") == {"n": 6}


def test_async_functions_and_users(url: str) -> None:
    async def main() -> None:
        async with AsyncResponseCache(Settings(url)) as cache:
            calls: list[object] = []

            @cached(cache, intent="claims", user="user", slots=["claim"])
            async def claims(user: User | dict[str, str], claim: str) -> dict[str, Any]:
                calls.append(user)
                return {"n": len(calls)}

            assert await claims(User("A", "agent"), "CLM-0001") == {"n": 1}
            user = {"user_id": "A", "user_role": "agent", "name": "unread"}
            assert await claims(user, "CLM-0001") == {"n": 1}
            assert await claims(User("A"), "CLM-0001") == {"n": 2}

            @cached(cache, intent="hours", user=None)
            async def hours() -> dict[str, Any]:
                calls.append("everyone")
                return {"n": len(calls)}

            assert await hours() == await hours() == {"n": 3}

    asyncio.run(main())


def test_parameters_that_identify_nothing_are_errors() -> None:
    def check(expected: str, function: Callable[..., Any], **mapping: Any) -> None:
        with pytest.raises(TypeError, match=expected):
            cached(cache, intent="claims", **mapping)(function)

    def plain(user: str, claim: str) -> dict[str, Any]:
        return {}

    def open_ended(user: str, **more: str) -> dict[str, Any]:
        return {}

    async def later(user: str) -> dict[str, Any]:
        return {}

    with ResponseCache() as cache:
        check("`claim` is not named", plain, user="user")
        check("`number` is no parameter", plain, user="user", slots=["claim", "number"])
        check("`user` is named 2 times", plain, user="user", slots=["claim"], unread=["user"])
        check(r"`\*args` and", open_ended, user="user")
        check("needs an AsyncResponseCache", later, user="user")
        numbers = cached(cache, intent="claims", user="user", slots=["claim"])(plain)
        with pytest.raises(TypeError, match="slot `claim` takes a string, not a int"):
            numbers("A", 1)  # type: ignore[arg-type]
