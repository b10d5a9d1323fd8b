"""`@cached`: a function whose answers are kept by the service."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, ParamSpec, overload

from .async_client import AsyncResponseCache
from .calls import Computed
from .client import ResponseCache
from .question import Question, User

P = ParamSpec("P")
Slots = Mapping[str, str] | Sequence[str]


@overload
def cached(
    cache: AsyncResponseCache,
    *,
    intent: str,
    user: str | None,
    role: str | None = None,
    slots: Slots = (),
    unread: Sequence[str] = (),
) -> Callable[[Callable[P, Awaitable[Computed]]], Callable[P, Coroutine[Any, Any, dict[str, Any]]]]:
    pass


@overload
def cached(
    cache: ResponseCache,
    *,
    intent: str,
    user: str | None,
    role: str | None = None,
    slots: Slots = (),
    unread: Sequence[str] = (),
) -> Callable[[Callable[P, Computed]], Callable[P, dict[str, Any]]]:
    pass


def cached(
    cache: AsyncResponseCache | ResponseCache,
    *,
    intent: str,
    user: str | None,
    role: str | None = None,
    slots: Slots = (),
    unread: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Answers calls of a function by `cache.get_or_fill`.

    `user`, `role` and `slots` name the parameters that identify the answer; `slots` may map
    slots to parameters of other names. `user` is `None` for an answer that is everyone's.
    A slot's parameter takes a string, or `None` where the slot is not given.

    Every parameter must be named once, or listed in `unread` if it does not change the
    answer, as a database connection; anything else is a `TypeError` when the function is
    defined. What else the function reads, such as globals, must be the same for all calls.
    """
    of = dict(slots) if isinstance(slots, Mapping) else {name: name for name in slots}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        named = [name for name in (user, role) if name is not None]
        signature = _checked(function, [*named, *of.values(), *unread])
        if isinstance(cache, AsyncResponseCache) != inspect.iscoroutinefunction(function):
            raise TypeError(f"{_name(function)}: an async function needs an AsyncResponseCache")

        def question(args: Any, kwargs: Any) -> Question:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            who = None if user is None else User.of(given[user])
            if who is not None and role is not None:
                who = User(who.id, given[role])
            return Question(intent, who, _slots(function, {s: given[p] for s, p in of.items()}))

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            asked = question(args, kwargs)

            def compute() -> Any:
                return function(*args, **kwargs)

            return cache.get_or_fill(asked.intent, asked.user, compute, asked.slots)

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            return await call(*args, **kwargs)

        return call_async if isinstance(cache, AsyncResponseCache) else call

    return decorate


def _checked(function: Callable[..., Any], named: list[str]) -> inspect.Signature:
    """The signature, of which `named` must be all parameters, each once."""
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters):
        raise TypeError(f"{_name(function)}: `*args` and `**kwargs` cannot identify an answer")
    have, want = set(signature.parameters), Counter(named)
    problems = [
        *(f"`{name}` is not named" for name in signature.parameters if name not in want),
        *(f"`{name}` is no parameter" for name in want if name not in have),
        *(f"`{name}` is named {count} times" for name, count in want.items() if count > 1),
    ]
    if problems:
        raise TypeError(
            f"{_name(function)}: {', '.join(problems)}; name each parameter once, in `user`, "
            "`role`, `slots`, or `unread` if it does not change the answer"
        )
    return signature


def _slots(function: Callable[..., Any], given: dict[str, Any]) -> dict[str, str]:
    for slot, value in given.items():
        if value is not None and not isinstance(value, str):
            kind = type(value).__name__
            raise TypeError(f"{_name(function)}: slot `{slot}` takes a string, not a {kind}")
    return {slot: value for slot, value in given.items() if value is not None}


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
