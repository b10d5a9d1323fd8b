"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, TypeVar

import httpx

from . import calls, protocol
from .calls import Call, Computed, as_answer
from .counts import Counts
from .errors import CacheError, CacheUnavailable
from .question import Question, User, UserLike
from .results import Found, Permit, Stored, StoredAnswer
from .settings import Settings

T = TypeVar("T")


class AsyncResponseCache:
    """A client of the service, for one event loop; close it, or use it by `async with`.

    Stale answers are refreshed in tasks, which `aclose` waits for. Each method but
    `get_or_fill` raises `CacheError`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.counts = Counts()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._http = httpx.AsyncClient(
            base_url=self.settings.base_url(),
            headers=self.settings.headers(),
            transport=transport,
        )

    async def aclose(self) -> None:
        """Waits for refreshes in the background, then closes the connections."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    async def __aenter__(self) -> AsyncResponseCache:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def get_or_fill(
        self,
        intent: str,
        user: UserLike | None,
        compute: Callable[[], Awaitable[Computed]],
        slots: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Returns the stored answer, or awaits `compute()` and stores what it returns.

        `compute` must read nothing but what `intent`, `user` and `slots` say, and records of
        the database. Its exceptions are raised, unless the class allows a stale answer.
        """
        question = Question(intent, None if user is None else User.of(user), dict(slots or {}))
        steps = protocol.get_or_fill(question, self.counts, self.settings.strict)
        return await self._run(steps, question, compute)

    async def lookup(
        self,
        user: UserLike | None,
        *,
        intent: str | None = None,
        message: str | None = None,
        slots: Mapping[str, str] | None = None,
        wait: float | None = None,
        deadline: float | None = None,
        cache_control: str | None = None,
    ) -> Found:
        """Looks an answer up. A permit in the result must be filled, failed or released."""
        wait = self.settings.wait if wait is None else wait
        return await self._send(
            calls.lookup(
                user,
                intent=intent,
                message=message,
                slots=slots,
                wait=wait,
                deadline=deadline,
                cache_control=cache_control,
            )
        )

    async def fill(self, permit: Permit | str, answer: Computed) -> Stored:
        """Ends a permit with its answer, and gives it to all who wait."""
        return await self._send(calls.fill(permit, as_answer(answer)))

    async def fail(self, permit: Permit | str, reason: str) -> Found:
        """Ends a permit with a failure; returns what those who wait get."""
        return await self._send(calls.fail(permit, reason))

    async def release(self, permit: Permit | str) -> None:
        """Gives a permit up: the next caller that waits gets it."""
        await self._send(calls.release(permit))

    async def route(self, message: str, user: UserLike, intent: str | None = None) -> StoredAnswer:
        """Asks the service itself, for intents that its source answers."""
        return await self._send(calls.route(message, user, intent))

    async def invalidate(self, **selector: Any) -> int:
        """Removes answers by one of `key`, `user_id`, `intent`, `role`, `tag`, `pattern`,
        `all=True`, `**{"class": …}`, or by `tag` with `user_id`; returns how many.

        Call it after the change is committed. An error means that old answers may be served.
        """
        return await self._send(calls.invalidate(selector))

    async def stats(self) -> dict[str, Any]:
        """The statistics of the service."""
        return await self._send(calls.stats())

    async def caching(self, enabled: bool | None = None) -> bool:
        """Whether caching is on, after switching it if `enabled` is given."""
        return await self._send(calls.caching(enabled))

    async def _send(self, call: Call[T]) -> T:
        try:
            response = await self._http.request(
                call.method,
                call.path,
                content=call.content,
                headers=call.headers,
                timeout=self.settings.timeouts(call.wait),
            )
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            # A closed client raises RuntimeError.
            raise CacheUnavailable(f"{call.path}: {type(error).__name__}: {error}") from error
        return call.result(response)

    async def _run(
        self,
        steps: protocol.Running[T],
        question: Question,
        compute: Callable[[], Awaitable[Computed]],
    ) -> T:
        try:
            step = next(steps)
            while True:
                try:
                    result = await self._do(step, question, compute)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            value: T = end.value
            return value

    async def _do(
        self, step: protocol.Step, question: Question, compute: Callable[[], Awaitable[Computed]]
    ) -> object:
        match step:
            case protocol.Look():
                return await self.lookup(
                    question.user, intent=question.intent, slots=question.slots
                )
            case protocol.Compute():
                return as_answer(await compute())
            case protocol.Refresh(permit=permit):
                return self._refresh(permit, question, compute)
            case protocol.Fill(permit, answer):
                return await self.fill(permit, answer)
            case protocol.Fail(permit, reason):
                return await self.fail(permit, reason)
            case protocol.Release(permit):
                # In a task, which a cancellation of the caller does not reach.
                self._spawn(self._release(permit))
                return None

    def _refresh(
        self, permit: Permit, question: Question, compute: Callable[[], Awaitable[Computed]]
    ) -> bool:
        steps = protocol.refresh(permit, self.counts, strict=False)
        self._spawn(self._run(steps, question, compute))
        return True

    async def _release(self, permit: Permit) -> None:
        try:
            await self.release(permit)
        except CacheError as error:
            self.counts.error("release", error)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        # The event loop itself keeps tasks by weak references alone.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
